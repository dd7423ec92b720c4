"""Sink `csv`: a row per face."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from fer_stream.events import rfc3339
from fer_stream.labels import COLUMNS
from fer_stream.sinks.rows import LineFile
from fer_stream.stages import Sink
from fer_stream.types import Face, FrameResult, RunInfo
from fer_stream.urls import path_target


class CsvSink(Sink):
    """Writes a row per face, as it comes: `csv:out.csv`, or `csv:-` for standard output.

    Options: `append`, go on in an existing file with the same columns; `every_frame`, write a row
    with empty face columns for a frame without a face.
    """

    name = "csv"

    def __init__(
        self, target: str = "", *, append: bool = False, every_frame: bool = False
    ) -> None:
        expected = "a file, e.g. csv:out.csv (or csv:- for standard output)"
        self._target = path_target(self.name, target, expected)
        self._append = append
        self._every_frame = every_frame

    def open(self, run: RunInfo) -> None:
        """Open the file and write the header, or check the one that is there."""
        self._labels = run.labels
        header = _line([*COLUMNS, *run.labels])
        self._file = LineFile(self.name, self._target, append=self._append, header=header)

    def write(self, result: FrameResult) -> None:
        """Write a frame's rows in one go."""
        rows = [_line([*_frame_cells(result), *self._face_cells(face)]) for face in result.faces]
        if not rows and self._every_frame:
            blank = [""] * (len(COLUMNS) - 5 + len(self._labels))
            rows = [_line([*_frame_cells(result), *blank])]
        self._file.write("".join(rows))  # without a row too: it begins the file

    def close(self) -> None:
        """Close the file; if it is opened again, it is continued."""
        self._file.close()
        self._append |= self._file.begun

    @staticmethod
    def _face_cells(face: Face) -> list[object]:
        box = face.box
        return [
            "" if face.track_id is None else face.track_id,
            box.x,
            box.y,
            box.width,
            box.height,
            "" if face.confidence is None else f"{face.confidence:.4f}",
            face.scores.top,
            f"{face.scores.top_score:.4f}",
            *(f"{p:.4f}" for p in face.scores.probabilities),
        ]


def _frame_cells(result: FrameResult) -> list[object]:
    frame = result.frame
    return [
        " ".join(frame.info.source_id.splitlines()),  # a row is one line, whatever a file is called
        frame.info.session,
        frame.index,
        f"{frame.time_s:.3f}",
        rfc3339(frame.captured_at),
    ]


def _line(cells: Sequence[object]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue()
