"""Entrant: the `fer` package with its default detector, as its README calls it on each frame."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from fer.fer import FER

from contest.reading import Look, Seen, pictures


def prepare(_: str) -> Look:
    detector = FER()

    def look(
        path: str, most: int | None, only: Collection[int] | None
    ) -> Iterator[tuple[int, list[Seen]]]:
        for index, image in pictures(path, most, only):
            faces: list[Seen] = []
            for found in detector.detect_emotions(image):
                x, y, width, height = (int(value) for value in found["box"])
                scores = found["emotions"]
                faces.append((x, y, width, height, max(scores, key=scores.get)))
            yield index, faces

    return look
