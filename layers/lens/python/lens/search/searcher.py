"""The searcher: answers photos from one whole (model, commit) pair, and keeps itself current."""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass, field

from lens.errors import LensError, NotFoundError
from lens.gallery.gallery import Gallery, Match
from lens.gallery.match_thresholds import MatchThresholds
from lens.models.calibration import leaning_of
from lens.models.regions import Box, Region
from lens.photos.copies import difference, is_copy, look_of
from lens.photos.decoding import decode, photo_id
from lens.search.cache import Cache
from lens.search.grouping import Group, SoldOut, nearest_items
from lens.search.matching import Word, match_of, words_of
from lens.search.products import Sold, sold_as
from lens.search.queries import Asked, Queries, Query
from lens.search.serving import Serving, load_serving
from lens.search.similar import similar_items
from lens.search.thumbnail_reader import Thumbnails
from lens.settings import Limits
from lens.storage import Storage

log = logging.getLogger(__name__)

# How long a search waits for a newer gallery once its photo is embedded; then it answers from
# the one it has, and the load goes on.
_PATIENCE_SECONDS = 1.0
# The query may be a copy of a photo that is at least so similar; the first few are looked at.
_MAYBE_COPY = 0.85
_LOOKED_AT = 3
_LEADS = 12  # photos that are looked at, to find what comes second


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
    match: Word | None = None  # how like the query it is; None for a model without a calibration
    sold: Sold | None = None  # as the shop's product file has it


@dataclass(frozen=True)
class Results:
    """The answer to one search; model and commit are empty before the first model."""

    model_id: str | None
    commit: int | None
    hits: tuple[Hit, ...]
    regions: tuple[Region, ...] = ()  # all that are seen in the photo, the surest first
    region: Box | None = None  # what was searched for; None: the whole photo
    match_probability: float | None = None  # that it shows a garment whose like is here
    match: Word | None = None  # both None for a model without a calibration


NO_RESULTS = Results(None, None, ())


