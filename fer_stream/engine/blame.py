"""Calling stages: what one does wrong is said with its name."""

from __future__ import annotations

import logging
from types import TracebackType

from fer_stream.errors import FerStreamError, StageError
from fer_stream.stages import STAGE_KINDS, Stage
from fer_stream.types import Frame
from fer_stream.urls import without_password

logger = logging.getLogger("fer_stream")


class Blamed:
    """A block that calls a stage: an exception in it becomes a `StageError` that names the stage.

    A `FerStreamError` stays as it is: it says by itself what is wrong.

    Args:
        stage: Whose method is called.
        where: When, for the message, such as "at frame 3".
    """

    __slots__ = ("_stage", "_where")

    def __init__(self, stage: Stage, where: str) -> None:
        self._stage = stage
        self._where = where

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # A thread that "exits" or is "cancelled" would just vanish.
        if error is not None and not isinstance(error, FerStreamError | KeyboardInterrupt):
            raise stage_error(named(self._stage), f"failed {self._where}", error) from error


def stage_error(who: str, how: str, error: BaseException) -> StageError:
    """Return what a person reads of an error that is not ours; a bug is shown with its place."""
    log_bug(who, error)
    return StageError(f"{who} {how}: {reason(error)}")


def refuse(stage: Stage, where: str, problem: str | None) -> None:
    """Raise `StageError` if a stage has broken its contract."""
    if problem is not None:
        raise StageError(f"{named(stage)} broke its contract {where}: {problem}")


def at(frame: Frame) -> str:
    """Return when something went wrong, for the message."""
    return f"at frame {frame.index}"


def named(stage: Stage) -> str:
    """Return what a person calls a stage: "sink 'csv'"."""
    kind = next(kind for kind, contract in STAGE_KINDS.items() if isinstance(stage, contract))
    return f"{kind} '{stage.name}'"


def log_bug(who: str, error: BaseException) -> None:
    """Show where an error comes from, unless it is the world's: a full disk is no bug."""
    if not isinstance(error, FerStreamError | OSError):
        logger.error("%s has a bug:", who, exc_info=error)


def reason(error: BaseException) -> str:
    """Return why, in one line, without a password."""
    said = f"{type(error).__name__}: {error}"
    if isinstance(error, OSError) and error.strerror:
        said = f"{error.strerror} ({error.filename})" if error.filename else error.strerror
    return without_password(" ".join(said.split()))
