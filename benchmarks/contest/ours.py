"""Entrants: fer-stream with its defaults, as `fer-stream run` sets its process up.

Argument: the detector. A frame's faces are those that a sink is given.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

import fer_stream
from contest.reading import Look, Seen
from fer_stream.cli.process import prepare_process


def prepare(detector: str) -> Look:
    prepare_process()

    def look(
        path: str, most: int | None, only: Collection[int] | None
    ) -> Iterator[tuple[int, list[Seen]]]:
        results = fer_stream.stream(path, detector=detector)
        for result in results:
            index = result.frame.index
            if index == most:
                results.close()
                return
            if only is None or index in only:
                faces = [(face.box, face.scores.top) for face in result.faces]
                yield index, [(b.x, b.y, b.width, b.height, top) for b, top in faces]

    return look
