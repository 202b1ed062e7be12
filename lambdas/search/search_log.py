"""The search log: writes what people look for, where the owner wants that; off by default."""

from __future__ import annotations

import logging
import secrets
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from lambdas.search.line_file import LineFile
from lambdas.search.search_lines import ClickLine, Kind, SearchLine, written
from lens.errors import NotFoundError, UsageError
from lens.measures import Measure, tell
from lens.search.results import Results
from lens.settings import Settings, variable

log = logging.getLogger(__name__)

STANDARD_OUTPUT = "-"  # on Lambda, what is written there is in the function's log
_FIRST_ITEMS = 5
_LONGEST_CATEGORY = 200  # whoever sends a request writes it

State = Literal["off", "on", "failing"]


class SearchLog:
    """Safe between threads. A line that cannot be written is lost, logged and counted; it fails
    nothing."""

    def __init__(self, append: Callable[[bytes], None] | None) -> None:
        """`append` takes a line with its end and may raise OSError; None: nothing is written."""
        self._append = append
        self._lock = threading.Lock()
        self._trouble = False
        self.lost = 0  # lines, since the start

    @property
    def state(self) -> State:
        """Whether it is written, and whether the newest line was."""
        if self._append is None:
            return "off"
        return "failing" if self._trouble else "on"

    def searched(
        self, kind: Kind, results: Results, category: str | None = None, group: str = "item"
    ) -> str | None:
        """Count a search that was answered, and write it. Its random id, by which clicks name it;
        None where nothing is written."""
        tell(Measure.MATCHES, 1, results.match or "unjudged")
        if self._append is None:
            return None
        search_id = secrets.token_urlsafe(12)
        items = dict.fromkeys(hit.item_id for hit in results.hits)
        self._write(
            SearchLine(
                time=_now(),
                search_id=search_id,
                kind=kind,
                category=category[:_LONGEST_CATEGORY] if category else None,
                group=group,
                match=results.match,
                match_probability=results.match_probability,
                hits=len(results.hits),
                items=tuple(items)[:_FIRST_ITEMS],
            )
        )
        return search_id

    def clicked(self, search_id: str, item_id: str, rank: int) -> None:
        """Write that a product was clicked. NotFoundError where nothing is written."""
        if self._append is None:
            raise NotFoundError(f"clicks are not kept here: {variable('search_log')} is off")
        self._write(ClickLine(time=_now(), search_id=search_id, item_id=item_id, rank=rank))

    def _write(self, line: SearchLine | ClickLine) -> None:
        if self._append is None:
            return
        with self._lock:
            try:
                self._append(written(line))
            except OSError as error:
                self.lost += 1
                if not self._trouble:  # once, not for each search
                    log.error("the search log loses lines: %s", error.strerror or error)
                self._trouble = True
                return
            if self._trouble:
                log.warning("the search log is written again; lost so far: %d lines", self.lost)
            self._trouble = False


def search_log(settings: Settings) -> SearchLog:
    """The log that the settings ask for. UsageError when its file cannot be written."""
    target = settings.search_log
    if not target:
        return SearchLog(None)
    if target == STANDARD_OUTPUT:
        return SearchLog(_print)
    try:
        return SearchLog(LineFile(Path(target), settings.search_log_bytes).append)
    except OSError as error:
        raise UsageError(
            f"{variable('search_log')}={target!r}: {error.strerror}; name a file in a folder that "
            f"this process may write, or {STANDARD_OUTPUT} for standard output"
        ) from error


def _print(line: bytes) -> None:
    sys.stdout.write(line.decode())
    sys.stdout.flush()


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)  # so exact that no other log can be joined
