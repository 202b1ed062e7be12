"""Condemned: the keys that a collector is about to remove, so that no commit names them any more.

A collector condemns first, then makes every swap that has begun fail, then looks once more at what
is reached, and removes the rest. A writer reads the head first, then what is condemned, then
whether its parts exist. So whoever read the head before fails, and whoever read it after knows: no
clock has a part in it, and a writer may sleep wherever it likes.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

from lens.errors import NotFoundError
from lens.storage import Storage
from lens.storage.documents import Document, read_document, swap_document

KEY = "condemned.json"


class Condemned(Document):
    """What is about to be removed, by key; empty while nothing is."""

    keys: tuple[str, ...] = ()


def read_condemned(storage: Storage) -> frozenset[str]:
    """What is about to be removed, or was when a collector was stopped."""
    try:
        return frozenset(read_document(storage, KEY, Condemned)[0].keys)
    except NotFoundError:
        return frozenset()


def condemn(storage: Storage, keys: Iterable[str]) -> None:
    """Let no commit name these keys from now on."""
    _change(storage, lambda known: known.union(keys))


def forget(storage: Storage, keys: Collection[str]) -> None:
    """These keys are removed, or stay after all."""
    _change(storage, lambda known: known.difference(keys))


def may_be_named(storage: Storage, keys: Collection[str]) -> bool:
    """Whether all of these exist and none is condemned. To be asked after the document was read
    that is to name them, in each attempt to swap it."""
    # In this order: what is removed is forgotten only after it is gone.
    if not read_condemned(storage).isdisjoint(keys):
        return False
    return all(storage.head(key) is not None for key in keys)


def _change(storage: Storage, change: Callable[[frozenset[str]], frozenset[str]]) -> None:
    def swap(old: Condemned | None) -> Condemned | None:
        known = frozenset(old.keys) if old else frozenset()
        new = change(known)
        return None if new == known else Condemned(keys=tuple(sorted(new)))

    swap_document(storage, KEY, Condemned, swap)
