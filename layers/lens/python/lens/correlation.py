"""Correlation: the id of the request, upload or run that set off what is being done now."""

from __future__ import annotations

import logging
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

# Whoever sends a request may choose its id, and logs are read by people.
_ID = re.compile(r"[A-Za-z0-9_.+/=-]{1,64}")
_current: ContextVar[str] = ContextVar("lens.correlation", default="")


def current_id() -> str:
    """The id that belongs to what is being done here; empty where nothing set one."""
    return _current.get()


def new_id() -> str:
    """An id that nobody else has."""
    return secrets.token_hex(8)


def is_id(text: str) -> bool:
    """Whether this can be an id: a short word of plain signs."""
    return bool(_ID.fullmatch(text))


@contextmanager
def correlated(correlation_id: str) -> Iterator[None]:
    """What is done within the block belongs to this id."""
    token = _current.set(correlation_id)
    try:
        yield
    finally:
        _current.reset(token)


class Correlated(logging.Filter):
    """Gives each line of a log the id that it belongs to, as `correlation_id`."""

    def filter(self, record: logging.LogRecord) -> bool:
        """All lines pass."""
        record.correlation_id = current_id()
        return True
