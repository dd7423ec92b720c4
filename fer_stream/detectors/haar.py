"""Detector `haar`: OpenCV's Haar cascades."""

from __future__ import annotations

from fer_stream.detectors.turned import TurnedSearch, load_cascade
from fer_stream.errors import ConfigError
from fer_stream.imaging import shrink
from fer_stream.stages import Detector
from fer_stream.types import Box, Detection, Frame

_CASCADE = "haarcascade_frontalface_default.xml"
_STEPS = (1.01, 10.0)  # smaller ones take seconds a frame, larger ones know one size of face
_MOST_NEIGHBORS = 10_000  # no face has as many hits


class HaarDetector(Detector):
    """Viola and Jones's frontal-face detector as OpenCV ships it, on a shrunk frame.

    Options: `scale_factor`, the step between the face sizes that are tried; `min_neighbors`, how
    many overlapping hits make a face; `min_size`, the smallest face as a share of the frame's
    short side; `detect_size`, the long side in px that the frame is shrunk to before detection;
    `turned`, whether to look for turned and tilted heads too (see `TurnedSearch`).
    `haar?detect_size=9999&scale_factor=1.3&min_neighbors=5&min_size=0&turned=no` is the classic
    full-size search.
    """

    name = "haar"

    def __init__(
        self,
        target: str = "",
        *,
        scale_factor: float = 1.2,
        min_neighbors: int = 2,
        min_size: float = 0.1,
        detect_size: int = 400,
        turned: bool = True,
    ) -> None:
        super().__init__(target)
        least, most = _STEPS
        if not least <= scale_factor <= most:
            raise ConfigError(
                f"haar: scale_factor must be {least:g} to {most:g}, got {scale_factor}; "
                "1.1 to 1.3 is usual"
            )
        if not 0.0 <= min_size <= 1.0:
            raise ConfigError(f"haar: min_size is a share of the frame, 0 to 1, got {min_size}")
        if not 0 <= min_neighbors <= _MOST_NEIGHBORS:
            raise ConfigError(
                f"haar: min_neighbors must be 0 to {_MOST_NEIGHBORS}, got {min_neighbors}"
            )
        if detect_size < 24:
            raise ConfigError(f"haar: detect_size must be at least 24, got {detect_size}")
        self._cascade = load_cascade(_CASCADE)
        self._scale_factor = scale_factor
        self._min_neighbors = min_neighbors
        self._min_size = min_size
        self._detect_size = detect_size
        self._turned = TurnedSearch(self._cascade) if turned else None

    def detect(self, frame: Frame) -> list[Detection]:
        """Return the faces; frontal ones first."""
        small, scale = shrink(frame.grey, self._detect_size)
        side = round(self._min_size * min(small.shape))
        found = self._cascade.detectMultiScale(
            small,
            scaleFactor=self._scale_factor,
            minNeighbors=self._min_neighbors,
            minSize=(side, side),
        )
        boxes = [
            Box.inside(x * scale, y * scale, width * scale, height * scale, frame)
            for x, y, width, height in found
        ]
        if self._turned:
            boxes += self._turned.search(frame, boxes)
        return [Detection(box) for box in boxes]