@dataclass
class Searcher:
    """Searches the artifacts at a location; safe to call from several threads."""

    artifacts: Storage
    limits: Limits = field(default_factory=Limits)
    cached_results: int = 512
    precision: str = ""  # of the models; empty: the best for this CPU
    thumbnails: Thumbnails | None = None  # None: only the very bytes of a photo are recognized
    sold_out: SoldOut = "last"  # where items are asked for

    def __post_init__(self) -> None:
        self._serving: Serving | None = None
        self._lock = threading.Lock()
        self._loader = ThreadPoolExecutor(1, "refresh")
        self._results: Cache[Results] = Cache(self.cached_results)
        self._queries = Queries(self.limits, self.cached_results)
        self.trouble: str | None = None  # why the newest gallery could not be loaded
        self._outdated = False

    def search(
        self,
        photo: bytes,
        *,
        top_k: int = 12,
        category: str | None = None,
        region: Asked = None,
        group: Group = "photo",
    ) -> Results:
        """The photos most similar to this one, or to a region of it: the main one unless another
        box or the "whole" is asked for; or the items, by a photo of each. Raises a PhotoError, or
        ArtifactError when there is a gallery but it cannot be loaded."""
        loading = self.begin()
        name = photo_id(photo)
        serving = None if self._outdated else self._serving
        if serving is None:
            serving = loading.result()
        if serving is None:
            decode(photo, self.limits)  # an unusable photo is refused by an empty gallery too
            return NO_RESULTS
        query = self._queries.query(serving.embedder, name, photo, region)
        serving = _refreshed(serving, loading)
        asked = (name, query.region, top_k, category, group, serving.identity)
        results = self._results.get(asked)
        if results is None:
            results = self._answer(serving, query, top_k, category, name, group)
            self._results.put(asked, results)
        return results

    def similar(self, item_id: str, *, top_k: int = 12, category: str | None = None) -> Results:
        """The items most similar to one of the gallery's, a photo of each; nothing is embedded.

        Raises NotFoundError when no photo shows the item, and ArtifactError as `search`.
        """
        serving = self.refresh()
        if serving is None:
            raise NotFoundError(f"no photo of the gallery shows the item {item_id!r}")
        asked = ("similar", item_id, top_k, category, serving.identity)
        results = self._results.get(asked)
        if results is None:
            matches = similar_items(serving.gallery, item_id, top_k, category)
            commit = serving.gallery.commit
            # Another item is never this one.
            words = _words(serving, matches, "very_similar")
            hits = _hits(serving.gallery, matches, words)
            results = Results(commit.model_id, commit.number, hits)
            self._results.put(asked, results)
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
        self,
        serving: Serving,
        query: Query,
        top_k: int,
        category: str | None,
        name: str,
        group: Group,
    ) -> Results:
        gallery = serving.gallery
        # The second photo tells the first's lead, and so does the second product.
        matches = gallery.search(query.vector, max(top_k, _LEADS), category)
        same = self._same_photo(gallery, matches, name, query)
        probability, word = _match(serving, query, matches, same)
        if group == "item":
            matches = nearest_items(gallery, query.vector, top_k, category, self.sold_out)
        matches = matches[:top_k]
        hits = _hits(gallery, matches, _words(serving, matches, word), same)
        commit = gallery.commit
        return Results(
            commit.model_id, commit.number, hits, query.regions, query.region, probability, word
        )

    def _same_photo(
        self, gallery: Gallery, matches: Sequence[Match], name: str, query: Query
    ) -> str | None:
        """The id of the photo that the query is: the same bytes, or else the one that it is a copy
        of, of those most similar.

        Whoever asks for another box than the rule's does not ask for the photo.
        """
        if not query.by_rule and query.region is not None:
            return None
        if any(match.row.photo_id == name for match in matches):
            return name
        if not query.by_rule or self.thumbnails is None:
            return None
        maybe = [m.row.photo_id for m in matches if m.similarity >= _MAYBE_COPY]
        found = [
            (self._difference(self.thumbnails, gallery, each, query), each)
            for each in list(dict.fromkeys(maybe))[:_LOOKED_AT]
        ]
        levels, nearest = min(found, default=(math.inf, ""))
        return nearest if is_copy(levels) else None

    def _difference(
        self, thumbnails: Thumbnails, gallery: Gallery, photo: str, query: Query
    ) -> float:
        """How far the query looks from a photo of the gallery; a photo whose thumbnail cannot be
        read looks like nothing, and what is found is answered all the same."""
        try:
            small = decode(thumbnails.read(gallery, photo), self.limits)
        except (LensError, OSError) as error:
            log.warning("the thumbnail of %s cannot be compared: %s", photo, error)
            return math.inf
        return difference(query.look, look_of(small))

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


def _hits(
    gallery: Gallery,
    matches: Sequence[Match],
    words: Sequence[Word | None],
    same: str | None = None,
) -> tuple[Hit, ...]:
    """What was found, by rank; `same` is the id of the photo that was asked for."""
    return tuple(
        Hit(
            rank=rank,
            item_id=match.row.item_id,
            key=match.row.key,
            photo_id=match.row.photo_id,
            category=match.row.category,
            similarity=match.similarity,
            exact=match.row.photo_id == same,
            match=like,
            sold=sold_as(gallery, match.row),
        )
        for rank, (match, like) in enumerate(zip(matches, words, strict=True), start=1)
    )


def _match(
    serving: Serving, query: Query, matches: Sequence[Match], same: str | None
) -> tuple[float | None, Word | None]:
    """Whether the first product is the query's, and in which word."""
    if serving.calibration is None:
        return None, None
    if same is not None and matches[0].row.photo_id == same:
        return 1.0, "same"
    best: dict[str, float] = {}
    for match in matches:
        best.setdefault(match.row.item_id, match.similarity)
    thresholds = _thresholds(serving)
    similarities = list(best.values())
    searched = None if query.by_rule else query.region  # the rule asks about the whole photo
    leaning = 0.0 if serving.garment is None else leaning_of(query.vector, serving.garment)
    return match_of(similarities, query.regions, searched, serving.calibration, thresholds, leaning)


def _words(serving: Serving, matches: Sequence[Match], word: Word | None) -> Sequence[Word | None]:
    """How like the query each of the photos found is."""
    if serving.calibration is None or word is None:
        return [None] * len(matches)
    similarities = [match.similarity for match in matches]
    return words_of(similarities, word, serving.calibration, _thresholds(serving))


def _thresholds(serving: Serving) -> MatchThresholds | None:
    snapshot = serving.gallery.snapshot
    return snapshot.manifest.match if snapshot else None
