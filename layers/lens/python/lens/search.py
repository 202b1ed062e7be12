"""The searcher: answers photos from one whole (model, commit) pair, and keeps itself current."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from lens.cache import Cache
from lens.errors import ArtifactError, LensError, NotFoundError
from lens.gallery.commits import Commit, CommitName, empty_commit, read_commit, read_head
from lens.gallery.current import Current, Pin, read_current
from lens.gallery.gallery import Gallery, Match
from lens.gallery.loading import load_gallery
from lens.limits import Limits
from lens.models.embedder import Embedder, load_embedder
from lens.photos.decoding import decode, photo_id
from lens.storage import Storage

log = logging.getLogger(__name__)

# How long a search waits for a newer gallery once its photo is embedded; then it answers from
# the one it has, and the load goes on.
_PATIENCE_SECONDS = 1.0
_LOAD_ATTEMPTS = 3
# A copy of a catalog photo, made smaller or compressed again, is as similar as this to its
# original, and this far ahead of all others. Of 250 real photos re-encoded as the page does it,
# 249 were recognized; of 1,143 taken out of their gallery, 8 were taken for another photo, of the
# same item each time.
_COPY_SIMILARITY = 0.97
_COPY_LEAD = 0.01


@dataclass(frozen=True)
class Hit:
    """One result; `similarity` is the inner product of unit vectors."""

    rank: int  # from 1
    item_id: str
    key: str
    photo_id: str
    category: str
    similarity: float
    exact: bool = False  # the query is this very photo, or a copy of it


@dataclass(frozen=True)
class Results:
    """The answer to one search; model and commit are empty before the first model."""

    model_id: str | None
    commit: int | None
    hits: tuple[Hit, ...]


NO_RESULTS = Results(None, None, ())


@dataclass(frozen=True)
class Pair:
    """A model and a whole commit of its gallery.

    `guards` are loaded only under a pin, which they keep free of deleted photos: the newest commits
    of the live model, of the pinned one, and of those that were live in between.
    """

    embedder: Embedder
    gallery: Gallery
    pin: Pin | None = None
    pinned: Gallery | None = None  # as committed, before deletions are hidden
    guards: tuple[Gallery, ...] = ()

    @property
    def identity(self) -> tuple[str, str, str]:
        """Changes whenever an answer could."""
        commit = self.gallery.commit
        return commit.model_id, commit.id, "".join(guard.commit.id for guard in self.guards)


@dataclass
class Searcher:
    """Searches the artifacts at a location; safe to call from several threads."""

    artifacts: Storage
    limits: Limits = field(default_factory=Limits)
    cached_results: int = 512
    precision: str = ""  # of the models; empty: the best for this CPU

    def __post_init__(self) -> None:
        self._pair: Pair | None = None
        self._lock = threading.Lock()
        self._loader = ThreadPoolExecutor(1, "refresh")
        self._results: Cache[Results] = Cache(self.cached_results)
        self._vectors: Cache[NDArray[np.float32]] = Cache(self.cached_results)
        self.trouble: str | None = None  # why the newest gallery could not be loaded
        self._outdated = False

    def search(self, photo: bytes, *, top_k: int = 12, category: str | None = None) -> Results:
        """The photos most similar to this one. Raises a PhotoError, or ArtifactError when there
        is a gallery but it cannot be loaded."""
        newer = self.begin()
        name = photo_id(photo)
        before = newer.result() if self._outdated else self._pair or newer.result()
        if before is None:
            decode(photo, self.limits)  # an unusable photo is refused by an empty gallery too
            return NO_RESULTS
        vector = self._embed(before.embedder, name, photo)
        pair = self._settled(before, newer.result, _PATIENCE_SECONDS)
        asked = (name, top_k, category, pair.identity)
        results = self._results.get(asked)
        if results is None:
            results = _results(pair.gallery, vector, top_k, category, name)
            self._results.put(asked, results)
        return results

    def begin(self) -> Future[Pair | None]:
        """Refresh beside whatever else is to be done."""
        return self._loader.submit(self.refresh)

    def refresh(self) -> Pair | None:
        """Load what is newest and return it; None before the first model.

        When it cannot be loaded, a pair that was loaded earlier goes on serving and `trouble`
        says why; without one, ArtifactError.
        """
        with self._lock:
            try:
                self._pair = _load(self.artifacts, self._pair, self.precision)
                self.trouble = None
                self._outdated = False
            except LensError as error:
                if self.trouble != str(error):  # it is asked for again by every search
                    log.error("the newest gallery cannot be loaded: %s", error)
                self.trouble = str(error)
                if self._pair is None:
                    raise
            return self._pair

    def resume(self) -> None:
        """Go on from a snapshot of this process: it may be weeks old, so the next search waits for
        what is newest, however long that takes."""
        self._outdated = True

    @property
    def pair(self) -> Pair | None:
        """What is being answered from; None before the first model."""
        return self._pair

    def cache_figures(self) -> dict[str, dict[str, int]]:
        """Hits, misses and fill of the caches."""
        return {"results": self._results.figures(), "vectors": self._vectors.figures()}

    def _embed(self, embedder: Embedder, name: str, photo: bytes) -> NDArray[np.float32]:
        vector = self._vectors.get((embedder.model_id, name))
        if vector is None:
            vector = embedder.embed(decode(photo, self.limits))
            self._vectors.put((embedder.model_id, name), vector)
        return vector

    def _settled(self, before: Pair, newer: Callable[..., Pair | None], seconds: float) -> Pair:
        """The newer pair if it is there in time and speaks the same model, else the old one."""
        try:
            after = newer(timeout=seconds)
        except FutureTimeoutError:
            return before
        if after is None or after.embedder.model_id != before.embedder.model_id:
            return before
        return after


def _results(
    gallery: Gallery, vector: NDArray[np.float32], top_k: int, category: str | None, name: str
) -> Results:
    matches = gallery.search(vector, max(top_k, 2), category)  # the second tells the first's lead
    same = _same_photo(matches, name)
    hits = tuple(
        Hit(
            rank=rank,
            item_id=match.row.item_id,
            key=match.row.key,
            photo_id=match.row.photo_id,
            category=match.row.category,
            similarity=match.similarity,
            exact=match.row.photo_id == same,
        )
        for rank, match in enumerate(matches[:top_k], start=1)
    )
    return Results(gallery.commit.model_id, gallery.commit.number, hits)


def _same_photo(matches: Sequence[Match], name: str) -> str | None:
    """The id of the photo that the query is: the same bytes, or else a copy of the first match."""
    if any(match.row.photo_id == name for match in matches):
        return name
    if not matches or matches[0].similarity < _COPY_SIMILARITY:
        return None
    first = matches[0].row.photo_id
    other = next((m.similarity for m in matches if m.row.photo_id != first), -1.0)
    return first if matches[0].similarity - other >= _COPY_LEAD else None


def _load(storage: Storage, pair: Pair | None, precision: str) -> Pair | None:
    """The pair that is newest now; `pair` itself when nothing has changed."""
    for attempt in range(_LOAD_ATTEMPTS):
        current = read_current(storage)
        if current is None:
            return None
        try:
            if current.pin is None:
                return _load_live(storage, current, pair, precision)
            return _load_pinned(storage, current, current.pin, pair, precision)
        except NotFoundError as error:
            # The collector may have removed a part between two of our reads: ask for the head
            # again, and only then call it damage.
            if attempt == _LOAD_ATTEMPTS - 1:
                raise ArtifactError(f"the gallery lacks a part ({error}); index again") from error
    raise AssertionError("unreachable")


def _load_live(storage: Storage, current: Current, pair: Pair | None, precision: str) -> Pair:
    known = [pair.gallery, *pair.guards] if pair else []
    if pair and pair.embedder.model_id == current.live:
        head = _head(storage, current.live)
        if pair.pin is None and pair.gallery.commit == head:
            return pair
        return Pair(pair.embedder, _gallery(storage, head, known))
    # Most of a start is waiting for the model's bytes: the gallery arrives meanwhile.
    with ThreadPoolExecutor(1, "model") as beside:
        embedder = beside.submit(load_embedder, storage, current.live, precision)
        gallery = _gallery(storage, _head(storage, current.live), known)
        return Pair(embedder.result(), gallery)


def _load_pinned(
    storage: Storage, current: Current, pin: Pin, pair: Pair | None, precision: str
) -> Pair:
    # A model between the two may be the only one to know that a photo was deleted.
    models = current.kept[: current.kept.index(pin.model_id) + 1]
    heads = [_head(storage, model_id) for model_id in models]
    if pair and pair.pin == pin and [guard.commit for guard in pair.guards] == heads:
        return pair
    embedder = _embedder(storage, pin.model_id, pair, precision)
    known = [pair.pinned, *pair.guards, pair.gallery] if pair else []
    guards = tuple(_gallery(storage, head, known) for head in heads)
    name = CommitName(number=pin.commit, id=pin.commit_id)
    pinned = _gallery(storage, read_commit(storage, pin.model_id, name), [*guards, *known])
    return Pair(embedder, pinned.hiding_deleted(guards), pin, pinned, guards)


def _head(storage: Storage, model_id: str) -> Commit:
    return read_head(storage, model_id) or empty_commit(model_id)


def _embedder(storage: Storage, model_id: str, pair: Pair | None, precision: str) -> Embedder:
    if pair and pair.embedder.model_id == model_id:
        return pair.embedder
    return load_embedder(storage, model_id, precision)


def _gallery(storage: Storage, commit: Commit, known: Sequence[Gallery | None]) -> Gallery:
    """A commit's gallery: a known one if it is the same, else loaded with what it can take over."""
    whole = [gallery for gallery in known if gallery is not None and not gallery.hidden]
    for gallery in whole:
        if gallery.commit == commit:
            return gallery
    same_model = (g for g in whole if g.commit.model_id == commit.model_id)
    return load_gallery(storage, commit, next(same_model, None))
