"""Listing: lists a storage in parts, over several calls, where one has no time for all of it.

A part is written once, and then the listing's state names it, by compare-and-swap: of two calls
that list the same keys one wins, and a call that is killed costs the part that it was at. A listing
that ends within its first part is never written.
"""

from __future__ import annotations

import io
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import TypeGuard
from uuid import uuid4
from zipfile import BadZipFile

import numpy as np

from lens.errors import DamagedError, NotFoundError
from lens.gallery import retention
from lens.gallery.mapped_arrays import checked_arrays_in
from lens.storage import ObjectInfo, Storage
from lens.storage.documents import Document, read_document, swap_document

log = logging.getLogger(__name__)

PREFIX = "listings/"
# Objects that are in memory at a time.
_PART = 100_000
# S3 lists as many in one reply.
_PAGE = 1_000
# What was listed so long ago says too little of what there is: such a listing is begun anew.
_LONGEST = retention.SEGMENT

Source = Callable[[str], Iterator[ObjectInfo]]


class _State(Document):
    """How far a listing is. Without parts there is none, so the next one begins."""

    id: str
    at: float  # when it began, in seconds since the epoch
    parts: tuple[str, ...] = ()  # their keys
    last: str = ""  # the key that was listed last
    count: int = 0
    whole: bool = False
    of: str = ""  # what it is for


@dataclass(frozen=True)
class Listed:
    """A whole listing, in key order, which began at `at`: what was changed since then it may show
    or not."""

    at: float
    count: int
    parts: Sequence[Callable[[], Sequence[ObjectInfo]]]
    id: str = ""  # none where it is in memory alone

    def __iter__(self) -> Iterator[ObjectInfo]:
        for read in self.parts:
            yield from read()


@dataclass(frozen=True)
class Cut:
    """A listing that is not whole: so many objects are listed. Where `elsewhere`, another call was
    faster and goes on with it."""

    count: int
    elsewhere: bool = False


class Listing:
    """One listing, by its name. `source` lists what comes after a key; of that, the objects whose
    keys are `wanted` count. One that is not for what is named by `of` is begun anew."""

    def __init__(
        self,
        storage: Storage,
        name: str,
        source: Source,
        wanted: Callable[[str], bool] = lambda key: True,
        clock: Callable[[], float] = time.time,
        of: str = "",
    ) -> None:
        self._storage = storage
        self._key = f"{PREFIX}{name}.json"
        self._folder = f"{PREFIX}{name}/"
        self._source = source
        self._wanted = wanted
        self._clock = clock
        self._of = of

    def go_on(self, stop: Callable[[], bool]) -> Listed | Cut:
        """List what is left, until there is nothing or `stop` says so. Each call gets on."""
        there = self._read()
        state = there if self._goes_on(there) else self._begun()
        if state.whole:
            return self._listed(state)
        source = self._source(state.last)
        while True:
            infos, last, whole = self._take(source, stop)
            if whole and not state.parts:
                return Listed(state.at, len(infos), [partial(list, infos)])
            if not state.parts:
                self._remove_earlier()
            advanced = self._with_part(state, infos, last, whole=whole)
            if not self._swap(there, advanced):
                self._storage.delete(advanced.parts[-1])
                return Cut(state.count, elsewhere=True)
            there = state = advanced
            if whole:
                return self._listed(state)
            if stop():
                return Cut(state.count)

    def end(self, listed: Listed) -> None:
        """Let the next listing begin. The parts of this one stay for who still reads them."""
        there = self._read() if listed.id else None
        if there is not None and there.id == listed.id:
            self._swap(there, self._begun())

    def _begun(self) -> _State:
        return _State(id=uuid4().hex, at=self._clock(), of=self._of)

    def _goes_on(self, found: _State | None) -> TypeGuard[_State]:
        """Whether it is a listing for the same, and young enough."""
        if found is None or not found.parts or found.of != self._of:
            return False
        young = 0 <= self._clock() - found.at <= _LONGEST
        if not young:
            log.warning("%s: it began too long ago, and is listed anew", self._key)
        return young

    def _read(self) -> _State | None:
        try:
            return read_document(self._storage, self._key, _State)[0]
        except NotFoundError:
            return None
        except DamagedError as error:
            log.warning("listed anew: %s", error)
            return None

    def _take(
        self, source: Iterator[ObjectInfo], stop: Callable[[], bool]
    ) -> tuple[list[ObjectInfo], str, bool]:
        """A part of what is left: what of it is wanted, its last key, and whether that was all."""
        taken: list[ObjectInfo] = []
        last = ""
        for _ in range(_PART // _PAGE):
            page = list(islice(source, _PAGE))
            taken += [info for info in page if self._wanted(info.key)]
            if len(page) < _PAGE:
                return taken, last, True
            last = page[-1].key
            if stop():
                break
        return taken, last, False

    def _with_part(
        self, state: _State, infos: Sequence[ObjectInfo], last: str, *, whole: bool
    ) -> _State:
        """The state with one part more, which is written."""
        key = f"{self._folder}{uuid4().hex}.npz"
        self._storage.write(key, _packed(infos))
        update = {
            "parts": (*state.parts, key),
            "last": last,
            "count": state.count + len(infos),
            "whole": whole,
        }
        return state.model_copy(update=update)

    def _swap(self, there: _State | None, state: _State) -> bool:
        """Put a state in another one's place; False when something else is there."""
        found = swap_document(
            self._storage,
            self._key,
            _State,
            lambda old: state if old == there else None,
            anew=True,
        )
        return found == state

    def _remove_earlier(self) -> None:
        """The parts of listings that nobody can be reading any more."""
        before = self._storage.now() - retention.DAY
        earlier = [each.key for each in self._storage.list(self._folder) if each.modified < before]
        self._storage.delete_many(earlier)

    def _listed(self, state: _State) -> Listed:
        parts = [partial(_read_part, self._storage, key) for key in state.parts]
        return Listed(state.at, state.count, parts, state.id)


def _packed(infos: Sequence[ObjectInfo]) -> bytes:
    out = io.BytesIO()
    np.savez_compressed(
        out,
        allow_pickle=False,
        key=np.array([info.key.encode() for info in infos], np.bytes_),
        etag=np.array([info.etag.encode() for info in infos], np.bytes_),
        size=np.array([info.size for info in infos], np.int64),
        modified=np.array([info.modified for info in infos], np.float64),
    )
    return out.getvalue()


def _read_part(storage: Storage, key: str) -> list[ObjectInfo]:
    data, _ = storage.read(key)
    try:
        arrays = checked_arrays_in(data)
        columns = [arrays[name].tolist() for name in ("key", "etag", "size", "modified")]
    except (BadZipFile, KeyError, ValueError, EOFError) as error:
        raise DamagedError(key, str(error)) from error
    return [
        ObjectInfo(name.decode(), etag.decode(), size, modified)
        for name, etag, size, modified in zip(*columns, strict=True)
    ]
