"""Health: what answers, from which gallery, and how busy it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from fastapi import APIRouter

from lambdas.search.admission import Admission
from lambdas.search.background import Background
from lambdas.search.document import HEALTH
from lambdas.search.health_schemas import (
    CachesSchema,
    GallerySchema,
    HealthSchema,
    LoadsSchema,
    PinSchema,
    WorkSchema,
)
from lambdas.search.search_log import SearchLog
from lens.errors import PINNED, REPAIR, DamagedError, DriftError
from lens.models.embedder import RUNTIME
from lens.progress import LISTING, Done
from lens.search.searcher import Searcher
from lens.search.serving import Serving
from lens.search.thumbnail_reader import Thumbnails

# Anybody may ask for health; the reason, which names where things lie, is in the log.
_TROUBLE = "the newest gallery cannot be loaded; the log says why"
_WITHOUT = "something is damaged, and is done without; the log says what"


@dataclass(frozen=True)
class Health:
    """What health is read from; it loads nothing, because searches keep the gallery current."""

    searcher: Searcher
    thumbnails: Thumbnails
    searches: Admission
    lookups: Admission
    background: Background
    search_log: SearchLog

    def read(self) -> HealthSchema:
        """The state at this moment."""
        searcher, serving = self.searcher, self.searcher.serving
        empty = serving is None or serving.gallery.photo_count == 0
        damaged = _damaged(searcher)
        without = _WITHOUT if damaged else None
        loads = {"searches": self.searches.figures(), "lookups": self.lookups.figures()}
        caches = {**searcher.cache_figures(), "thumbnails": self.thumbnails.cache_figures()}
        return HealthSchema(
            status="degraded" if searcher.trouble or damaged else "empty" if empty else "ok",
            trouble=_TROUBLE if searcher.trouble else without,
            damaged=damaged,
            advice=_advice(searcher, damaged),
            storage="s3" if searcher.artifacts.location.startswith("s3:") else "file",
            device=serving.embedder.device if serving else None,
            runtime=RUNTIME,
            precision=serving.embedder.precision if serving else None,
            milliseconds=serving.embedder.milliseconds if serving else None,
            model_id=serving.embedder.model_id if serving else None,
            embedding_dim=serving.embedder.manifest.embedding_dim if serving else None,
            gallery=_gallery(serving, searcher.held.photos) if serving else None,
            pin=_pin(serving) if serving else None,
            indexing=_work(self.background.indexing.state),
            fetching=_work(self.background.fetching.state),
            search_log=self.search_log.state,
            load=LoadsSchema.model_validate(loads),
            cache=CachesSchema.model_validate(caches),
        )


def health_routes(health: Health) -> APIRouter:
    """`/api/health`, which always answers."""
    routes = APIRouter()

    @routes.get("/api/health", tags=[HEALTH])
    async def get_health() -> HealthSchema:
        """What answers, and from what. It loads nothing: searches keep the gallery current."""
        return health.read()

    return routes


def _damaged(searcher: Searcher) -> list[str]:
    """The keys of the artifacts that are known to be damaged: within the artifacts, not where these
    lie."""
    without = searcher.serving.damaged if searcher.serving else ()
    ailing = (searcher.ailing, *without)
    return list(dict.fromkeys(each.key for each in ailing if isinstance(each, DamagedError)))


def _advice(searcher: Searcher, damaged: list[str]) -> str | None:
    if isinstance(searcher.ailing, DriftError):
        return PINNED
    return REPAIR if damaged else None


def _work(state: Done | None) -> WorkSchema | None:
    if state is None:
        return None
    left = None if state.seconds_left is None else round(state.seconds_left)
    told: Literal["listing", "working"] = "listing" if state == LISTING else "working"
    return WorkSchema(state=told, done=state.done, total=state.total, seconds_left=left)


def _gallery(serving: Serving, held: int) -> GallerySchema:
    commit = serving.gallery.commit
    return GallerySchema(
        photos=serving.gallery.photo_count,
        waiting=len(serving.gallery.waiting),
        held=held,
        commit=commit.number,
        snapshot_rows=commit.snapshot.rows if commit.snapshot else 0,
        tail_rows=commit.tail_rows,
    )


def _pin(serving: Serving) -> PinSchema | None:
    pin = serving.pin
    return PinSchema(model_id=pin.model_id, commit=pin.commit, since=pin.since) if pin else None
