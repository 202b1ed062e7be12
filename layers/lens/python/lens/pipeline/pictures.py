"""Pictures: fetches what the product file names by address, and removes what it names no more.

What was fetched lies beside the artifacts and never among the shop's own photos. That a picture is
there is all that says so: a run that was killed goes on with those that are not.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lens.errors import LensError, NotFoundError
from lens.feed.pictures import picture_in, picture_key
from lens.fetching.polite import PoliteFetcher
from lens.gallery.assortment import Assortment
from lens.gallery.commits import read_head
from lens.gallery.current import read_current
from lens.gallery.product_tables import Shelf, load_shelf, read_look
from lens.photos.catalog import Catalog, media_type
from lens.photos.layouts.stored import read_layout
from lens.photos.suffix import suffix_of
from lens.pipeline.own_photos import absent_since, is_doubted
from lens.pipeline.picture_plan import (
    NamedPictures,
    PicturePlan,
    Wanted,
    named_pictures,
    plan_pictures,
)
from lens.pipeline.picture_state import Failure, PicturesState, read_state, write_state
from lens.progress import Progress
from lens.storage import Storage

if TYPE_CHECKING:  # a catalog without pictures needs no TLS
    from lens.fetching.fetch import Fetcher

log = logging.getLogger(__name__)

_DAY = 86_400.0
_SAVED = 30.0  # seconds between two writes of the state
# More than this many, and this share, that are named no more at once are kept for a day: a product
# file may be half a file by mistake, and fetching all again takes hours.
_FEW, _SHARE = 100, 0.2
# The first pictures are to be found soon; later ones are looked at in larger batches.
_FIRST_BATCH, _BATCH = 8, 64
_BATCH_SECONDS = 5.0


@dataclass(frozen=True)
class PicturesReport:
    """How far fetching is: `there` of the plan's pictures are, `leaving` are named no more and wait
    for a day before they go."""

    plan: PicturePlan
    there: int
    leaving: int
    state: PicturesState

    @property
    def lacking(self) -> int:
        """Pictures that are still to be fetched."""
        return len(self.plan.wanted) - self.there - len(self.state.failures)


class Pictures:
    """Fetches a catalog's pictures; one run at a time."""

    def __init__(
        self,
        catalog: Catalog,
        artifacts: Storage,
        fetcher: Fetcher,
        *,
        pause: float = 0.1,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`catalog` has a place for pictures."""
        assert catalog.pictures is not None
        self._catalog, self._artifacts, self._store = catalog, artifacts, catalog.pictures
        resting = read_state(self._artifacts).hosts
        self._polite = PoliteFetcher(fetcher.fetch, pause=pause, resting=resting)
        self._ports, self._clock = fetcher.ports, clock
        self._read: tuple[str, NamedPictures] | None = None

    def run(
        self,
        changed: Callable[[list[str]], None] = lambda keys: None,
        *,
        stop: Callable[[], bool] = lambda: False,
        progress: Progress = lambda done, total: None,
    ) -> int:
        """Bring the pictures in line with the live gallery's products; how many came. `changed` is
        called with keys that are to be looked at. What cannot be fetched costs itself. Where all of
        the shop's own photos are gone it is not known which products have some: nothing is done."""
        shelf = _shelf(self._artifacts)
        if shelf is None:
            return 0
        state, now = read_state(self._artifacts), self._clock()
        absent = absent_since(self._catalog, self._artifacts, state.absent_since, now)
        if is_doubted(absent, now):
            log.warning(
                "all of the shop's own photos are gone at once: is the drive mounted? No picture "
                "is fetched while they may come back, for a day"
            )
            if state.absent_since != absent:
                write_state(self._artifacts, state.model_copy(update={"absent_since": absent}))
            return 0
        plan = plan_pictures(
            self._named(shelf), shelf.assortment, self._catalog, read_layout(self._artifacts)
        )
        changes = _Changes(changed)
        stored = _stored(self._store)
        since = self._tidy(plan, stored, state.leaving_since, changes)
        failures, due = _standing(state, plan), self._clock() - _DAY
        asked = {
            wanted.address: picture
            for picture, wanted in plan.wanted.items()
            if picture not in stored and (picture not in failures or failures[picture].at <= due)
        }
        came, saved = 0, time.monotonic()

        def save() -> None:
            nonlocal state
            hosts = self._polite.resting
            new = PicturesState(
                failures=failures, hosts=hosts, leaving_since=since, absent_since=absent
            )
            if new != state:
                write_state(self._artifacts, new)
                state = new

        if asked:
            progress(0, len(asked))
        for done, (address, result) in enumerate(self._polite.fetch_all(asked, stop), start=1):
            picture = asked[address]
            wanted = plan.wanted[picture]
            failures.pop(picture, None)
            if why := self._keep(picture, wanted, result, changes):
                product, at = wanted.product, self._clock()
                failures[picture] = Failure(product=product, address=address, why=why, at=at)
            else:
                came += 1
            progress(done, len(asked))
            if time.monotonic() - saved > _SAVED:
                save()
                saved = time.monotonic()
        changes.flush()
        save()
        return came

    def _named(self, shelf: Shelf) -> NamedPictures:
        """What the products name, read once for each product file."""
        if self._read is None or self._read[0] != shelf.manifest.id:
            self._read = shelf.manifest.id, named_pictures(shelf.assortment, self._ports)
        return self._read[1]

    def _keep(
        self, picture: str, wanted: Wanted, result: bytes | LensError, changes: _Changes
    ) -> str | None:
        """Keep what was fetched; otherwise why it cannot be."""
        if isinstance(result, LensError):
            return str(result)
        suffix = suffix_of(result)
        if suffix is None:
            return "what is there is no photo (JPEG, PNG, WebP, AVIF or HEIC)"
        self._write(picture_key(wanted.folder, picture, suffix), result, changes)
        return None

    def _write(self, key: str, data: bytes, changes: _Changes) -> None:
        self._store.write(
            key, data, content_type=media_type(key), cache_control=f"max-age={_DAY:.0f}"
        )
        changes.add(key)

    def _tidy(
        self,
        plan: PicturePlan,
        stored: Mapping[str, Sequence[str]],
        held: float | None,
        changes: _Changes,
    ) -> float | None:
        """Move pictures whose product has another category, and remove those that are named no
        more; since when these are held back, None when they are not."""
        for picture, keys in stored.items():
            if wanted := plan.wanted.get(picture):
                self._place(picture, wanted, keys, changes)
        unnamed = [key for picture in stored.keys() - plan.wanted.keys() for key in stored[picture]]
        if _are_many(unnamed, stored):
            now = self._clock()
            since = now if held is None else held
            if now - since < _DAY:
                log.warning(
                    "%d pictures are named by no product any more: they go in a day, unless the "
                    "product file names them again",
                    len(unnamed),
                )
                changes.flush()
                return since
        for key in unnamed:
            self._store.delete(key)
            changes.add(key)
        changes.flush()
        return None

    def _place(self, picture: str, wanted: Wanted, keys: Sequence[str], changes: _Changes) -> None:
        """See that a picture lies under one key, the one that its product gives it."""
        right = [key for key in keys if key == f"{wanted.folder}/{key.rpartition('/')[2]}"]
        for key in keys:
            if key in right[:1]:
                continue
            try:
                if not right:
                    right.append(f"{wanted.folder}/{key.rpartition('/')[2]}")
                    self._write(right[0], self._store.read(key)[0], changes)
                self._store.delete(key)
            except NotFoundError:
                continue
            changes.add(key)


def report_pictures(
    catalog: Catalog,
    artifacts: Storage,
    assortment: Assortment,
    ports: Collection[int] = (443,),
) -> PicturesReport:
    """How far fetching is for these products; asks nobody."""
    assert catalog.pictures is not None
    plan = plan_pictures(
        named_pictures(assortment, ports), assortment, catalog, read_layout(artifacts)
    )
    stored, state = _stored(catalog.pictures), read_state(artifacts)
    unnamed = stored.keys() - plan.wanted.keys()
    state = state.model_copy(
        update={"failures": {p: f for p, f in _standing(state, plan).items() if p not in stored}}
    )
    return PicturesReport(plan, len(stored.keys() & plan.wanted.keys()), len(unnamed), state)


class _Changes:
    """Keys that are to be looked at, told in batches."""

    def __init__(self, tell: Callable[[list[str]], None]) -> None:
        self._tell = tell
        self._keys: list[str] = []
        self._size, self._since = _FIRST_BATCH, time.monotonic()

    def add(self, key: str) -> None:
        if not self._keys:
            self._since = time.monotonic()
        self._keys.append(key)
        if len(self._keys) >= self._size or time.monotonic() - self._since > _BATCH_SECONDS:
            self.flush()
            self._size = min(2 * self._size, _BATCH)

    def flush(self) -> None:
        keys, self._keys = self._keys, []
        if keys:
            self._tell(keys)


def _shelf(artifacts: Storage) -> Shelf | None:
    """The live gallery's products; None until a product file has been looked at."""
    current = read_current(artifacts)
    head = read_head(artifacts, current.live) if current else None
    if head is None or head.products is None:
        return None
    return load_shelf(artifacts, read_look(artifacts, head.model_id, head.products.id))


def _stored(pictures: Storage) -> dict[str, list[str]]:
    """The keys of each picture that is there: two only where a run was killed as it moved one.
    Other names are not ours, and are left alone."""
    stored: dict[str, list[str]] = {}
    for info in pictures.list():
        if picture := picture_in(info.key):
            stored.setdefault(picture, []).append(info.key)
    return stored


def _standing(state: PicturesState, plan: PicturePlan) -> dict[str, Failure]:
    return {each: why for each, why in state.failures.items() if each in plan.wanted}


def _are_many(unnamed: Sequence[str], stored: Mapping[str, Sequence[str]]) -> bool:
    return len(unnamed) > max(_FEW, _SHARE * len(stored))
