"""Entrant: decoding alone, the limit. Argument: `SLICE`, one thread; `AUTO`, as many as help."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import av

from contest.reading import Look, Seen


def prepare(threads: str) -> Look:
    def look(
        path: str, most: int | None, _: Collection[int] | None
    ) -> Iterator[tuple[int, list[Seen]]]:
        with av.open(path) as container:
            context = container.streams.video[0].codec_context
            context.thread_type = "AUTO" if threads == "AUTO" else "SLICE"
            if threads != "AUTO":
                context.thread_count = 1
            for index, _picture in enumerate(container.decode(video=0)):
                if index == most:
                    return
                yield index, []

    return look
