"""`current.json`: which model is live, which is a candidate, and where searches are pinned."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from lens.errors import MissingError, NotFoundError
from lens.gallery import retention
from lens.gallery.commits import headed_models
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
    """What is current, or None before the first model.

    DamagedError when it is damaged, MissingError when it is lost: nobody may then take the
    artifacts for new ones, or the galleries for garbage.
    """
    try:
        return read_document(storage, KEY, Current)[0]
    except NotFoundError:
        if not _refuse_lost(storage):
            return None
    return read_current(storage)  # it has come meanwhile


def followed_models(storage: Storage) -> tuple[str, ...]:
    """The models whose galleries follow the catalog; none before the first model."""
    current = read_current(storage)
    return current.followed if current else ()


def swap_current(
    storage: Storage, change: Callable[[Current | None], Current | None]
) -> Current | None:
    """Change what is current; see `documents.swap_document`. Raises as `read_current` does."""

    def changed(current: Current | None) -> Current | None:
        if current is None:
            _refuse_lost(storage)
        return change(current)

    return swap_document(storage, KEY, Current, changed)


def _refuse_lost(storage: Storage) -> bool:
    """MissingError when there is a gallery but no `current.json`, which comes before it; whether
    that has come meanwhile."""
    begun = bool(headed_models(storage))
    if begun and storage.head(KEY) is None:
        raise MissingError(KEY)
    return begun
