"""Where the program `fer-stream` begins, which is `python -m fer_stream` too."""

from __future__ import annotations

import sys

_INTERRUPTED = 130  # as a shell says it


def main() -> None:
    """Run the command line; Ctrl-C while it is loaded says nothing."""
    try:
        from fer_stream.cli import main as run_command_line
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)
    run_command_line()


if __name__ == "__main__":
    main()
