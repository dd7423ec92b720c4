"""One training of a detector from the command line: read, train or go on, export, measure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
from rich.console import Console

from fer_stream.errors import ConfigError
from fer_stream.words import counted

from ..data import load_splits
from ..files import replacing, write_whole
from ..needs import require_tensorflow
from ..quiet import import_keras
from ..stopping import resumable
from .checkpoint import Checkpoint, earlier_run
from .loop import save_weights, train
from .pictures import Picture, load_pictures
from .scenes import Composer, Material
from .settings import DetectorSettings
from .sources import MODEL_NAME, WEIGHTS_NAME, Sources

CHECK_NAME = "face-check.onnx"
_TEST_SCENES = 200


def run_detector_training(
    sources: Sources, folder: Path, settings: DetectorSettings, resume: bool
) -> None:
    """Train into ``folder`` and print the figures.

    Raises ConfigError for bad data or a folder that does not fit, ModelError when the export is
    not equal to the trained model.
    """
    require_tensorflow()
    console = Console(markup=False, emoji=False, highlight=False, soft_wrap=True)
    sources.require_earlier()
    earlier = earlier_run(folder, settings, resume)
    faces = load_splits(sources.data, ("Training",), (48, 48))["Training"].images
    learned_from = sources.fingerprint(faces)
    checkpoint = earlier or Checkpoint(folder, settings, learned_from)
    if checkpoint.sources != learned_from:
        raise ConfigError(
            f"the run in {folder} was started with other faces, pictures or videos; expected the "
            "same ones; give the same --data, --backgrounds, --video, --spare and --earlier, or "
            "another --out"
        )
    material = _material(faces, sources, settings, console)
    import_keras()
    from .export import exported
    from .framing import calibrate
    from .measuring import measure

    start = sources.earlier / WEIGHTS_NAME if sources.earlier else None

    def report(epoch: int, loss: float) -> None:
        console.print(f"epoch {epoch}/{settings.epochs}  loss {loss:.3f}")

    with resumable(folder, console):
        model = train(material, checkpoint, start, report)
        factors = calibrate(model, material.faces, settings.seed)
        console.print(f"sides corrected by {', '.join(f'{factor:.3f}' for factor in factors)}")
        save_weights(model, folder / WEIGHTS_NAME)
        scenes = _test_scenes(material, settings)
        proto = exported(model, scenes[:8], settings.threshold, trained_on(material))
        _write_pair(proto.SerializeToString(), folder, material, settings, console)
    path = folder / MODEL_NAME
    console.print(
        f"on {counted(len(scenes), 'composed scene')}: {measure(path, scenes)}\n"
        f"wrote {path} ({path.stat().st_size:,} bytes), and {CHECK_NAME}, which is used with it; "
        f"use them with --detector onnx:{path}"
    )


def _write_pair(
    detector: bytes,
    folder: Path,
    material: Material,
    settings: DetectorSettings,
    console: Console,
) -> None:
    """Write the detector's file and that of its check, which learns from what it finds.

    The detector gets its name last: without a check it would look finished and be another one.
    """
    with replacing(folder / MODEL_NAME) as path:
        path.write_bytes(detector)
        write_whole(folder / CHECK_NAME, _trained_check(path, material, settings, console))


def _trained_check(
    detector: Path, material: Material, settings: DetectorSettings, console: Console
) -> bytes:
    """The file of the check that belongs to a detector's file; it is begun anew by each call."""
    from .candidates import gather
    from .check import exported_check, train_check

    scenes = counted(settings.check_scenes, "scene", ",")
    console.print(f"searching {scenes} for what the check learns from")
    found = gather(detector, _check_scenes(material, settings), settings.seed)
    squares = counted(len(found.images), "square", ",")
    console.print(f"{squares}, {found.faces.mean():.0%} with a face")

    def report(epoch: int, loss: float) -> None:
        console.print(f"check epoch {epoch}/{settings.check_epochs}  loss {loss:.3f}")

    model = train_check(found, settings.check_epochs, settings.seed, report)
    content: bytes = exported_check(model, found, trained_on(material)).SerializeToString()
    return content


def _check_scenes(material: Material, settings: DetectorSettings) -> Iterator[Picture]:
    usual = Composer(material, settings.height, settings.width)
    large = Composer(material, settings.large, settings.large)
    for number in range(settings.check_scenes):
        composer = large if number % 4 == 3 else usual
        yield composer.scene((settings.seed + 2, number))


def _material(
    faces: npt.NDArray[np.uint8], sources: Sources, settings: DetectorSettings, console: Console
) -> Material:
    pictures = load_pictures(sources.backgrounds)
    filmed: list[Picture] = []
    hard: list[Picture] = []
    if sources.videos or sources.earlier:
        from .video import filmed_pictures, mined

        earlier = sources.earlier / MODEL_NAME if sources.earlier else None
        filmed = filmed_pictures(sources.videos, sources.spare, earlier)
        hard = mined(pictures, earlier) if earlier else []
    seen = sum(len(picture.faces) for picture in filmed)
    console.print(
        f"{counted(len(faces), 'face', ',')}, {counted(len(pictures), 'picture', ',')} without "
        f"any, {counted(len(hard), 'place', ',')} in them mistaken for a face, "
        f"{counted(len(filmed), 'frame', ',')} of videos with {counted(seen, 'face', ',')}"
    )
    share = settings.filmed_share
    return Material(faces, pictures + hard, filmed, share, mistaken=len(hard))


def _test_scenes(material: Material, settings: DetectorSettings) -> list[Picture]:
    """Scenes that were not trained on, though of the same faces and pictures."""
    composer = Composer(material, settings.height, settings.width)
    unreached = 2**32 - 1  # a batch's number, for a run with the next seed trains on the first ones
    return [composer.scene((settings.seed + 1, unreached, i)) for i in range(_TEST_SCENES)]


def trained_on(material: Material) -> str:
    """What a model's file says of what its network learned from."""
    pictures = counted(len(material.pictures) - material.mistaken, "picture", ",")
    places = counted(material.mistaken, "place", ",")
    mistaken = f", {places} in them mistaken for a face" if material.mistaken else ""
    count = sum(len(picture.faces) for picture in material.filmed)
    faces = counted(count, "face", ",")
    filmed = f", {faces} that Haar cascades agreed on in videos" if count else ""
    digest = hashlib.sha256(material.faces.tobytes()).hexdigest()[:16]
    return (
        f"scenes composed of {counted(len(material.faces), 'face', ',')} (SHA-256 {digest}) and "
        f"{pictures}{mistaken}{filmed}"
    )
