"""Health: what answers, from which gallery, and how busy it is."""

from __future__ import annotations

from fastapi import APIRouter

from lambdas.search.admission import Admission
from lambdas.search.schemas import CachesSchema, GallerySchema, HealthSchema, LoadsSchema, PinSchema
from lens.models.embedder import RUNTIME
from lens.search.searcher import Searcher
from lens.search.serving import Serving
from lens.search.thumbnail_reader import Thumbnails

# Anybody may ask for health; the reason, which names where things lie, is in the log.
_TROUBLE = "the newest gallery cannot be loaded; the log says why"


def health_routes(
    searcher: Searcher, thumbnails: Thumbnails, searches: Admission, lookups: Admission
) -> APIRouter:
    """`/api/health`, which always answers."""
    routes = APIRouter()

    @routes.get("/api/health")
    async def health() -> HealthSchema:
        """What answers, and from what. It loads nothing: searches keep the gallery current."""
        load = LoadsSchema.model_validate(
            {"searches": searches.figures(), "lookups": lookups.figures()}
        )
        return _health(searcher, thumbnails, load)

    return routes


def _health(searcher: Searcher, thumbnails: Thumbnails, load: LoadsSchema) -> HealthSchema:
    serving = searcher.serving
    empty = serving is None or serving.gallery.photo_count == 0
    return HealthSchema(
        status="degraded" if searcher.trouble else "empty" if empty else "ok",
        trouble=_TROUBLE if searcher.trouble else None,
        storage="s3" if searcher.artifacts.location.startswith("s3:") else "file",
        device=serving.embedder.device if serving else None,
        runtime=RUNTIME,
        precision=serving.embedder.precision if serving else None,
        model_id=serving.embedder.model_id if serving else None,
        embedding_dim=serving.embedder.manifest.embedding_dim if serving else None,
        gallery=_gallery(serving) if serving else None,
        pin=_pin(serving) if serving else None,
        load=load,
        cache=CachesSchema.model_validate(
            {**searcher.cache_figures(), "thumbnails": thumbnails.cache_figures()}
        ),
    )


def _gallery(serving: Serving) -> GallerySchema:
    commit = serving.gallery.commit
    return GallerySchema(
        photos=serving.gallery.photo_count,
        commit=commit.number,
        snapshot_rows=commit.snapshot.rows if commit.snapshot else 0,
        tail_rows=commit.tail_rows,
    )


def _pin(serving: Serving) -> PinSchema | None:
    pin = serving.pin
    return PinSchema(model_id=pin.model_id, commit=pin.commit, since=pin.since) if pin else None
