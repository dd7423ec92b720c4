"""`fer_stream.stream` and what `import fer_stream` offers."""

from __future__ import annotations

import ast
import csv
import gc
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import pytest

import fer_stream
from fer_stream import EmotionScores, Frame, FrameResult, StreamInfo
from fer_stream.classifiers.onnx import OnnxClassifier
from fer_stream.detectors.onnx import OnnxDetector
from fer_stream.errors import ConfigError, ModelError, PluginError, SinkError, SourceError
from fer_stream.sources.file import FileSource
from fer_stream.stages import Stage
from tests.clips import Image, cut, write_clip
from tests.programs import environment

pytestmark = pytest.mark.timeout(60)
ABSENT = "http://127.0.0.1:9/absent"
"""A camera that is not there, and is waited for."""
HEAVY = ("cv2", "onnxruntime", "numpy", "av", "rich")


def open_descriptors(of: Path) -> int:
    """Return how often our process holds a file open."""
    links = Path("/proc/self/fd").iterdir()
    return sum(1 for link in links if link.exists() and link.resolve() == of.resolve())


linux = pytest.mark.skipif(sys.platform != "linux", reason="counts open files in /proc")


def test_a_film_gives_a_result_per_frame_with_faces_and_scores(face_clip: Path) -> None:
    results = list(fer_stream.stream(face_clip))
    assert [r.frame.index for r in results] == list(range(40))
    assert [r.frame.time_s for r in results] == pytest.approx([i / 25 for i in range(40)])
    faces = [face for result in results for face in result.faces]
    assert len(faces) >= 36
    assert {face.track_id for face in faces} == {1}
    assert {face.scores.top for face in faces} == {"happy"}
    assert all(0.0 < face.scores.top_score <= 1.0 for face in faces)
    assert results[-1].frame.image.shape == (240, 320, 3)


def test_two_runs_give_the_same(face_clip: Path) -> None:
    def run() -> list[tuple[object, ...]]:
        return [
            (r.frame.index, face.box, face.track_id, face.scores.probabilities.tobytes())
            for r in fer_stream.stream(face_clip)
            for face in r.faces
        ]

    assert run() == run()


def test_several_sources_each_in_order(face_clip: Path, tmp_path: Path) -> None:
    other = write_clip(tmp_path / "grey.mp4", [np.full((64, 64, 3), 90, np.uint8)] * 30)
    results = list(fer_stream.stream([face_clip, str(other)]))
    for path, count in ((face_clip, 40), (other, 30)):
        own = [r.frame.index for r in results if r.frame.info.source_id == str(path)]
        assert own == list(range(count))


def test_sinks_take_the_results_too(face_clip: Path, tmp_path: Path) -> None:
    table = tmp_path / "out.csv"
    results = list(fer_stream.stream(face_clip, sink=f"csv:{table}"))
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["frame"]) for row in rows] == [r.frame.index for r in results if r.faces]


def test_a_caller_who_waits_loses_nothing(face_clip: Path) -> None:
    results = fer_stream.stream(face_clip)
    first = next(results)
    gc.collect()
    assert [first.frame.index, *(r.frame.index for r in results)] == list(range(40))


@linux
@pytest.mark.parametrize("taken", [0, 1, 20])
def test_closing_early_releases_the_file_and_the_threads(face_clip: Path, taken: int) -> None:
    before = set(threading.enumerate())
    results = fer_stream.stream(face_clip)
    assert open_descriptors(face_clip) == 1
    for _ in range(taken):
        next(results)
    results.close()
    assert open_descriptors(face_clip) == 0
    assert set(threading.enumerate()) == before


@linux
def test_leaving_the_loop_releases_the_file_and_the_threads(face_clip: Path) -> None:
    before = set(threading.enumerate())
    for result in fer_stream.stream(face_clip):
        if result.frame.index == 3:
            break
    del result
    gc.collect()
    assert open_descriptors(face_clip) == 0
    assert set(threading.enumerate()) == before


