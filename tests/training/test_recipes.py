"""Every network has a whole recipe, flags change it, and a bad one is named in one line."""

from __future__ import annotations

from pathlib import Path

import pytest
from fer_stream_training.architectures import ARCHITECTURES
from fer_stream_training.detector import settings as detector_settings
from fer_stream_training.distil import settings as distil_settings
from fer_stream_training.recipes import DEFAULT_ARCH, RULES, recipe_of, settings_from
from fer_stream_training.rules import read_recipe
from fer_stream_training.settings import TrainingSettings

from fer_stream.errors import ConfigError


@pytest.mark.parametrize("arch", sorted(ARCHITECTURES))
def test_every_network_has_a_whole_recipe(arch: str) -> None:
    settings = settings_from(None, {"arch": arch})
    assert settings.arch == arch
    nothing_earlier = {"teachers": [], "start_from": ""}
    assert settings.as_dict() == read_recipe(recipe_of(arch), RULES) | nothing_earlier


def test_the_end_of_the_shipped_models_training_is_a_whole_recipe() -> None:
    refined = read_recipe(recipe_of("refine"), RULES)
    whole = read_recipe(recipe_of("mirror-resnet"), RULES)
    assert refined["arch"] == whole["arch"]
    assert refined["lr"] < whole["lr"], "it begins with trained weights"


def test_the_demo_network_has_the_plain_settings() -> None:
    assert settings_from(None, {"arch": "demo-cnn"}) == TrainingSettings()


def test_flags_change_single_settings() -> None:
    settings = settings_from(None, {"arch": None, "epochs": 3, "augment": False, "seed": 0})
    assert settings.arch == DEFAULT_ARCH
    assert (settings.epochs, settings.augment) == (3, False)
    assert settings.batch_size == read_recipe(recipe_of(DEFAULT_ARCH), RULES)["batch_size"]


def test_a_file_of_ones_own_is_taken_and_names_its_network(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(recipe_of("demo-cnn").read_text().replace("epochs = 50", "epochs = 7"))
    settings = settings_from(path, {"arch": None, "lr": 0.5})
    assert (settings.arch, settings.epochs, settings.lr) == ("demo-cnn", 7, 0.5)


def test_a_recipe_that_ships_is_taken_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert settings_from(Path("refine"), {}) == settings_from(recipe_of("refine"), {})
    (tmp_path / "refine").write_text(recipe_of("demo-cnn").read_text())
    assert settings_from(Path("refine"), {}).arch == "demo-cnn", "a file that is there is meant"
    with pytest.raises(ConfigError, match=r"cannot read the recipe none\.toml"):
        settings_from(Path("none"), {})


def test_the_other_trainings_take_a_recipe_by_its_name_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for read_settings, name in (
        (detector_settings.read_settings, "face-detector"),
        (distil_settings.read_settings, "distil"),
    ):
        assert read_settings(Path(name), None, None) == read_settings(None, None, None)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 0.0])
def test_a_flag_is_held_to_the_recipes_rules(value: float) -> None:
    with pytest.raises(ConfigError, match=f"--lr is {value}; expected a number above 0"):
        settings_from(None, {"lr": value})


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("epochs = 50", "", "does not set epochs"),
        ("epochs = 50", "epochs = 50\nrounds = 3", "sets an unknown rounds"),
        ("epochs = 50", "epochs = 0", "sets epochs to 0; expected a whole number from 1"),
        ("epochs = 50", "epochs = true", "sets epochs to True; expected a whole number"),
        ('arch = "demo-cnn"', 'arch = "none"', "expected demo-cnn or large-resnet"),
        ('optimizer = "adam"', "optimizer = 3", "expected adam or sgd"),
        ("augment = true", "augment = 1", "sets augment to 1; expected true or false"),
        ("class_weights = false", "class_weights = 0", "class_weights to 0; expected true or"),
        ("patience = 0", "patience = -1", "patience to -1; expected a whole number from 0"),
        ("erase = 0.0", "erase = 1.5", "expected a share from 0 to 1"),
        ("average = 0.0", "average = 1.0", "expected a share from 0 to below 1"),
        ("mixup = 0.0", "mixup = nan", "sets mixup to nan; expected a number from 0"),
        ("lr = 1e-3", "lr = 0", "sets lr to 0; expected a number above 0"),
        ("seed = 0", "seed = 4294967296", "expected a whole number from 0 to 4294967295"),
        ("epochs = 50", "epochs =", "cannot read the recipe"),
    ],
)
def test_a_bad_recipe_is_named_in_one_line(
    tmp_path: Path, old: str, new: str, expected: str
) -> None:
    path = tmp_path / "mine.toml"
    text = recipe_of("demo-cnn").read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(ConfigError, match=expected) as caught:
        read_recipe(path, RULES)
    assert "mine.toml" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_recipe_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot read the recipe .*nowhere\.toml"):
        read_recipe(tmp_path / "nowhere.toml", RULES)


def test_a_missing_recipe_is_named_in_plain_words(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"recipe .*none\.toml \(No such file or directory\); exp"
    ):
        read_recipe(tmp_path / "none.toml", RULES)
