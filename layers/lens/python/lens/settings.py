"""Settings: every LENS_ variable, its meaning and its default; and the largest photo accepted."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from lens.errors import UsageError

_ORIGIN = re.compile(r"\*|https?://[A-Za-z0-9.-]+(:\d+)?|https?://\[[0-9a-f:]+\](:\d+)?")


# With the slowest model (ViT-B in fp32: 0.3 s) a full line waits two to three seconds.
_QUEUED_PER_THREAD = 8


def _origins(given: object) -> object:
    if not isinstance(given, str):
        return given
    origins = tuple(filter(None, (origin.strip() for origin in given.split(","))))
    for origin in origins:
        if not _ORIGIN.fullmatch(origin):
            raise ValueError(f"{origin!r} is not an origin like https://shop.example, or *")
    return origins


Origins = Annotated[tuple[str, ...], BeforeValidator(_origins)]


@dataclass(frozen=True)
class Limits:
    """The largest photo accepted."""

    photo_bytes: int = 20 * 2**20
    photo_pixels: int = 64_000_000


_LIMITS = Limits()


class Settings(BaseModel):
    """A process's settings; each field is the environment variable LENS_{FIELD}."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    catalog: str = Field("", description="the photos: a folder or s3://bucket/prefix")
    artifacts: str = Field("", description="models and galleries: a folder or s3://bucket/prefix")
    thumbs: str = Field("", description="where thumbs/ lies; by default in the artifacts")
    stack: str = Field(
        "", description="a deployed stack, whose buckets and queues commands then use"
    )
    embed_queue: str = Field("", description="URL of the queue that asks for looks at photos")
    model_folder: str = Field("", description="the model that a deployment starts with")
    port: int = Field(8000, ge=0, le=65_535, description="the local server's port; 0: any free")
    threads: int = Field(
        default_factory=lambda: os.cpu_count() or 1, ge=1, description="photos embedded at once"
    )
    queued_searches: int = Field(
        default_factory=lambda given: _QUEUED_PER_THREAD * given["threads"],
        ge=0,
        description="searches that wait for a thread; more are refused as busy",
    )
    precision: str = Field(
        "", description="of the model: fp32 or a faster one it has; by default as the CPU is"
    )
    max_photo_bytes: int = Field(
        _LIMITS.photo_bytes, ge=1, description="largest photo accepted, in bytes"
    )
    max_photo_pixels: int = Field(
        _LIMITS.photo_pixels, ge=1, description="largest photo, in pixels"
    )
    cached_results: int = Field(512, ge=1, description="searches whose results are kept in memory")
    cached_thumb_bytes: int = Field(64 * 2**20, ge=1, description="memory for thumbnails, in bytes")
    fetch_urls: bool = Field(
        False, description="1: searches may name a photo's address, which this server fetches"
    )
    image_url: str = Field("/catalog/", description="prefix of a photo's address")
    thumb_url: str = Field("/api/thumb/", description="prefix of a thumbnail's address")
    cors_origins: Origins = Field(
        (), description="sites whose pages may call the API, by comma; *: all"
    )

    @property
    def limits(self) -> Limits:
        """The largest photo accepted."""
        return Limits(self.max_photo_bytes, self.max_photo_pixels)


def settings_from(environment: Mapping[str, str], required: Sequence[str] = ()) -> Settings:
    """Settings from LENS_ variables; UsageError names the first that is not understood, or that is
    required and not set."""
    given = {
        name: environment[variable(name)]
        for name in Settings.model_fields
        if environment.get(variable(name))
    }
    if missing := [name for name in required if name not in given]:
        raise UsageError(f"{variable(missing[0])} is not set: it should be {_meaning(missing[0])}")
    try:
        return Settings.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        name = variable(str(first["loc"][0]))
        reason = first["msg"].removeprefix("Value error, ")
        raise UsageError(f"{name}={first['input']!r}: {reason}") from error


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return f"LENS_{name.upper()}"


def _meaning(name: str) -> str:
    return str(Settings.model_fields[name].description)