@linux
def test_many_runs_leave_no_file_open(face_clip: Path) -> None:
    for number in range(9):
        results = fer_stream.stream(face_clip)
        next(results)
        results.close()
        if number == 0:  # what is loaded once stays
            before = len(list(Path("/proc/self/fd").iterdir()))
    assert len(list(Path("/proc/self/fd").iterdir())) == before


@pytest.mark.parametrize("source", ["demo", ABSENT])
def test_another_thread_may_close_a_run_that_is_waited_for(source: str) -> None:
    before = set(threading.enumerate())
    results = fer_stream.stream(source)
    taken: list[int] = []
    taker = threading.Thread(target=lambda: taken.extend(r.frame.index for r in results))
    taker.start()
    results.close()
    taker.join(20)
    assert taken == list(range(len(taken)))
    assert set(threading.enumerate()) == before
    assert next(results, None) is None


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs a signal that comes by itself")
def test_a_signals_handler_may_close_the_run_that_it_interrupts() -> None:
    results = fer_stream.stream(ABSENT)
    before = signal.signal(signal.SIGALRM, lambda *_: results.close())
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        assert list(results) == []
    finally:
        signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize(
    "ending",
    [
        "next(results)",
        "next(results); raise SystemExit(0)",
        "next(results); threading.Thread(target=list, args=[results], daemon=True).start()",
    ],
)
def test_a_program_may_end_while_a_run_goes_on(ending: str, tmp_path: Path) -> None:
    # Python's end under our threads would abort the program.
    table = tmp_path / "out.csv"
    code = f"import fer_stream, threading; results = fer_stream.stream('demo', sink='csv:{table}')"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{ending}"], capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr, done.stdout) == (0, "", "")
    assert table.read_text().endswith("\n")


def test_a_cut_film_gives_its_frames_and_then_the_error(
    moving_face: list[Image], tmp_path: Path
) -> None:
    film = cut(write_clip(tmp_path / "cut.mkv", moving_face), 0.6)
    seen: list[int] = []
    # extend takes what there is before it passes on the error.
    with pytest.raises(SourceError, match="incomplete"):
        seen.extend(result.frame.index for result in fer_stream.stream(film))
    assert seen == list(range(len(seen)))
    assert 10 < len(seen) < 40


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        ({"source": "nosuch.mp4"}, SourceError, "no such file: nosuch.mp4"),
        ({"source": []}, ConfigError, "no source"),
        ({"source": None}, ConfigError, "source must be text or a table, got None"),
        ({"source": {"demo"}}, ConfigError, "source must be text or a table, got {'demo'}"),
        ({"source": np.eye(2)}, ConfigError, r"got array\(\[\[1., 0.\], \[0., 1.\]\]\)$"),
        ({"source": "demo", "sink": "nosuch"}, ConfigError, "unknown sink 'nosuch'"),
        ({"source": "demo", "sink": Path("a.csv")}, ConfigError, "write csv:a.csv"),
        ({"source": "demo", "detector": "nosuch"}, ConfigError, "unknown detector 'nosuch'"),
        ({"source": "demo", "tracker": "nosuch"}, ConfigError, "unknown tracker"),
        ({"source": "demo", "filter": "nosuch"}, ConfigError, "unknown filter"),
        ({"source": "demo", "filter": "smooth?time=x"}, ConfigError, "must be a number"),
        ({"source": "demo", "detect_every": 0}, ConfigError, "detect_every must be at least 1"),
        ({"source": "demo", "detect_size": 8}, ConfigError, "detect_size must be at least 32"),
        ({"source": "demo", "analyse_fps": -1}, ConfigError, "analyse_fps must be above 0"),
        ({"source": "demo", "model": "nosuch.onnx"}, ModelError, "no such model"),
        ({"source": "demo", "plugin": ["nosuch.py"]}, PluginError, "no such file"),
    ],
)
def test_a_wrong_argument_raises_at_once(
    arguments: dict[str, object], error: type[Exception], says: str
) -> None:
    before = set(threading.enumerate())
    with pytest.raises(error, match=says):
        fer_stream.stream(**arguments)  # type: ignore[arg-type]
    assert set(threading.enumerate()) == before


