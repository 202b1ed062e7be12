"""Settings: every LENS_ variable, its meaning and its default, in one table."""

from __future__ import annotations

import os
from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lens.errors import UsageError
from lens.limits import Limits


class Settings(BaseModel):
    """What a process is told when it starts; each field is the variable LENS_{FIELD}."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    catalog: str = Field("", description="the photos: a folder or s3://bucket/prefix")
    artifacts: str = Field("", description="models and galleries: a folder or s3://bucket/prefix")
    thumbs: str = Field("", description="where thumbs/ lies; by default in the artifacts")
    embed_queue: str = Field("", description="URL of the queue of keys to look at, on AWS")
    port: int = Field(8000, ge=0, le=65_535, description="the local server's port; 0: any free")
    threads: int = Field(
        default_factory=lambda: os.cpu_count() or 1, ge=1, description="photos embedded at once"
    )
    max_photo_bytes: int = Field(20 * 2**20, ge=1, description="largest photo accepted, in bytes")
    max_photo_pixels: int = Field(64_000_000, ge=1, description="largest photo, in pixels")
    cached_results: int = Field(512, ge=1, description="searches whose results are kept in memory")
    cached_thumb_bytes: int = Field(64 * 2**20, ge=1, description="memory for thumbnails, in bytes")
    image_url: str = Field("/catalog/", description="prefix of a photo's address")
    thumb_url: str = Field("/api/thumb/", description="prefix of a thumbnail's address")
    cors_origins: str = Field(
        "", description="other sites whose pages may call the API, by comma; * for all"
    )

    @property
    def limits(self) -> Limits:
        """The largest photo accepted."""
        return Limits(self.max_photo_bytes, self.max_photo_pixels)


def settings_from(environment: Mapping[str, str]) -> Settings:
    """Settings from LENS_ variables; UsageError names the first that is not understood."""
    given = {
        name: environment[f"LENS_{name.upper()}"]
        for name in Settings.model_fields
        if environment.get(f"LENS_{name.upper()}")
    }
    try:
        return Settings.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        name = f"LENS_{str(first['loc'][0]).upper()}"
        raise UsageError(f"{name}={first['input']!r}: {first['msg']}") from error
