"""One training of a detector from the command line: read, train or go on, export, measure."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rich.console import Console

from fer_stream.words import counted

from ..data import load_splits
from ..files import replacing, write_whole
from ..needs import require_tensorflow
from ..quiet import import_keras
from ..resuming import resumable
from .checkpoint import Checkpoint, run_to_go_on_with
from .loop import save_weights, train
from .material import read_material, trained_on
from .pictures import Picture
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
    earlier = run_to_go_on_with(folder, settings, resume)
    faces = load_splits(sources.data, ("Training",), (48, 48))["Training"].images
    learned_from = sources.fingerprint(faces)
    checkpoint = earlier or Checkpoint(folder, settings, learned_from)
    checkpoint.require_sources(learned_from)
    material = read_material(faces, sources, settings, console)
    import_keras()
    from .measuring import measure

    start = sources.earlier / WEIGHTS_NAME if sources.earlier else None
    with resumable(folder, console):
        scenes = _test_scenes(material, settings)
        _train_and_write(material, checkpoint, start, scenes, console)
    path = folder / MODEL_NAME
    console.print(
        f"on {counted(len(scenes), 'composed scene')}: {measure(path, scenes)}\n"
        f"wrote {path} ({path.stat().st_size:,} bytes), and {CHECK_NAME}, which is used with it; "
        f"use them with --detector onnx:{path}"
    )


def _train_and_write(
    material: Material,
    checkpoint: Checkpoint,
    start: Path | None,
    scenes: list[Picture],
    console: Console,
) -> None:
    """Train on from ``checkpoint`` and write the weights and both files into its folder."""
    from .export import exported
    from .framing import calibrate

    folder, settings = checkpoint.folder, checkpoint.settings

    def report(epoch: int, loss: float) -> None:
        console.print(f"epoch {epoch}/{settings.epochs}  loss {loss:.3f}")

    model = train(material, checkpoint, start, report)
    factors = calibrate(model, material.faces, settings.seed)
    console.print(f"sides corrected by {', '.join(f'{factor:.3f}' for factor in factors)}")
    save_weights(model, folder / WEIGHTS_NAME)
    proto = exported(model, scenes[:8], settings.threshold, trained_on(material))
    _write_pair(proto.SerializeToString(), folder, material, settings, console)


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


def _test_scenes(material: Material, settings: DetectorSettings) -> list[Picture]:
    """Scenes that were not trained on, though of the same faces and pictures."""
    composer = Composer(material, settings.height, settings.width)
    unreached = 2**32 - 1  # a batch's number, for a run with the next seed trains on the first ones
    return [composer.scene((settings.seed + 1, unreached, i)) for i in range(_TEST_SCENES)]
