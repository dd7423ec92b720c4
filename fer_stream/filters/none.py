"""Filter `none`: changes nothing."""

from __future__ import annotations

from collections.abc import Sequence

from fer_stream.stages import Filter
from fer_stream.types import Face, Frame


class NoFilter(Filter):
    """Reports the classifier's scores as they are."""

    name = "none"

    def apply(self, frame: Frame, faces: Sequence[Face]) -> list[Face]:  # noqa: ARG002
        """Return the faces unchanged."""
        return list(faces)
