"""The searcher: answers photos from one whole (model, commit) pair, and keeps itself current."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from lens.errors import LensError, NotFoundError, PhotoError, UsageError
from lens.gallery.gallery import Gallery, Match
from lens.gallery.rows import Row
from lens.measures import Measure, tell, timed
from lens.models.embedder import Embedder
from lens.photos.decoding import decode, photo_id
from lens.search.cache import Cache
from lens.search.called import item_called
from lens.search.cursor import Cursor
from lens.search.examples import (
    NO_EXAMPLES,
    Examples,
    Vector,
    blend,
    exemplars_of,
    require_none,
)
from lens.search.fallback import AILMENTS, Fallback
from lens.search.held import Held
from lens.search.joins import Joins
from lens.search.judging import judged, words
from lens.search.order import SoldOut
from lens.search.paging import Pages
from lens.search.queries import Asked, Queries, Query
from lens.search.results import NO_RESULTS, Results, hits_of
from lens.search.same_photo import same_photo
from lens.search.scope import Scope, category_of
from lens.search.serving import Serving, load_serving, tell_found
from lens.search.thumbnail_reader import Thumbnails
from lens.search.wanted import ANYTHING, Wanted, require_first
from lens.search.why import Reasons, Why
from lens.settings import Limits
from lens.storage import Storage

log = logging.getLogger(__name__)

T = TypeVar("T")

# How long a search waits for a newer gallery once its photo is embedded; then it answers from
# the one it has, and the load goes on. A function that is frozen after its answers loads during
# searches alone: so one waits longer when what it has was last known to be the newest long ago.
_PATIENCE_SECONDS = 1.0
_KNOWN_SECONDS, _MOST_PATIENCE_SECONDS = 60.0, 15.0
_AT_ONCE, _LONGEST_PAUSE = 0.2, 30.0  # seconds
_LEADS = 12  # photos that are looked at, to find what comes second
_REASONS = 256  # hits whose shares are kept, of some 30 KB each


@dataclass
class Searcher:
    """Searches the artifacts at a location; safe to call from several threads."""

    artifacts: Storage
    limits: Limits = field(default_factory=Limits)
    cached_results: int = 512
    precision: str = ""  # of the models; empty: the best for this CPU
    thumbnails: Thumbnails | None = None  # None: only the very bytes of a photo are recognized
    sold_out: SoldOut = "last"  # where items are asked for
    currency: str = ""  # of prices that the product file names none of
    filters_ahead: bool = False  # make what filters need with each gallery, not when one is sent

    def __post_init__(self) -> None:
        self._serving: Serving | None = None
        self._lock = threading.Lock()
        self._loader = ThreadPoolExecutor(1, "refresh")
        self._results: Cache[Results] = Cache(self.cached_results)
        self._queries = Queries(self.limits, self.cached_results)
        self._reasons = Reasons(self.limits, _REASONS)
        self._pages = Pages()
        self._joins = Joins(self.filters_ahead, self.currency)
        self.held = Held(self.artifacts)
        self.trouble: str | None = None  # why the newest gallery could not be loaded
        self.ailing: Exception | None = None  # the same, as what was raised
        self._fallback = Fallback(self.artifacts, self.precision)
        self._again = 0.0  # when that is tried again, by time.monotonic
        self._outdated = False
        # When that which is served was last known to be the newest, or waited for in vain.
        self._settled_at = 0.0

    def search(
        self,
        photo: bytes | Sequence[bytes],
        wanted: Wanted = ANYTHING,
        *,
        examples: Examples = NO_EXAMPLES,
        region: Asked = None,
    ) -> Results:
        """The photos most similar to this one, or to a region of it: the main one unless another
        box or the "whole" is asked for; or the items, by a photo of each.

        Several photos, and examples with or without a photo, are searched as one vector. Their
        answer is not judged, has the first photo's regions, and leaves the examples out.

        Raises a PhotoError, or ArtifactError when there is a gallery but it cannot be loaded;
        UsageError when nothing is to be resembled, and NotFoundError for an unknown example;
        FilterError for a filter where there is no product file; CursorError for one of another
        search, and SearchAgainError for one of another state of the gallery.
        """
        with timed("search"):
            return self._search(photo, wanted, examples, region)

    def _search(
        self, photo: bytes | Sequence[bytes], wanted: Wanted, examples: Examples, region: Asked
    ) -> Results:
        photos = [photo] if isinstance(photo, bytes) else photo
        if not photos and not examples.like:
            raise UsageError("send a photo, or what the hits are to be like")
        loading = self.begin()
        serving = None if self._outdated else self._serving
        if serving is None:
            serving = loading.result()
        if serving is None:
            # An unusable photo is refused by an empty gallery too.
            _each(photos, lambda photo: decode(photo, self.limits))
            require_none(examples)
            require_first(wanted)
            return NO_RESULTS
        with timed("query"):
            queries = dict(_each(photos, partial(self._query, serving.embedder, region)))
        serving = self._refreshed(serving, loading)
        regions = tuple((name, query.region) for name, query in queries.items())
        here = wanted.place("photo", regions, examples, state=serving.identity)
        results = self._results.get((here, wanted.facets))
        if results is None:
            results = self._answer(serving, queries, examples, wanted, here)
            self._results.put((here, wanted.facets), results)
        return results

    def similar(self, item_id: str, wanted: Wanted = ANYTHING) -> Results:
        """The items most similar to one of the gallery's, by its id or the shop's, a photo of each;
        nothing is embedded.

        Raises NotFoundError when no photo shows the item, and the errors of `search`.
        """
        serving = self.refresh()
        if serving is None:
            require_first(wanted)
            raise NotFoundError(f"no photo of the gallery shows the item {item_id!r}")
        here = wanted.place("item", item_id, state=serving.identity)
        results = self._results.get((here, wanted.facets))
        if results is None:
            scope = self._scope(serving.gallery, serving.gallery, wanted)
            item = item_called(serving.gallery, self._joins, item_id)
            nearest = self._pages.kept(partial(scope.similar, item), here.search, here.state)
            order = scope.order(wanted.sort)
            page = self._pages.page(nearest, scope.items_of, wanted.top_k, here, order)
            # Another item is never this one.
            found = words(serving, page.matches, "very_similar")
            hits = hits_of(scope, page, found)
            facets = scope.facets(nearest, wanted.facets)
            commit = serving.gallery.commit
            results = Results(
                commit.model_id, commit.number, hits, cursor=page.cursor, facets=facets
            )
            self._results.put((here, wanted.facets), results)
        return results

    def item(self, item_id: str) -> tuple[Gallery, list[Row]]:
        """An item's photos, by its id or the shop's, in key order, and the gallery that has them.
        Raises NotFoundError where there are none."""
        serving = self.refresh()
        if serving is not None:
            gallery = serving.gallery
            if rows := gallery.item(item_called(gallery, self._joins, item_id)):
                return gallery, rows
        raise NotFoundError(f"no photo of the gallery shows the item {item_id!r}")

    def why(self, photo: bytes, hit: str, thumbnails: Thumbnails, *, region: Asked = None) -> Why:
        """Why the gallery's photo of this id is like a photo, or like a region of it.

        Raises a PhotoError, NotFoundError when the gallery does not show such a photo, and
        NotExplainedError for a model that cannot tell.
        """
        serving = self.refresh()
        if serving is None:
            raise NotFoundError(f"no photo of the gallery has the id {hit!r}")
        embedder = serving.embedder
        query = self._queries.query(embedder, photo_id(photo), photo, region, shares=True)
        return self._reasons.why(embedder, serving.gallery, thumbnails, query, photo, hit)

    def begin(self) -> Future[Serving | None]:
        """Refresh beside whatever else is to be done."""
        return self._loader.submit(self.refresh)

    def refresh(self) -> Serving | None:
        """Load what is newest and return it; None before the first model.

        When it cannot be loaded, whatever the reason, a serving that was loaded earlier goes on, or
        else the newest one that is whole; `trouble` says why. Raises an ArtifactError where there
        is none, and StorageError when the artifacts cannot be reached.
        """
        with self._lock:
            began = time.monotonic()
            if self._serving is not None and began < self._again:
                return self._serving
            try:
                before, asked_at = self._serving, time.time()
                self._serving = load_serving(self.artifacts, before, self.precision)
                if self._serving is not None and self._serving is not before:
                    tell(Measure.STAGE_SECONDS, time.monotonic() - began, "refresh")
                    tell_found(before, self._serving)
                self.held.refresh()
                self.trouble = self.ailing = None
                self._outdated = False
                self._settled_at = asked_at
            except Exception as error:
                self._tell(error)
                self._serving = self._instead(error)
            if self._serving is not None:
                self._joins.prepare(self._serving.gallery)
                if self.trouble or self._serving.damaged:
                    self._again = time.monotonic() + _pause(time.monotonic() - began)
            return self._serving

    def _tell(self, error: Exception) -> None:
        reason = " ".join(str(error).split()) or type(error).__name__
        if self.trouble != reason:  # it is asked for again by every search
            foreseen = isinstance(error, LensError)
            log.error("the newest gallery cannot be loaded: %s", reason, exc_info=not foreseen)
        self.trouble, self.ailing = reason, error

    def _instead(self, error: Exception) -> Serving | None:
        """What is served while this error lasts."""
        out_of_reach = isinstance(error, LensError) and not isinstance(error, AILMENTS)
        if self._serving is None:
            if out_of_reach:
                raise error
            return self._fallback.find(error, time.time())
        if out_of_reach:
            return self._serving
        try:
            return self._fallback.go_on(self._serving)
        except Exception as another:
            log.warning("deletions may be missed: %s", another)
            return self._serving

    def resume(self) -> None:
        """Go on from a snapshot of this process: it may be weeks old, so the next search waits for
        what is newest, however long that takes."""
        self._outdated = True

    def _refreshed(self, serving: Serving, loading: Future[Serving | None]) -> Serving:
        """What is being loaded, if it is there in time and of the same model; else `serving`."""
        # By the time of day: the monotonic clock may stand still while a function is frozen.
        long_ago = time.time() - self._settled_at > _KNOWN_SECONDS and not self.trouble
        try:
            newer = loading.result(_MOST_PATIENCE_SECONDS if long_ago else _PATIENCE_SECONDS)
        except FutureTimeoutError:
            if long_ago:  # a storage that hangs keeps one search waiting, not each
                self._settled_at = time.time()
            return serving
        if newer is None or newer.embedder.model_id != serving.embedder.model_id:
            return serving
        return newer

    def _query(self, embedder: Embedder, region: Asked, photo: bytes) -> tuple[str, Query]:
        name = photo_id(photo)
        return name, self._queries.query(embedder, name, photo, region)

    def _answer(
        self,
        serving: Serving,
        queries: Mapping[str, Query],
        examples: Examples,
        wanted: Wanted,
        here: Cursor,
    ) -> Results:
        """queries: of each photo, by its id."""
        first = next(iter(queries.values()), None)
        examples = examples.called(partial(item_called, serving.gallery, self._joins))
        gallery, vector = _sought(serving.gallery, list(queries.values()), examples)
        scope = self._scope(serving.gallery, gallery, wanted)
        photos, items = (
            self._pages.kept(partial(nearest, vector), group, here.search, here.state)
            for group, nearest in (("photo", scope.photos), ("item", scope.items))
        )
        # The second photo tells the first's lead, and so does the second product.
        most = max(wanted.top_k, _LEADS)
        leads = photos(most + 1)[:most]  # the page asks for one more
        same = {
            same_photo(gallery, leads, name, query, self.thumbnails, self.limits)
            for name, query in queries.items()
        }
        probability, word = None, None
        alone = bool(first) and len(queries) == 1 and not examples
        if first and alone:
            probability, word = judged(serving, first, leads, next(iter(same)))
        if wanted.group == "item":
            order = scope.order(wanted.sort)
            page = self._pages.page(items, scope.items_of, wanted.top_k, here, order)
        else:
            page = self._pages.page(photos, _keys, wanted.top_k, here)
        return Results(
            gallery.commit.model_id,
            gallery.commit.number,
            hits_of(scope, page, words(serving, page.matches, word), same),
            first.regions if first else (),
            first.region if first else None,
            probability,
            word,
            page.cursor,
            scope.facets(items, wanted.facets),
            alone and serving.embedder.tells_shares,
        )

    def _scope(self, gallery: Gallery, view: Gallery, wanted: Wanted) -> Scope:
        """view: the gallery, or the gallery without some photos."""
        selection = None
        if wanted.filter is not None:
            selection = self._joins.of(gallery).select(wanted.filter, view)
        category = wanted.category and category_of(gallery, wanted.category)
        return Scope(view, category, wanted.filter, selection, self.sold_out, self.currency)

    @property
    def serving(self) -> Serving | None:
        """What is being answered from; None before the first model."""
        return self._serving

    def cache_figures(self) -> dict[str, dict[str, int]]:
        """Hits, misses and fill of the caches."""
        return {
            "results": self._results.figures(),
            **self._queries.figures(),
            **self._reasons.figures(),
        }


def _pause(took: float) -> float:
    """How long to leave alone what failed after so many seconds: most of the time is to be left to
    searches, and what fails at once can be tried by each."""
    return min(_LONGEST_PAUSE, 10 * took) if took > _AT_ONCE else 0.0


def _each(photos: Sequence[bytes], use: Callable[[bytes], T]) -> list[T]:
    """What `use` makes of each photo; of several, a PhotoError says which it is about."""
    made = []
    for number, photo in enumerate(photos, start=1):
        try:
            made.append(use(photo))
        except PhotoError as error:
            if len(photos) == 1:
                raise
            raise type(error)(f"photo {number} of {len(photos)}: {error}") from error
    return made


def _sought(
    gallery: Gallery, queries: Sequence[Query], examples: Examples
) -> tuple[Gallery, Vector]:
    """Where, and which vector, is searched for: one photo's own is not touched."""
    vectors = [query.vector for query in queries]
    if len(vectors) == 1 and not examples:
        return gallery, vectors[0]
    found = exemplars_of(gallery, examples)
    blended = blend(vectors, found.like, found.unlike)
    return gallery.without(found.keys) if found.keys else gallery, blended


def _keys(matches: Sequence[Match]) -> list[str]:
    return [match.row.key for match in matches]