def test_everything_promised_can_be_had() -> None:
    for name in fer_stream.__all__:
        assert getattr(fer_stream, name) is not None
    assert set(fer_stream.__all__) <= set(dir(fer_stream))
    assert isinstance(fer_stream.__version__, str)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'fer_stream' has no attribute 'nosuch'"):
        _ = fer_stream.nosuch
    with pytest.raises(ImportError):
        from fer_stream import nosuch  # noqa: F401


def loaded(code: str) -> set[str]:
    """Return which heavy modules a new Python has loaded after `code`."""
    # At exit, since a command line ends its program itself.
    report = f"lambda: print([m for m in {HEAVY!r} if m in sys.modules], file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", f"import atexit, sys\natexit.register({report})\n{code}"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return set(ast.literal_eval(done.stderr.splitlines()[-1]))


def test_importing_fer_stream_loads_nothing_heavy() -> None:
    assert loaded("import fer_stream") == set()


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["run", "--help"]])
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    code = f"sys.argv = ['fer-stream', *{arguments!r}]\n"
    assert loaded(code + "from fer_stream.cli import main\nmain()") == set()


def test_the_probe_for_heavy_modules_sees_them() -> None:
    assert "numpy" in loaded("import fer_stream; fer_stream.Frame")


def test_a_run_leaves_nothing_in_the_home_folder(tmp_path: Path) -> None:
    # ONNX Runtime 1.32 keeps there who it is, for the reports that it sends.
    code = "import fer_stream; print(sum(1 for _ in fer_stream.stream('demo?seconds=0.2')))"
    unset = {"XDG_CACHE_HOME": None, "ORT_DISABLE_TELEMETRY": None}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment(HOME=str(tmp_path), **unset),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "5\n"
    assert list(tmp_path.rglob("*")) == []


def test_a_source_may_be_text_a_number_a_path_or_a_table() -> None:
    (first,) = fer_stream.stream({"use": "demo", "seconds": 0.04})
    assert first.frame.info.source_id == "demo"
    with pytest.raises(SourceError, match="camera 99"):
        fer_stream.stream(99, mode="file")
    with pytest.raises(SourceError, match="camera 98"):
        fer_stream.stream(np.int64(98), mode="file")


def test_every_stage_may_be_a_table(tmp_path: Path) -> None:
    table = tmp_path / "out.csv"
    results = fer_stream.stream(
        {"use": "demo", "seconds": 0.04},
        sink=[{"use": "csv", "target": str(table), "every_frame": True}],
        detector={"use": "onnx", "threshold": 0.5},
        tracker={"use": "none"},
        filter={"use": "smooth", "time": 0.5},
        classifier={"use": "onnx"},
    )
    assert len(list(results)) == 1
    assert len(table.read_text().splitlines()) == 2


def test_a_plugin_may_be_one_path(tmp_path: Path) -> None:
    (tmp_path / "shown.py").write_text(WINDOW)
    results = fer_stream.stream("demo?seconds=0.4", plugin=tmp_path / "shown.py", sink="window")
    assert len(list(results)) == 10
    assert (tmp_path / "shown").read_text() == "MainThread" * 10, "its window is served"


class Memory(fer_stream.Source):
    name = "memory"

    def __init__(self, target: str = "", *, frames: int = 3) -> None:
        super().__init__(target)
        self._count = frames

    def open(self) -> StreamInfo:
        self._info = StreamInfo("memory", 64, 48)
        return self._info

    def frames(self) -> Iterator[Frame]:
        for index in range(self._count):
            grey = np.full((48, 64), 90, np.uint8)
            yield fer_stream.new_frame(grey, index, index / 25, self._info)


