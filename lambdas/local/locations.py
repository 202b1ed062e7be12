"""Locations: which catalog a command means, and where its artifacts lie."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from lens.config import Settings, settings_from
from lens.errors import UsageError
from lens.storage import FileStorage, open_storage


def local_settings(environment: Mapping[str, str], catalog: str | None) -> Settings:
    """The environment's settings for this catalog, artifacts in `.lens/` unless told otherwise.

    Raises UsageError when no catalog is named, or when its folder does not exist.
    """
    settings = settings_from(environment)
    location = catalog or settings.catalog
    if not location:
        raise UsageError("name a folder of photos, or set LENS_CATALOG")
    storage = open_storage(location)
    if isinstance(storage, FileStorage) and not storage.root.is_dir():
        raise UsageError(f"there is no folder {location}: name a folder of photos")
    name = hashlib.sha256(storage.location.encode()).hexdigest()[:12]
    artifacts = settings.artifacts or str(Path(".lens", name).absolute())
    return settings.model_copy(update={"catalog": location, "artifacts": artifacts})
