"""`current.json`: which model is live, which is a candidate, and where searches are pinned."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from lens.errors import NotFoundError
from lens.gallery import retention
from lens.storage import Storage
from lens.storage.documents import Document, Record, read_document, swap_document
from lens.storage.formats import Since

KEY = "current.json"


class Pin(Record):
    """Searches are held at this commit of this model."""

    model_id: str
    commit: int
    commit_id: str
    since: float  # seconds since the epoch


class Current(Document):
    """The one document that says what is searched."""

    live: str
    candidate: str | None = None
    pin: Pin | None = None
    previous: tuple[str, ...] = ()  # earlier live models, newest first
    # The pin shows what listings alone have removed since.
    undoes_deletions: Annotated[bool, Since(2, at_once=True)] = False

    @property
    def followed(self) -> tuple[str, ...]:
        """The models whose galleries follow the catalog."""
        return (self.live, self.candidate) if self.candidate else (self.live,)

    @property
    def retained(self) -> tuple[str, ...]:
        """The models whose galleries are kept, newest first: the live one, then earlier ones."""
        return (self.live, *self.previous[: retention.MODELS])


def read_current(storage: Storage) -> Current | None:
    """What is current, or None before the first model."""
    try:
        return read_document(storage, KEY, Current)[0]
    except NotFoundError:
        return None


def followed_models(storage: Storage) -> tuple[str, ...]:
    """The models whose galleries follow the catalog; none before the first model."""
    current = read_current(storage)
    return current.followed if current else ()


def swap_current(
    storage: Storage, change: Callable[[Current | None], Current | None]
) -> Current | None:
    """Change what is current; see `documents.swap_document`."""
    return swap_document(storage, KEY, Current, change)
