"""What a detector's training is told, and the recipe that it is read from."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from pathlib import Path

from fer_stream.errors import ConfigError

from ..recipes import read_values, recipe_of


@dataclass(frozen=True, slots=True)
class DetectorSettings:
    """The settings that decide a run's weights; a resumed run must have the same ones."""

    epochs: int
    steps: int
    """Batches in each epoch; scenes never end, so this is only how often progress is kept."""
    batch_size: int
    height: int
    """Of the scenes, px; a multiple of 32, as the width."""
    width: int
    large: int
    """Both sides of every third batch's scenes, px: faces that fill a whole frame are as large."""
    lr: float
    """The highest of the run."""
    weight_decay: float
    average: float
    """Decay per step of the weights' running average."""
    filmed_share: float
    """Of the scenes, those made on a frame of the videos, where there are any."""
    threshold: float
    """The score from which the file says that an answer is a face, 0..1."""
    check_scenes: int
    """Scenes that the trained detector searches, for the check to learn from what it finds."""
    check_epochs: int
    """Of the check: times that it sees all of that."""
    seed: int

    def __post_init__(self) -> None:
        if any(side % 32 or side < 32 for side in (self.height, self.width, self.large)):
            raise ConfigError(
                f"scenes of {self.width}x{self.height} and {self.large}x{self.large} px do not "
                "fit the network; expected multiples of 32; correct height, width and large"
            )
        if not 0 < self.threshold < 1:
            raise ConfigError(f"a recipe's threshold is between 0 and 1, got {self.threshold}")
        counts = (self.epochs, self.steps, self.batch_size, self.check_scenes, self.check_epochs)
        if min(counts) < 1 or self.lr <= 0:
            raise ConfigError(
                "a recipe's epochs, steps, batch_size, lr, check_scenes and check_epochs must be "
                "above 0"
            )

    def as_dict(self) -> dict[str, int | float]:
        """The settings as plain JSON values."""
        return asdict(self)


def read_settings(recipe: Path | None, epochs: int | None, seed: int | None) -> DetectorSettings:
    """The settings of `recipe`, or of the one that ships, with what was asked for instead.

    Raises ConfigError for a file that is no such recipe.
    """
    path = recipe or recipe_of("face-detector")
    values = read_values(path)
    types = {field.name: field.type for field in fields(DetectorSettings)}
    unfit = types.keys() ^ values.keys() or {
        name
        for name, value in values.items()
        if isinstance(value, bool)
        or not isinstance(value, int if types[name] == "int" else (int, float))
    }
    if unfit:
        raise ConfigError(
            f"the recipe {path} lacks, or sets wrongly, {', '.join(sorted(unfit))}; expected a "
            f"number for each of {', '.join(types)}; start from the shipped recipe"
        )
    chosen = {
        name: value for name, value in (("epochs", epochs), ("seed", seed)) if value is not None
    }
    return DetectorSettings(**{**values, **chosen})
