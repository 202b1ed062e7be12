"""The training photos: a folder's, packed as shards and uploaded beside a stack's artifacts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from lambdas.local.progress import progress_bar
from lens.errors import UsageError
from lens.photos.catalog import Catalog
from lens.photos.shards import INDEX, listing_name, write_shards
from lens.storage import open_storage

_PREFIX = "training/photos"


def upload_photos(folder: str, artifacts: str, say: Callable[[str], None]) -> str:
    """Upload them, unless the same photos were uploaded before; where they lie (s3://...)."""
    if not Path(folder).is_dir():
        raise UsageError(f"there is no folder {folder}: name the folder of the photos to train on")
    catalog = Catalog(open_storage(folder))
    place = f"{artifacts.rstrip('/')}/{_PREFIX}/{listing_name(catalog)}/"
    target = open_storage(place)
    if target.head(INDEX) is None:
        with progress_bar("Packing and uploading") as progress:
            index = write_shards(catalog, target, progress)
        for key, reason in index.left_out.items():
            say(f"left out: {key}: {reason}")
        say(f"{index.photos} photos are in {place}, in {len(index.shards)} files")
    else:
        say(f"the photos are in {place} already")
    return place
