"""A file of whole lines: each write is one system call, so that a kill tears at most the last."""

from __future__ import annotations

import errno
import os
import select
import stat
import sys

from fer_stream.errors import SinkError, StopStream


class LineFile:
    """An unbuffered text file, or standard output for `-`.

    What an old file holds is kept until the first write: a run that does not start costs nobody
    anything.

    Args:
        name: The sink's name, for messages.
        target: A path, or `-`.
        append: Keep the file's whole lines, and drop a last one that a kill has torn.
        header: The line that begins the file.

    Raises:
        SinkError: The file cannot be opened, or begins otherwise; it is as it was then.
    """

    def __init__(self, name: str, target: str, *, append: bool = False, header: str = "") -> None:
        self._name = name
        self._target = target
        self._keep = target == "-"
        self._shown = "standard output" if self._keep else target
        self._header = header
        try:
            self._descriptor = _standard_output() if self._keep else _opened(target)
        except OSError as error:
            raise self._cannot_open(error) from None
        try:
            is_old = not self._keep and os.lseek(self._descriptor, 0, os.SEEK_END) > 0
            # Whether what the file holds was written by this run, or is to be kept.
            self.begun = append or not is_old
            if self.begun and not (self._keep and append):
                self._begin(header)
        except OSError as error:
            self.close()
            raise self._cannot_open(error) from None
        except (SinkError, StopStream):
            self.close()
            raise

    def _begin(self, header: str) -> None:
        if not self._keep:
            self._check(header)  # before anything is cut
        if self._keep or self._cut_torn_line() == 0:
            self._put(header)

    def _check(self, header: str) -> None:
        """Raise `SinkError` for a file that begins with another line, whole or torn."""
        if not stat.S_ISREG(os.fstat(self._descriptor).st_mode):
            return  # what a device gives to read was not written to it
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        found, end, _ = os.read(self._descriptor, 65536).partition(b"\n")
        expected = header.encode().rstrip()
        if header and (found.rstrip() != expected if end else not expected.startswith(found)):
            shown = " ".join(found[:60].decode(errors="replace").split())
            raise SinkError(
                f"{self._name} cannot append to {self._target}: its first line is '{shown}...', "
                "expected this model's columns; give another file"
            )

    def _cannot_open(self, error: OSError) -> SinkError:
        if error.errno == errno.ESPIPE:
            return SinkError(
                f"{self._name} cannot write {self._target}: it is a pipe, where no torn line can "
                f"be taken back; write to standard output instead: {self._name}:-"
            )
        if self._keep:
            return SinkError(
                f"{self._name} cannot write standard output: {error.strerror}; give a file instead"
            )
        return SinkError(
            f"{self._name} cannot write {self._target}: {error.strerror}; give a file in a folder "
            "that exists and may be written to"
        )

    def write(self, lines: str) -> None:
        """Write whole lines; raises `SinkError`, leaving no torn line, or `StopStream`.

        A reader of standard output that has seen enough (`| head`) ends the run.
        """
        if self._is_emptied() or not self.begun:
            lines = self._header + lines
        self._put(lines)

    def _is_emptied(self) -> bool:
        """Whether somebody has moved the rows away meanwhile: the next ones need a header, too.

        A file that was removed is made anew, for what is written to it is lost.
        """
        if self._keep:
            return False
        found = os.fstat(self._descriptor)
        if not stat.S_ISREG(found.st_mode):
            return False
        if found.st_nlink == 0:
            self._open_again()
            found = os.fstat(self._descriptor)
        return found.st_size == 0

    def _open_again(self) -> None:
        try:
            descriptor = _opened(self._target)
        except OSError as error:
            raise self._cannot_open(error) from None
        os.close(self._descriptor)
        self._descriptor = descriptor

    def _put(self, lines: str) -> None:
        # A file name that is not Unicode must not end the run.
        data = lines.encode(errors="backslashreplace")
        done = 0
        try:
            if not self.begun:
                os.ftruncate(self._descriptor, 0)
                self.begun = True
            while done < len(data):
                done += _written(self._descriptor, data[done:])
        except BrokenPipeError:
            raise StopStream from None
        except OSError as error:
            self._take_back(done)
            raise SinkError(
                f"{self._name} cannot write {self._shown}: {error.strerror}; "
                "what was written before is whole"
            ) from None

    def _take_back(self, count: int) -> None:
        """Cut off the bytes that a full disk took of the last write."""
        found = os.fstat(self._descriptor)
        if not count or not stat.S_ISREG(found.st_mode):
            return
        # What standard output is led into may have another's lines behind ours.
        if os.lseek(self._descriptor, 0, os.SEEK_CUR) == found.st_size:
            os.ftruncate(self._descriptor, found.st_size - count)
            os.lseek(self._descriptor, 0, os.SEEK_END)

    def close(self) -> None:
        """Close the file; standard output stays open."""
        if not self._keep:
            os.close(self._descriptor)

    def _cut_torn_line(self) -> int:
        """Cut the file behind its last line end, and return its size in bytes."""
        size = os.lseek(self._descriptor, 0, os.SEEK_END)
        end = size
        while end > 0:
            start = max(end - 65536, 0)
            os.lseek(self._descriptor, start, os.SEEK_SET)
            chunk = os.read(self._descriptor, end - start)
            if (found := chunk.rfind(b"\n")) >= 0:
                end = start + found + 1
                break
            end = start
        if end < size:
            os.ftruncate(self._descriptor, end)
        return end


def _opened(target: str) -> int:
    # Written at its end even if somebody empties it meanwhile, to move its rows away.
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)
    return os.open(target, flags, 0o666)


def _standard_output() -> int:
    if sys.stdout is None:  # closed before the program began
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))
    sys.stdout.flush()
    return sys.stdout.fileno()


def _written(descriptor: int, data: bytes) -> int:
    """Write a part of the data at least, and return how many bytes that were."""
    while True:
        try:
            return os.write(descriptor, data)
        except BlockingIOError:  # a pipe of a program that never waits itself
            select.select([], [descriptor], [])
