"""Reading: the lines of search logs, by time, however long the logs are."""

from __future__ import annotations

import heapq
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from lambdas.search.line_file import older_parts
from lambdas.search.search_lines import ClickLine, SearchLine, read_line
from lens.errors import UsageError

STANDARD_INPUT = "-"
_LONGEST = 64 * 1024  # bytes; no line that was written is longer


class Lines:
    """Lines of several logs; `unreadable` counts, once they are read, those that are none."""

    def __init__(self, logs: Sequence[Iterable[bytes | str]], since: datetime | None = None):
        self._logs = logs
        self._since = since
        self.unreadable = 0

    def __iter__(self) -> Iterator[SearchLine | ClickLine]:
        """In the order of time, as far as each log has that order; none from before `since`."""
        return heapq.merge(*map(self._readable, self._logs), key=lambda line: line.time)

    def _readable(self, log: Iterable[bytes | str]) -> Iterator[SearchLine | ClickLine]:
        for data in log:
            if not data.strip():
                continue
            try:
                line = read_line(data)
            except ValueError:  # cut off by a full disk, or another program's
                self.unreadable += 1
                continue
            if self._since is None or line.time >= self._since:
                yield line


def open_logs(names: Sequence[str], opened: ExitStack) -> list[Iterator[bytes]]:
    """The lines of these files and of their older parts, each file once; `-` is standard input.

    The files are open until `opened` is closed. Raises UsageError when one cannot be read.
    """
    logs = [_lines(sys.stdin.buffer)] if STANDARD_INPUT in names else []
    paths: dict[Path, None] = {}
    for path in (Path(name) for name in names if name != STANDARD_INPUT):
        older = [part for part in reversed(older_parts(path)) if part.exists()]
        paths.update((part.resolve(), None) for part in older)
        if path.exists() or not older:
            paths[path.resolve()] = None
    for path in paths:
        try:
            logs.append(_lines(opened.enter_context(path.open("rb"))))
        except OSError as error:
            raise UsageError(f"cannot read the search log {path}: {error.strerror}") from error
    return logs


def _lines(file: BinaryIO) -> Iterator[bytes]:
    """Of a line that is too long to be one, only its beginning; it takes no more memory."""
    while line := file.readline(_LONGEST):
        yield line
        while len(line) == _LONGEST and not line.endswith(b"\n"):
            line = file.readline(_LONGEST)