class Kept(fer_stream.Sink):
    name = "kept"
    results: ClassVar[list[FrameResult]] = []

    def write(self, result: FrameResult) -> None:
        self.results.append(result)


def test_a_program_may_plug_in_its_own_classes(tmp_path: Path) -> None:
    Kept.results.clear()
    (tmp_path / "shown.py").write_text(WINDOW)
    given: list[Path | type[Stage]] = [Memory, Kept, Memory, tmp_path / "shown.py"]
    results = fer_stream.stream("memory?frames=4", sink=["kept", "window"], plugin=given)
    assert [result.frame.index for result in results] == [0, 1, 2, 3]
    assert len(Kept.results) == 4
    assert len(list(fer_stream.stream("memory", plugin=Memory))) == 3
    with pytest.raises(ConfigError, match="unknown sink 'kept'"):
        fer_stream.stream("memory", sink="kept", plugin=Memory)


class Nameless(fer_stream.Sink):
    def write(self, result: FrameResult) -> None:
        """Do nothing."""


class MyDemo(Memory):
    name = "demo"


@pytest.mark.parametrize(
    ("plugin", "error", "says"),
    [
        (dict, PluginError, "plugin builtins.dict: is no stage; expected a subclass of one of"),
        (Memory(), PluginError, "path of a Python file or a stage's class, got <.*Memory object"),
        (Nameless, ConfigError, "unknown sink 'nameless'.*Nameless needs a `name`"),
        (MyDemo, PluginError, "'demo' is provided by fer-stream and tests.test_api.MyDemo"),
    ],
)
def test_what_cannot_be_plugged_in_is_named(plugin: Any, error: type[Exception], says: str) -> None:
    sink = ["nameless"] if plugin is Nameless else []
    with pytest.raises(error, match=says):
        fer_stream.stream("demo", sink=sink, plugin=plugin)


WINDOW = """
import pathlib, threading
from fer_stream import Sink, hookimpl
class Window(Sink):
    name = "window"
    main_thread = True
    def write(self, result):
        with pathlib.Path(__file__).with_name("shown").open("a") as file:
            file.write(threading.current_thread().name)
@hookimpl
def fer_register_sinks():
    return [Window]
"""


def test_a_run_that_has_ended_holds_no_model_and_no_decoder(face_clip: Path) -> None:
    heavy = (OnnxDetector, OnnxClassifier, FileSource)
    gc.collect()
    gc.disable()  # what goes only when Python looks for cycles comes to a gigabyte in many runs
    try:
        results = fer_stream.stream(face_clip)
        for result in results:
            assert result.faces or result.frame.index
        held = [type(one) for one in gc.get_objects() if isinstance(one, heavy)]
    finally:
        gc.enable()
    assert held == []


class Fixed(fer_stream.Classifier):
    name, labels, input_size = "fixed", ("a", "b"), (8, 8)

    def classify(self, crops: npt.NDArray[np.uint8]) -> list[EmotionScores]:
        one = np.array([0.25, 0.75], np.float32)
        return [EmotionScores(self.labels, one) for _ in crops]


def test_a_plugins_classifier_reads_the_faces(face_clip: Path) -> None:
    results = fer_stream.stream(face_clip, classifier="fixed", plugin=Fixed)
    assert {face.scores.top for result in results for face in result.faces} == {"b"}
    with pytest.raises(ConfigError, match="either model or classifier"):
        fer_stream.stream(face_clip, classifier="fixed", model="a.onnx", plugin=Fixed)


class Broken(fer_stream.Sink):
    name = "broken"

    def write(self, result: FrameResult) -> None:
        raise OSError("disk full")


def test_a_sinks_error_need_not_end_a_run_over_files(face_clip: Path) -> None:
    seen: list[FrameResult] = []
    results = fer_stream.stream(face_clip, sink="broken", on_sink_error="continue", plugin=Broken)
    with pytest.raises(SinkError, match="disk full"):
        list(map(seen.append, results))
    assert len(seen) == 40
