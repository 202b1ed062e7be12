"""Removals: how many photos `lens sync --delete` has removed from a catalog within a day."""

from __future__ import annotations

from lens.errors import NotFoundError
from lens.pipeline.disappearance import WINDOW
from lens.storage import Storage
from lens.storage.documents import Document, Record, read_document, swap_document

KEY = "removals.json"
_MOST = 48


class _Removal(Record):
    """Photos removed at one time."""

    at: float  # seconds since the epoch
    photos: int


class _Removals(Document):
    """The oldest first."""

    removals: tuple[_Removal, ...] = ()


def removed_since(kept: Storage, since: float) -> int:
    """Photos removed since then."""
    try:
        removals = read_document(kept, KEY, _Removals)[0].removals
    except NotFoundError:
        return 0
    return sum(each.photos for each in removals if each.at >= since)


def note_removal(kept: Storage, photos: int, at: float) -> None:
    """Write down a removal, before it is done; two of the last of many are counted as one."""

    def add(old: _Removals | None) -> _Removals:
        recent = [each for each in (old.removals if old else ()) if each.at >= at - WINDOW]
        if len(recent) >= _MOST:
            first, second, *rest = recent
            merged = _Removal(at=second.at, photos=first.photos + second.photos)
            recent = [merged, *rest]
        return _Removals(removals=(*recent, _Removal(at=at, photos=photos)))

    swap_document(kept, KEY, _Removals, add)


def forget_removals(kept: Storage) -> None:
    """Begin anew: the owner has let photos go."""
    swap_document(kept, KEY, _Removals, lambda old: _Removals() if old and old.removals else None)
