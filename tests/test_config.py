"""A run's settings: flags over TOML over defaults, and how a bare source is understood."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from fer_stream.config import RunConfig, make_config, read_toml
from fer_stream.errors import ConfigError
from fer_stream.plugins import installed, with_given
from fer_stream.spec import StageSpec
from fer_stream.stage_names import stage_spec


def config(**settings: Any) -> RunConfig:
    return make_config({"source": ["0"], **settings}, installed())


def source(text: str) -> StageSpec:
    (spec,) = config(source=[text]).source
    return spec


@pytest.fixture
def cwd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_what_is_not_said_has_its_default() -> None:
    assert config() == RunConfig(
        source=(StageSpec("camera", "0"),),
        sink=(),
        detector=StageSpec("onnx"),
        tracker=StageSpec("iou"),
        classifier=StageSpec("onnx"),
        filter=(StageSpec("smooth"),),
        detect_every=None,
        detect_size=None,
        analyse_fps=None,
        on_sink_error="auto",
        instance="fer-stream",
        mode="auto",
    )


def test_flags_go_over_the_file(tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    path.write_text('source = "a.mp4"\ndetect_every = 5\nsink = ["csv:a.csv"]\ninstance = "hall"\n')
    merged = {**read_toml(path), "source": ["b.mp4"], "detect_every": 3}
    made = make_config(merged, installed())
    assert made.source == (StageSpec("file", "b.mp4"),)
    assert made.detect_every == 3
    assert made.sink == (StageSpec("csv", "a.csv"),)
    assert made.instance == "hall"


def test_a_file_may_name_plugins_beside_the_settings(tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    path.write_text('source = "a.mp4"\nplugin = ["eyes.py"]\n')
    settings = read_toml(path)
    assert settings["plugin"] == ["eyes.py"]
    assert make_config(settings, installed()).source == (StageSpec("file", "a.mp4"),)


def test_a_stage_can_be_a_table(tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    path.write_text(
        """
        detector = { use = "haar?min_size=0.2", detect_size = 320 }

        [[source]]
        use = "rtsp://camera/1?channel=2"
        read_timeout = 7.5
        live = true

        [[source]]
        use = "file"
        target = "0?x=1.mp4"
        name = "talk"

        [[sink]]
        use = "csv:out.csv"
        append = true

        [[filter]]
        use = "smooth"
        time = 0.8
        """
    )
    made = make_config(read_toml(path), installed())
    assert made.detector == StageSpec("haar", "", {"min_size": "0.2", "detect_size": 320})
    assert made.source == (
        StageSpec("network", "rtsp://camera/1?channel=2", {"read_timeout": 7.5, "live": True}),
        StageSpec("file", "0?x=1.mp4", called="talk"),
    )
    assert made.sink == (StageSpec("csv", "out.csv", {"append": True}),)
    assert made.filter == (StageSpec("smooth", "", {"time": 0.8}),)


def test_a_camera_is_given_by_its_number(tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    path.write_text("source = [1, { use = 'camera', target = 2, name = 'door' }]")
    assert make_config(read_toml(path), installed()).source == (
        StageSpec("camera", "1"),
        StageSpec("camera", "2", called="door"),
    )


def test_a_target_may_be_a_path() -> None:
    made = config(sink={"use": "csv", "target": Path("out.csv")})
    assert made.sink == (StageSpec("csv", "out.csv"),)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("sources = ['0']", r"run\.toml: unknown key 'sources'; did you mean source\?"),
        ("detect-every = 5", r"unknown key 'detect-every'; did you mean detect_every\?; known:"),
        ("detectevery = 5", r"did you mean detect_every\?; known:"),
        ("profile = true", r"run\.toml: 'profile' is for the command line alone: --profile"),
        ("source = [", r"run\.toml is not valid TOML: "),
        ("source = '\xff'", r"run\.toml is not valid TOML: "),
    ],
)
def test_a_wrong_file_is_refused(text: str, problem: str, tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(ConfigError, match=problem):
        read_toml(path)


def test_a_file_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    path.write_bytes("source = 'Küche'\r\nmode = 'live'\r\n".encode("utf-8-sig"))
    assert read_toml(path) == {"source": "Küche", "mode": "live"}


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot read .*none\.toml: No such file"):
        read_toml(tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"source": []}, "no source; give at least one"),
        ({"source": [""]}, "an empty source was given; expected NAME"),
        ({"source": [0.5]}, r"source must be text or a table, got 0\.5"),
        ({"source": True}, "source must be text or a table, got True"),
        ({"sink": 5}, "sink must be text or a table, got 5"),
        ({"sink": {"use": "csv", "target": ["a", "b"]}}, r"'target' must be text, got \['a'"),
        ({"sink": {"use": "csv", "target": 5}}, "sink: the key 'target' must be text, got 5"),
        ({"source": {"use": "file", "target": True}}, "source: .* must be text, got True"),
        ({"source": [["rtsp://u:secret@cam"]]}, r"or a table, got \['rtsp://u:\*{3}@cam'\]"),
        ({"source": [{"target": "x"}]}, "source: a table needs the key 'use'"),
        ({"source": ["gopher://x"]}, "unknown source 'gopher'; known: .*network"),
        ({"source": ["mqtt://x"]}, "unknown source 'mqtt'; known: .*network"),
        ({"sink": ["cvs:x"]}, r"unknown sink 'cvs'; did you mean csv\?; known: .*csv"),
        ({"sink": ["gopher://x"]}, "unknown sink 'gopher'"),
        ({"detector": "eyes"}, "unknown detector 'eyes'; known: .*haar"),
        ({"tracker": ""}, "an empty tracker was given"),
        ({"model": ""}, "model is empty; give it a value, or leave it away"),
        ({"metrics": ""}, "metrics is empty"),
        ({"instance": ""}, "instance is empty"),
        ({"sink": Path("talk.csv")}, r"unknown sink 'talk\.csv'; write csv:talk\.csv"),
        ({"filter": ["calm"]}, "unknown filter 'calm'"),
        ({"detect_every": 0}, "detect_every must be at least 1, got 0"),
        ({"detect_every": "3"}, "detect_every must be a whole number, got '3'"),
        ({"detect_every": True}, "detect_every must be a whole number, got True"),
        ({"detect_size": 320.5}, r"detect_size must be a whole number, got 320\.5"),
        ({"analyse_fps": "5"}, "analyse_fps must be a number, got '5'"),
        ({"analyse_fps": 0}, "analyse_fps must be above 0 and finite, got 0"),
        ({"analyse_fps": float("nan")}, "analyse_fps must be above 0 and finite, got nan"),
        ({"analyse_fps": float("inf")}, "analyse_fps must be above 0 and finite, got inf"),
        ({"on_sink_error": "ignore"}, "one of auto, stop, continue; got 'ignore'"),
        ({"instance": 5}, "instance must be text, got 5"),
        ({"mode": "slow"}, "mode must be one of auto, file, live; got 'slow'"),
        ({"mode": 5}, "mode must be text, got 5"),
        ({"source": {"use": "demo", "name": 5}}, "source: the key 'name' must be text, got 5"),
        ({"model": "a.onnx", "classifier": "onnx"}, "give either model or classifier"),
    ],
)
def test_wrong_settings_are_refused_in_words(settings: dict[str, Any], problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        config(**settings)


def test_detect_size_is_the_detectors_own_option() -> None:
    made = config(detector="haar?turned=no&detect_size=300", detect_size=500)
    expected = {"turned": "no", "detect_size": 500}
    assert made.sized_detector == StageSpec("haar", options=expected)
    assert config(detector="haar?turned=no").sized_detector.options == {"turned": "no"}


def test_a_detector_without_a_size_refuses_one(tmp_path: Path) -> None:
    plugin = tmp_path / "eyes.py"
    plugin.write_text(
        "from fer_stream import Detector, hookimpl\n\n"
        "class Eyes(Detector):\n"
        "    name = 'eyes'\n\n"
        "    def detect(self, frame):\n"
        "        return []\n\n"
        "@hookimpl\n"
        "def fer_register_detectors():\n"
        "    return [Eyes]\n"
    )
    plugins = with_given([plugin])
    assert make_config({"source": "0", "detector": "eyes"}, plugins).detect_size is None
    with pytest.raises(ConfigError, match=r"detector 'eyes' has no detect_size: .* leave"):
        make_config({"source": "0", "detector": "eyes", "detect_size": 300}, plugins)


def test_a_model_is_short_for_the_onnx_classifier() -> None:
    assert config(model="a.onnx").classifier == StageSpec("onnx", "a.onnx")


def test_filters_can_be_one_several_or_none() -> None:
    assert config(filter="none").filter == (StageSpec("none"),)
    assert config(filter=["smooth?time=1", "none"]).filter == (
        StageSpec("smooth", "", {"time": "1"}),
        StageSpec("none"),
    )


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("0", StageSpec("camera", "0")),
        ("12", StageSpec("camera", "12")),
        ("camera:1?width=1280", StageSpec("camera", "1", {"width": "1280"})),
        ("talk.mp4", StageSpec("file", "talk.mp4")),
        ("some/where/talk", StageSpec("file", "some/where/talk")),
        ("C:\\films\\talk.mp4", StageSpec("file", "C:\\films\\talk.mp4")),
        ("file:C:\\films\\talk.mp4", StageSpec("file", "C:\\films\\talk.mp4")),
        ("what is this?.mp4", StageSpec("file", "what is this?.mp4")),
        ("demo", StageSpec("demo")),
        ("demo?seconds=3", StageSpec("demo", "", {"seconds": "3"})),
        (
            "rtsp://u:p@h/1?channel=1&subtype=0",
            StageSpec("network", "rtsp://u:p@h/1?channel=1&subtype=0"),
        ),
        ("network:rtsp://h/1?channel=1", StageSpec("network", "rtsp://h/1?channel=1")),
        ("HTTP://h/a.mp4", StageSpec("network", "HTTP://h/a.mp4")),
        ("frames/*", StageSpec("images", "frames/*")),
        ("frames/[0-9].png", StageSpec("images", "frames/[0-9].png")),
        ("face.JPG", StageSpec("images", "face.JPG")),
        ("images:frames/*.png?fps=25", StageSpec("images", "frames/*.png", {"fps": "25"})),
        ("0?width=1280", StageSpec("camera", "0", {"width": "1280"})),
        ("frames/*.png?fps=25", StageSpec("images", "frames/*.png", {"fps": "25"})),
        ("²", StageSpec("file", "²")),
    ],
)
def test_a_bare_source_is_recognised(text: str, spec: StageSpec, cwd: Path) -> None:
    assert source(text) == spec


def test_a_folder_is_a_source_of_images(cwd: Path) -> None:
    (cwd / "holiday.2024").mkdir()
    assert source("holiday.2024") == StageSpec("images", "holiday.2024")
    assert source(f"{cwd}/") == StageSpec("images", f"{cwd}/")


@pytest.mark.parametrize(
    "name", ["demo:1", "camera:0", "file", "demo?seconds", "talk [final cut].mp4", "best*of.mp4"]
)
def test_a_file_that_exists_is_meant_whatever_its_name_looks_like(name: str, cwd: Path) -> None:
    (cwd / name).write_bytes(b"")
    assert source(name) == StageSpec("file", name)


@pytest.mark.parametrize("name", ["demo", "camera", "07"])
@pytest.mark.parametrize("here", ["folder", "file"])
def test_what_is_there_by_a_sources_name_is_told_from_it(name: str, here: str, cwd: Path) -> None:
    (cwd / name).mkdir() if here == "folder" else (cwd / name).touch()
    with pytest.raises(ConfigError, match=rf"'{name}' is a {here} here and also .*\./{name} for"):
        source(name)
    assert source(f"./{name}").target == f"./{name}"
    written = "camera:07" if name == "07" else f"{name}:"
    assert source(written) == StageSpec(*written.split(":"))
    with pytest.raises(ConfigError, match=f"or {written} for the source"):
        source(name)


def test_a_folder_called_images_is_read_as_one(cwd: Path) -> None:
    (cwd / "images").mkdir()
    assert source("images") == StageSpec("images", "images")


@pytest.mark.parametrize(
    ("kind", "text", "problem"),
    [
        ("sink", "csv:b.csv?append", r"csv: option 'append' has no value; write \?append=yes"),
        ("sink", "csv:b.csv?x&every_frame", "csv: option 'every_frame' has no value"),
        ("sink", "overlay?fullscreen", r"overlay: option 'fullscreen' has no value"),
        ("sink", "video:out.mp4?crf", r"video: option 'crf' has no value; write \?crf=\.\.\."),
        ("source", "demo?seconds", "demo: option 'seconds' has no value"),
        ("source", "frames/*.png?fps", "images: option 'fps' has no value"),
    ],
)
def test_an_option_without_a_value_is_no_part_of_a_files_name(
    kind: str, text: str, problem: str
) -> None:
    with pytest.raises(ConfigError, match=problem):
        stage_spec(kind, text, installed())


@pytest.mark.parametrize("name", ["b.csv?", "what?.csv", "a?b&c.csv", "append?.csv"])
def test_a_file_to_write_may_have_a_question_mark_in_its_name(name: str) -> None:
    assert config(sink=f"csv:{name}").sink == (StageSpec("csv", name),)


def test_a_streams_query_is_its_servers() -> None:
    assert source("http://cam/x?live").target == "http://cam/x?live"


def test_a_name_that_no_file_can_have_is_no_crash() -> None:
    assert source("a" * 5000) == StageSpec("file", "a" * 5000)


def test_a_sink_never_overwrites_its_own_source(cwd: Path) -> None:
    (cwd / "own.mp4").write_bytes(b"film")
    for sink in ("video:own.mp4", f"csv:{cwd}/own.mp4"):
        with pytest.raises(ConfigError, match="would overwrite its own source"):
            config(source="own.mp4", sink=sink)


@pytest.mark.parametrize("source", ["holiday", "images:holiday/", "holi*/*.jpg", "**/a.*"])
def test_a_sink_never_overwrites_a_picture_of_its_source(source: str, cwd: Path) -> None:
    (cwd / "holiday").mkdir()
    (cwd / "holiday" / "a.jpg").touch()
    (cwd / "holiday" / "old.csv").touch()
    with pytest.raises(ConfigError, match=r"overwrite its own source 'holiday/a\.jpg'"):
        config(source=source, sink="csv:holiday/a.jpg")
    config(source=source, sink=["csv:holiday/old.csv", "csv:holiday/new.jpg", "csv:a.jpg"])


def test_a_sink_never_overwrites_its_own_source_by_another_name(cwd: Path) -> None:
    (cwd / "talk.mp4").write_bytes(b"a film")
    (cwd / "same.mp4").hardlink_to(cwd / "talk.mp4")
    with pytest.raises(ConfigError, match=r"would overwrite its own source 'same\.mp4'"):
        config(source="talk.mp4", sink="video:same.mp4")


def test_a_film_of_several_sources_never_overwrites_one_of_them(cwd: Path) -> None:
    films = [cwd / "talk-1.mp4", cwd / "talk-2.mp4"]
    for film in films:
        film.write_bytes(b"film")
    with pytest.raises(ConfigError, match=r"overwrite its own source 'talk-1\.mp4'"):
        config(source=[f"left={films[0]}", str(films[1])], sink="video:talk.mp4")
    assert config(source=str(films[0]), sink="video:talk.mp4").sink
    (cwd / "seen-pictures.mp4").write_bytes(b"film")
    with pytest.raises(ConfigError, match="would overwrite its own source"):
        config(source=["demo", "seen-pictures.mp4"], sink="video:seen.mp4")


def test_two_sinks_never_write_to_one_place(cwd: Path) -> None:
    several = (
        ("csv:x", "jsonl:x", "'x'"),
        ("csv:-", "jsonl:-", "standard output"),
        ("csv:x", "jsonl:./y/../x", "'./y/../x'"),
        ("csv:x", f"episodes:{cwd}/x", f"'{cwd}/x'"),
    )
    for one, other, place in several:
        with pytest.raises(ConfigError, match=f"two sinks write to {re.escape(place)}; give each"):
            config(sink=[one, other])
    assert len(config(sink=["console", "overlay"]).sink) == 2


def test_a_run_may_read_standard_input_and_write_standard_output() -> None:
    assert config(source="-", sink="csv:-").source == (StageSpec("file", "-"),)


def test_a_source_is_given_once() -> None:
    with pytest.raises(ConfigError, match="source 'demo' is given twice"):
        config(source=["demo", "demo"])


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("door=0", StageSpec("camera", "0", called="door")),
        (
            "front_door-2=rtsp://u:p@h/1?channel=1",
            StageSpec("network", "rtsp://u:p@h/1?channel=1", called="front_door-2"),
        ),
        ("Öl im Büro=1.mp4", StageSpec("file", "1.mp4", called="Öl im Büro")),
        ("a=demo?seconds=3", StageSpec("demo", "", {"seconds": "3"}, "a")),
        ("http://h/?a=b", StageSpec("network", "http://h/?a=b")),
        ("images:a=b/*.png", StageSpec("images", "a=b/*.png")),
        ("2=1.mp4", StageSpec("file", "2=1.mp4")),
        ("door=", StageSpec("file", "door=")),
    ],
)
def test_a_source_can_be_named(text: str, spec: StageSpec, cwd: Path) -> None:
    assert source(text) == spec


def test_a_file_with_an_equals_sign_in_its_name_is_meant(cwd: Path) -> None:
    (cwd / "a=b.mp4").write_bytes(b"")
    assert source("a=b.mp4") == StageSpec("file", "a=b.mp4")


def test_two_sources_never_have_one_name() -> None:
    with pytest.raises(ConfigError, match="two sources are called 'door'"):
        config(source=["door=0", "door=1"])
    assert len(config(source=["left=demo", "right=demo"]).source) == 2


def test_only_what_names_a_file_can_be_overwritten(cwd: Path) -> None:
    (cwd / "0").write_text("rows of last week")
    assert config(source="camera:0", sink="csv:0").sink == (StageSpec("csv", "0"),)
    with pytest.raises(ConfigError, match="would overwrite its own source"):
        config(source="file:0", sink="csv:0")
