"""Health's schemas: the JSON of `/api/health`, with examples for the API's OpenAPI page."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from lambdas.search.schema import Schema


class GallerySchema(Schema):
    """What can be found."""

    photos: int = Field(examples=[1143])
    waiting: int = Field(description="photos that cannot be read now", examples=[0])
    held: int = Field(
        description="photos that are gone from the catalog, so many at once that they are found "
        "until their owner lets them go",
        examples=[0],
    )
    commit: int = Field(examples=[17])
    snapshot_rows: int = Field(description="rows behind the index", examples=[1024])
    tail_rows: int = Field(description="rows scanned beside it", examples=[119])


class PinSchema(Schema):
    """Searches are held at an earlier commit."""

    model_id: str = Field(examples=["efficientnet-lite0-color-5b1f6c20e9aa"])
    commit: int = Field(examples=[12])
    since: float = Field(description="seconds since the epoch", examples=[1_790_000_000.0])


class CacheSchema(Schema):
    """One cache; its size counts entries, or bytes of thumbnails."""

    hits: int = Field(examples=[3])
    misses: int = Field(examples=[9])
    entries: int = Field(examples=[9])
    size: int = Field(examples=[9])
    capacity: int = Field(examples=[512])


class CachesSchema(Schema):
    """What is kept in memory."""

    results: CacheSchema
    regions: CacheSchema
    vectors: CacheSchema
    whys: CacheSchema
    thumbnails: CacheSchema


class LoadSchema(Schema):
    """One kind of work: what runs in threads, what waits in places for one, what was refused."""

    threads: int = Field(examples=[2])
    running: int = Field(examples=[2])
    places: int = Field(examples=[16])
    waiting: int = Field(examples=[3])
    refused: int = Field(description="as busy, since the start", examples=[0])


class LoadsSchema(Schema):
    """What is under way."""

    searches: LoadSchema
    lookups: LoadSchema


class WorkSchema(Schema):
    """How far long work is; what is done can be found."""

    state: Literal["listing", "working"] = Field(
        description="listing: what there is to do is being found out; done and total are 0",
        examples=["working"],
    )
    done: int = Field(examples=[640])
    total: int = Field(examples=[20_000])
    seconds_left: int | None = Field(description="null: not known yet", examples=[312])


class HealthSchema(Schema):
    """What answers, and from what."""

    status: Literal["ok", "empty", "degraded"] = Field(
        description="empty: no photo yet; degraded: the newest gallery cannot be loaded, and an "
        "earlier one answers if there is a whole one, or it lacks something that is damaged",
        examples=["ok"],
    )
    trouble: str | None = Field(description="said when it is degraded", examples=[None])
    damaged: list[str] = Field(description="keys of the artifacts that are", examples=[[]])
    advice: str | None = Field(description="what heals them", examples=[None])
    storage: Literal["file", "s3"] = Field(examples=["file"])
    device: str | None = Field(examples=["cpu"])
    runtime: str = Field(examples=["onnxruntime 1.32.0"])
    precision: str | None = Field(
        description="the form of the model that is the fastest here, as was measured, or the one "
        "that LENS_PRECISION names",
        examples=["fp32"],
    )
    milliseconds: float | None = Field(
        description="CPU time of a photo in it, on a CPU of this kind; null: not measured yet",
        examples=[14.1],
    )
    model_id: str | None = Field(examples=["efficientnet-lite0-color-5b1f6c20e9aa"])
    embedding_dim: int | None = Field(examples=[128])
    gallery: GallerySchema | None
    pin: PinSchema | None
    indexing: WorkSchema | None = Field(description="null: nothing waits to be indexed here")
    fetching: WorkSchema | None = Field(
        description="pictures of the product file; null: none are fetched here now"
    )
    search_log: Literal["off", "on", "failing"] = Field(
        description="failing: lines of it are lost; the log says why", examples=["off"]
    )
    load: LoadsSchema
    cache: CachesSchema
