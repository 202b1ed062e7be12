"""Holds: photos that are gone from the catalog's listing, but so many at once that they stay in the
gallery until their owner says so.

A hold has every key that it is about, so that to allow one says nothing of another. It ends when
none of its keys is missing any more: they are listed again, or their rows are tombstones.
"""

from __future__ import annotations

import hashlib
import json
import logging
import zlib
from base64 import b64decode, b64encode
from collections.abc import Callable, Collection, Iterable

from pydantic import field_validator

from lens.errors import ArtifactError, NotFoundError, UsageError
from lens.storage import Storage
from lens.storage.documents import Document, Record, read_document, swap_document

log = logging.getLogger(__name__)

KEY = "holds.json"
_EXAMPLES = 5
# Ten weeks of one a day; the oldest are decided anew.
_MOST = 70


class Hold(Record):
    """Photos that are held, or, once `allowed`, those that become tombstones."""

    id: str
    model_id: str  # whose gallery has them
    since: float  # seconds since the epoch
    photos: int  # that are held
    of: int  # photos that there were
    examples: tuple[str, ...]
    packed: str  # the keys, compressed
    allowed: bool = False

    @field_validator("packed")
    @classmethod
    def _unpacks(cls, packed: str) -> str:
        """Before there were checksums nothing else told that the keys are damaged."""
        _unpack(packed)
        return packed

    @property
    def keys(self) -> frozenset[str]:
        """The keys that it is about."""
        return frozenset(_unpack(self.packed))

    @classmethod
    def on(
        cls, keys: Collection[str], *, model_id: str, since: float, photos: int, of: int
    ) -> Hold:
        """A hold on these keys; two on the same keys have one id."""
        return cls(
            id=hold_id(keys),
            model_id=model_id,
            since=since,
            photos=photos,
            of=of,
            examples=tuple(sorted(keys)[:_EXAMPLES]),
            packed=_pack(keys),
        )

    def only(self, keys: Collection[str]) -> Hold:
        """The same on these of its keys."""
        told = {"photos": min(self.photos, len(keys)), "examples": tuple(sorted(keys)[:_EXAMPLES])}
        return self.model_copy(update={**told, "packed": _pack(keys)})


class _Holds(Document):
    """Every hold, the oldest first."""

    holds: tuple[Hold, ...] = ()


def hold_id(keys: Iterable[str]) -> str:
    """What a person names a hold on these keys by."""
    return hashlib.sha256(json.dumps(sorted(keys)).encode()).hexdigest()[:8]


def read_holds(storage: Storage) -> tuple[Hold, ...]:
    """Every hold, allowed ones too. A damaged document has none: all is decided anew."""
    try:
        return read_document(storage, KEY, _Holds)[0].holds
    except NotFoundError:
        return ()
    except ArtifactError as error:
        log.warning("%s; it is made anew", error)
        return ()


def check_holds(storage: Storage) -> None:
    """DamagedError when the document is damaged."""
    read_document(storage, KEY, _Holds)


def read_held(storage: Storage) -> tuple[Hold, ...]:
    """The holds that wait for their owner's word."""
    return tuple(hold for hold in read_holds(storage) if not hold.allowed)


def change_holds(
    storage: Storage, change: Callable[[tuple[Hold, ...]], tuple[Hold, ...]]
) -> tuple[Hold, ...]:
    """Replace the holds by what `change` makes of them; the holds that are there then."""

    def put(old: _Holds | None) -> _Holds | None:
        before = old.holds if old else ()
        after = change(before)[-_MOST:]
        return None if after == before else _Holds(holds=after)

    found = swap_document(storage, KEY, _Holds, put, anew=True)
    return found.holds if found else ()


def allow_deletions(storage: Storage, name: str) -> Hold:
    """Let the photos of one hold go, at the next comparison with the catalog. UsageError when there
    is no such hold."""

    def allow(holds: tuple[Hold, ...]) -> tuple[Hold, ...]:
        if not any(hold.id == name for hold in holds):
            there = ", ".join(f"{hold.id} ({hold.photos} photos)" for hold in holds) or "none"
            raise UsageError(f"there is no hold {name!r}; there are: {there}")
        return tuple(
            hold.model_copy(update={"allowed": True}) if hold.id == name else hold for hold in holds
        )

    return next(hold for hold in change_holds(storage, allow) if hold.id == name)


def _pack(keys: Iterable[str]) -> str:
    return b64encode(zlib.compress(json.dumps(sorted(keys)).encode())).decode()


def _unpack(packed: str) -> list[str]:
    """ValueError unless these are packed keys."""
    try:
        keys = json.loads(zlib.decompress(b64decode(packed)))
    except zlib.error as error:
        raise ValueError(f"its keys cannot be unpacked: {error}") from error
    if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
        raise ValueError("its keys are no list of names")
    return keys
