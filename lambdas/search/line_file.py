"""The line file: whole lines appended by any number of threads and processes, within a bound."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

PARTS = 4  # the file itself, and `.1` to `.3` beside it, the oldest last


class LineFile:
    """A file that is opened for each line, so it may be moved away at any time. It and its older
    parts take at most `most_bytes`; the oldest part is removed for a new one."""

    def __init__(self, path: Path, most_bytes: int) -> None:
        """Raises OSError when the file cannot be written, or nothing be put beside it."""
        self._path = path
        self._part_bytes = most_bytes // PARTS
        if not os.access(path.absolute().parent, os.W_OK | os.X_OK):
            number = errno.EACCES if path.absolute().parent.is_dir() else errno.ENOENT
            raise OSError(number, f"{os.strerror(number)}, in its folder")
        with self._opened() as file:
            size = os.fstat(file).st_size
            self._torn = size > 0 and os.pread(file, 1, size - 1) != b"\n"

    def append(self, line: bytes) -> None:
        """Append a line, its end included, by one write. Raises OSError."""
        with self._opened() as file:
            if os.fstat(file).st_size + len(line) <= self._part_bytes:
                self._write(file, line)
                return
            self._make_room(file)
        with self._opened() as file:
            self._write(file, line)

    @contextmanager
    def _opened(self) -> Iterator[int]:
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        file = os.open(self._path, flags, 0o640)
        try:
            yield file
        finally:
            os.close(file)

    def _write(self, file: int, line: bytes) -> None:
        """What a full disk cut off costs no line but its own: the next one begins on a new line."""
        data = b"\n" + line if self._torn else line
        written = os.write(file, data)
        self._torn = written < len(data)
        if self._torn:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def _make_room(self, file: int) -> None:
        """Rename the parts, unless another process has done it since the file was opened."""
        fcntl.flock(file, fcntl.LOCK_EX)  # until it is closed
        if not os.path.samestat(os.fstat(file), self._path.stat()):
            return
        newest_first = [self._path, *older_parts(self._path)]
        for part, older in reversed(list(pairwise(newest_first))):
            if part.exists():
                part.replace(older)


def older_parts(path: Path) -> list[Path]:
    """Where a line file's older parts lie, the newest first, whether they exist or not."""
    return [path.with_name(f"{path.name}.{number}") for number in range(1, PARTS)]
