"""Finds plugins, keeps what each provides and remembers what failed and why.

Every plugin is loaded in a `try` of its own: a broken one is listed with its error and stops
nothing, until somebody asks for what it would have provided.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any, TypeAlias

import pluggy

from fer_stream import builtins, hookspecs
from fer_stream.errors import ConfigError, FerStreamError, PluginError
from fer_stream.words import nearest

if TYPE_CHECKING:
    import click

    from fer_stream.stages import Stage

BUILTIN = "fer-stream"

_HOOK = "fer_register_"

Given: TypeAlias = "str | Path | type[Stage]"
"""A plugin that is not installed: the path of a Python file, or, in a program, a stage's class."""

_OF_OURS = {("sink", "mqtt"): "fer-stream-mqtt", ("sink", "mqtts"): "fer-stream-mqtt"}
"""Kinds and names of stages in packages of ours that need more than the core."""


@dataclass(frozen=True, slots=True)
class Provided:
    """One class and where it came from."""

    cls: type[Stage]
    plugin: str
    """The distribution, or the file given to `--plugin`."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A plugin that could not be loaded, or could not say what it provides."""

    plugin: str
    reason: str


class Plugins:
    """The plugins of one run: the built-ins, the installed ones and those that are given.

    Raises `PluginError` when one of `given` fails to load: somebody asked for it by name.
    """

    def __init__(self, given: Iterable[Given] = ()) -> None:
        self.failures: list[Failure] = []
        self._tables: dict[str, dict[str, list[Provided]]] = {}
        self._manager = pluggy.PluginManager(hookspecs.PROJECT)
        self._manager.add_hookspecs(hookspecs)
        self._manager.register(builtins, BUILTIN)
        for entry_point in entry_points(group=hookspecs.PROJECT):
            self._guarded(self._new_name(entry_point), entry_point.load)
        for name, load in dict(map(_loader, given)).items():  # what is given twice is one plugin
            before = len(self.failures)
            self._guarded(name, load)
            if len(self.failures) > before:
                raise PluginError(f"plugin {name}: {self.failures[-1].reason}")

    def _new_name(self, entry_point: EntryPoint) -> str:
        """Return the distribution's name; the second plugin of a distribution needs its own."""
        name = _label(entry_point)
        return f"{name} ({entry_point.name})" if self._manager.has_plugin(name) else name

    def _guarded(self, name: str, load: Callable[[], object]) -> None:
        plugin = None
        try:
            plugin = load()
            # Two entry points may name one module; the second adds nothing.
            if not self._manager.is_registered(plugin):
                _check_spelling(plugin)
                self._manager.register(plugin, name)
                self._manager.check_pending()
                self._check_hooks(plugin)
        except (Exception, SystemExit) as error:
            if self._manager.is_registered(plugin):
                self._manager.unregister(plugin)
            self.failures.append(Failure(name, _one_line(error)))

    def _check_hooks(self, plugin: object) -> None:
        if not self._manager.get_hookcallers(plugin):
            raise PluginError(
                "registers nothing; expected a function such as fer_register_sinks with @hookimpl "
                "above it"
            )

    def names(self) -> list[str]:
        """Return the names of all plugins that loaded, built-ins first."""
        return [name for name, _ in self._manager.list_name_plugin()]

    def table(self, kind: str) -> dict[str, list[Provided]]:
        """Return name to classes for one of `stages.STAGE_KINDS`; more than one is a conflict."""
        if kind not in self._tables:
            table: dict[str, list[Provided]] = {}
            for plugin, classes in self._call(f"fer_register_{kind}s"):
                for cls in self._checked(kind, plugin, classes):
                    table.setdefault(cls.name, []).append(Provided(cls, plugin))
            self._tables[kind] = table
        return self._tables[kind]

    def get(self, kind: str, name: str) -> type[Any]:
        """Return the class of that name.

        Raises `ConfigError` for an unknown name, listing the known ones, and `PluginError` when
        two plugins provide it.
        """
        found = self.table(kind).get(name, [])
        if len(found) == 1:
            return found[0].cls
        if found:
            owners = " and ".join(provided.plugin for provided in found)
            raise PluginError(f"{kind} '{name}' is provided by {owners}; uninstall or rename one")
        if package := _OF_OURS.get((kind, name)):
            raise ConfigError(
                f"{kind} '{name}' is a package of its own; install it with: pip install {package}"
                f"{self.failure_hint()}"
            )
        known = ", ".join(sorted(self.table(kind)))
        if urls := self._schemes(kind):
            known += f"; as URLs: {', '.join(f'{scheme}://' for scheme in sorted(urls))}"
        hint = nearest(name, self.table(kind))
        raise ConfigError(f"unknown {kind} '{name}'; {hint}known: {known}{self.failure_hint()}")

    def by_scheme(self, kind: str, scheme: str) -> str | None:
        """Return the name of the source or sink that answers to a URL scheme.

        Raises `PluginError` where several do.
        """
        names = self._schemes(kind).get(scheme, [])
        if len(names) > 1:
            raise PluginError(
                f"{self._claimed(kind, scheme, names)}; say which one is meant, such as "
                f"{names[0]}:{scheme}://..."
            )
        return names[0] if names else None

    def failure_hint(self) -> str:
        """Return, for the end of a message, which plugins failed: what is missing may be theirs."""
        if not self.failures:
            return ""
        failed = "; ".join(f"{f.plugin} failed to load ({f.reason})" for f in self.failures)
        return f"; {failed}"

    def _schemes(self, kind: str) -> dict[str, list[str]]:
        """Return the URL schemes that stages of a kind answer to, each with their names."""
        claims: dict[str, list[str]] = {}
        for name, found in sorted(self.table(kind).items()):
            for scheme in {s for provided in found for s in getattr(provided.cls, "schemes", ())}:
                claims.setdefault(scheme, []).append(name)
        return claims

    def _claimed(self, kind: str, scheme: str, names: list[str]) -> str:
        table = self.table(kind)
        owners = [f"'{name}' of {provided.plugin}" for name in names for provided in table[name]]
        return f"{scheme}:// is claimed by {kind} {' and '.join(owners)}"

    def commands(self) -> list[click.Command]:
        """Return the click commands that plugins add."""
        import click

        found = []
        for plugin, commands in self._call("fer_register_commands"):
            for command in commands:
                if isinstance(command, click.Command):
                    found.append(command)
                else:
                    self._remember(plugin, f"command {command!r} is not a click command")
        return found

    def conflicts(self) -> list[str]:
        """Return a line for each name and each URL scheme that is claimed more than once."""
        from fer_stream.stages import STAGE_KINDS

        names = [
            f"{kind} '{name}' is provided by {' and '.join(p.plugin for p in found)}"
            for kind in STAGE_KINDS
            for name, found in self.table(kind).items()
            if len(found) > 1
        ]
        schemes = [
            self._claimed(kind, scheme, claims)
            for kind in STAGE_KINDS
            for scheme, claims in self._schemes(kind).items()
            if len(claims) > 1
        ]
        return names + schemes

    def _call(self, hook: str) -> Iterable[tuple[str, Any]]:
        # One by one, not through the hook: a plugin that raises must not silence the others.
        for implementation in getattr(self._manager.hook, hook).get_hookimpls():
            name = implementation.plugin_name
            try:
                given = implementation.function()
                found = list(given) if isinstance(given, Iterable) else None
            except (Exception, SystemExit) as error:
                self._remember(name, f"{hook} failed: {_one_line(error)}")
                continue
            if found is None:
                self._remember(name, f"{hook} must return a list, got {given!r}")
            else:
                yield name, found

    def _checked(self, kind: str, plugin: str, classes: Iterable[Any]) -> Iterable[type[Stage]]:
        from fer_stream.spec import constructor_problem
        from fer_stream.stages import STAGE_KINDS

        contract = STAGE_KINDS[kind]
        for cls in classes:
            name = getattr(cls, "name", None)
            if not (isinstance(cls, type) and issubclass(cls, contract)):
                problem = f"is not a subclass of fer_stream.{contract.__name__}"
            elif not (isinstance(name, str) and name) or set(name) & set(":?/ "):
                problem = "needs a `name` without ':', '?', '/' or spaces"
            elif name != name.lower():
                problem = f"needs a `name` in lower case, got '{name}'"
            elif missing := getattr(cls, "__abstractmethods__", None):
                problem = f"does not define {', '.join(sorted(missing))}"
            elif unbuildable := constructor_problem(cls):
                problem = unbuildable
            else:
                yield cls
                continue
            self._remember(plugin, f"{kind} {getattr(cls, '__name__', cls)!s} {problem}")

    def _remember(self, plugin: str, reason: str) -> None:
        if Failure(plugin, reason) not in self.failures:
            self.failures.append(Failure(plugin, reason))


