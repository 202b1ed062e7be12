"""The searcher: answers photos from one whole (model, commit) pair, and keeps itself current."""

from __future__ import annotations

import logging
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass, field, replace
from functools import partial

from lens.errors import LensError, NotFoundError
from lens.gallery.gallery import Gallery
from lens.gallery.rows import Row
from lens.photos.decoding import decode, photo_id
from lens.search.cache import Cache
from lens.search.cursor import Cursor
from lens.search.grouping import SoldOut
from lens.search.joins import Joins
from lens.search.judging import judged, words
from lens.search.paging import Pages
from lens.search.queries import Asked, Queries, Query
from lens.search.results import NO_RESULTS, Results, hits_of
from lens.search.same_photo import same_photo
from lens.search.scope import Scope
from lens.search.serving import Serving, load_serving
from lens.search.thumbnail_reader import Thumbnails
from lens.search.wanted import ANYTHING, Wanted, require_first
from lens.settings import Limits
from lens.storage import Storage

log = logging.getLogger(__name__)

# How long a search waits for a newer gallery once its photo is embedded; then it answers from
# the one it has, and the load goes on.
_PATIENCE_SECONDS = 1.0
_LEADS = 12  # photos that are looked at, to find what comes second


@dataclass
class Searcher:
    """Searches the artifacts at a location; safe to call from several threads."""

    artifacts: Storage
    limits: Limits = field(default_factory=Limits)
    cached_results: int = 512
    precision: str = ""  # of the models; empty: the best for this CPU
    thumbnails: Thumbnails | None = None  # None: only the very bytes of a photo are recognized
    sold_out: SoldOut = "last"  # where items are asked for
    filters_ahead: bool = False  # make what filters need with each gallery, not when one is sent

    def __post_init__(self) -> None:
        self._serving: Serving | None = None
        self._lock = threading.Lock()
        self._loader = ThreadPoolExecutor(1, "refresh")
        self._results: Cache[Results] = Cache(self.cached_results)
        self._queries = Queries(self.limits, self.cached_results)
        self._pages = Pages()
        self._joins = Joins(self.filters_ahead)
        self.trouble: str | None = None  # why the newest gallery could not be loaded
        self._outdated = False

    def search(
        self,
        photo: bytes,
        wanted: Wanted = ANYTHING,
        *,
        region: Asked = None,
    ) -> Results:
        """The photos most similar to this one, or to a region of it: the main one unless another
        box or the "whole" is asked for; or the items, by a photo of each.

        Raises a PhotoError, or ArtifactError when there is a gallery but it cannot be loaded;
        FilterError for a filter where there is no product file; CursorError for one of another
        search, and SearchAgainError for one of another state of the gallery.
        """
        loading = self.begin()
        name = photo_id(photo)
        serving = None if self._outdated else self._serving
        if serving is None:
            serving = loading.result()
        if serving is None:
            decode(photo, self.limits)  # an unusable photo is refused by an empty gallery too
            require_first(wanted)
            return NO_RESULTS
        query = self._queries.query(serving.embedder, name, photo, region)
        serving = _refreshed(serving, loading)
        here = wanted.place("photo", name, query.region, state=serving.identity)
        results = self._results.get((here, wanted.facets))
        if results is None:
            results = self._answer(serving, query, wanted, name, here)
            self._results.put((here, wanted.facets), results)
        return results

    def similar(self, item_id: str, wanted: Wanted = ANYTHING) -> Results:
        """The items most similar to one of the gallery's, a photo of each; nothing is embedded.

        Raises NotFoundError when no photo shows the item, and the errors of `search`.
        """
        serving = self.refresh()
        if serving is None:
            require_first(wanted)
            raise NotFoundError(f"no photo of the gallery shows the item {item_id!r}")
        here = wanted.place("item", item_id, state=serving.identity)
        results = self._results.get((here, wanted.facets))
        if results is None:
            scope = self._scope(serving.gallery, wanted)
            nearest = self._pages.kept(partial(scope.similar, item_id), here.search, here.state)
            page = self._pages.page(nearest, _item_id, wanted.top_k, here)
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

    def begin(self) -> Future[Serving | None]:
        """Refresh beside whatever else is to be done."""
        return self._loader.submit(self.refresh)

    def refresh(self) -> Serving | None:
        """Load what is newest and return it; None before the first model.

        When it cannot be loaded, a serving that was loaded earlier goes on serving and `trouble`
        says why; without one, ArtifactError.
        """
        with self._lock:
            try:
                self._serving = load_serving(self.artifacts, self._serving, self.precision)
                if self._serving is not None:
                    self._joins.prepare(self._serving.gallery)
                self.trouble = None
                self._outdated = False
            except LensError as error:
                if self.trouble != str(error):  # it is asked for again by every search
                    log.error("the newest gallery cannot be loaded: %s", error)
                self.trouble = str(error)
                if self._serving is None:
                    raise
            return self._serving

    def resume(self) -> None:
        """Go on from a snapshot of this process: it may be weeks old, so the next search waits for
        what is newest, however long that takes."""
        self._outdated = True

    def _answer(
        self, serving: Serving, query: Query, wanted: Wanted, name: str, here: Cursor
    ) -> Results:
        scope = self._scope(serving.gallery, wanted)
        photos, items = (
            self._pages.kept(partial(nearest, query.vector), group, here.search, here.state)
            for group, nearest in (("photo", scope.photos), ("item", scope.items))
        )
        # The second photo tells the first's lead, and so does the second product.
        leads = photos(max(wanted.top_k, _LEADS))
        same = same_photo(scope.gallery, leads, name, query, self.thumbnails, self.limits)
        probability, word = judged(serving, query, leads, same)
        if wanted.group == "item":
            page = self._pages.page(items, scope.item_of, wanted.top_k, here)
            page = replace(page, matches=scope.arranged(page.matches))
        else:
            page = self._pages.page(photos, _key, wanted.top_k, here)
        return Results(
            scope.gallery.commit.model_id,
            scope.gallery.commit.number,
            hits_of(scope, page, words(serving, page.matches, word), same),
            query.regions,
            query.region,
            probability,
            word,
            page.cursor,
            scope.facets(items, wanted.facets),
        )

    def _scope(self, gallery: Gallery, wanted: Wanted) -> Scope:
        selection = self._joins.of(gallery).select(wanted.filter) if wanted.filter else None
        return Scope(gallery, wanted.category, wanted.filter, selection, self.sold_out)

    @property
    def serving(self) -> Serving | None:
        """What is being answered from; None before the first model."""
        return self._serving

    def cache_figures(self) -> dict[str, dict[str, int]]:
        """Hits, misses and fill of the caches."""
        return {"results": self._results.figures(), **self._queries.figures()}


def _refreshed(serving: Serving, loading: Future[Serving | None]) -> Serving:
    """What is being loaded, if it is there in time and of the same model; else `serving`."""
    try:
        newer = loading.result(timeout=_PATIENCE_SECONDS)
    except FutureTimeoutError:
        return serving
    if newer is None or newer.embedder.model_id != serving.embedder.model_id:
        return serving
    return newer


def _key(row: Row) -> str:
    return row.key


def _item_id(row: Row) -> str:
    return row.item_id
