"""The error tree.

    FerStreamError            one line: what was wrong, what was expected, what to do
    +- ConfigError            bad flag, TOML key, option or name              exit 2
    +- PluginError            a plugin failed to load, or a name is taken     exit 2
    +- ModelError             missing, corrupt, wrong shape, no labels        exit 2
    +- SourceError            cannot open; lost                               exit 1
    |  +- IncompleteError     read to its end, but not whole                  exit 1
    +- SinkError              cannot open or write                            exit 1
    +- StageError             a stage has a bug, or breaks its contract       exit 1
    StopStream                not an error: a sink asks to finish

Any other exception is a bug and shows its traceback.
"""


class FerStreamError(Exception):
    """Something a person can put right; the message is one line and says how."""

    exit_code = 1


class ConfigError(FerStreamError):
    """A flag, a TOML key, an option or a name is wrong."""

    exit_code = 2


class PluginError(FerStreamError):
    """A plugin that somebody asked for failed to load, or two plugins claim one name."""

    exit_code = 2


class ModelError(FerStreamError):
    """A model file is missing, corrupt, has the wrong shape or does not name its labels."""

    exit_code = 2


class SourceError(FerStreamError):
    """A source cannot be opened, was lost, or ended before its end."""


class IncompleteError(SourceError):
    """A recording was read to its end, and parts of it could not be: no second try gives more."""


class SinkError(FerStreamError):
    """A sink cannot be opened or written."""


class StageError(FerStreamError):
    """A stage has a bug, or answers what its contract does not allow; a sink's is a `SinkError`."""


class StopStream(Exception):  # noqa: N818 - a request, not an error
    """Raised by a sink to finish the run: what is under way is delivered, then all is closed."""