def with_given(given: Sequence[Given]) -> Plugins:
    """Return the installed plugins and those that are given; without any, found once."""
    return Plugins(given) if given else installed()


@cache
def installed() -> Plugins:
    """Return the plugins that need not be given, found once a process."""
    return Plugins()


def _label(entry_point: EntryPoint) -> str:
    dist = entry_point.dist
    return f"{dist.name} {dist.version}" if dist else f"{entry_point.name} ({entry_point.value})"


def _one_line(error: BaseException) -> str:
    ours = isinstance(error, FerStreamError)  # says by itself what is wrong
    lines = (str(error) if ours else f"{type(error).__name__}: {error}").split("\n")
    return " ".join(line.strip() for line in lines if line.strip())


def _loader(one: Given) -> tuple[str, Callable[[], object]]:
    """Return the name of a plugin that is given, and what loads it."""
    if isinstance(one, type):
        return f"{one.__module__}.{one.__qualname__}", partial(_of_class, one)
    if isinstance(one, str | Path):
        return str(one), partial(_load_file, Path(one))
    raise PluginError(f"plugin must be the path of a Python file or a stage's class, got {one!r}")


def _of_class(cls: type[Any]) -> object:
    """Return a plugin that registers one stage."""
    from fer_stream.stages import STAGE_KINDS

    for kind, contract in STAGE_KINDS.items():
        if issubclass(cls, contract):
            return SimpleNamespace(**{f"fer_register_{kind}s": hookspecs.hookimpl(lambda: [cls])})
    contracts = ", ".join(contract.__name__ for contract in STAGE_KINDS.values())
    raise PluginError(f"is no stage; expected a subclass of one of fer_stream's: {contracts}")


def _check_spelling(plugin: object) -> None:
    """Raise `PluginError` for a hook that does not exist."""
    known = [name for name in vars(hookspecs) if name.startswith(_HOOK)]
    for name in dir(plugin):
        if name.startswith(_HOOK) and name not in known:
            hint = nearest(name, known)
            raise PluginError(f"unknown hook '{name}'; {hint}known: {', '.join(known)}")


def _load_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise PluginError("no such file; give the path of a Python file")
    name = f"fer_stream_plugin_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise PluginError("is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and pickle look a class's module up there
    spec.loader.exec_module(module)
    return module
