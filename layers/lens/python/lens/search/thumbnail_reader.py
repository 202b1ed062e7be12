"""Thumbnails of photos that can be found: made when first asked for, kept in a bounded cache."""

from __future__ import annotations

from contextlib import suppress

from lens.errors import NotFoundError
from lens.gallery.gallery import Gallery
from lens.photos.catalog import Catalog, open_pictures
from lens.photos.decoding import THUMBNAIL_SIDE, decode, thumbnail
from lens.photos.decoding import photo_id as identify
from lens.photos.thumbnail_store import is_whole, thumb_key, write_thumbnail
from lens.search.cache import Cache
from lens.settings import Limits, Settings
from lens.storage import Storage, open_storage


class Thumbnails:
    """Thumbnails of the photos that can be found, and of no others."""

    def __init__(
        self, storage: Storage, catalog: Catalog, limits: Limits, cached_bytes: int
    ) -> None:
        self._storage = storage
        self._catalog = catalog
        self._limits = limits
        self._cache: Cache[bytes] = Cache(cached_bytes, size_of=len)

    def read(self, gallery: Gallery | None, photo_id: str, side: int = THUMBNAIL_SIDE) -> bytes:
        """A JPEG, its long side at most `side` pixels; NotFoundError when the gallery does not
        show the photo (any more)."""
        row = gallery.photo(photo_id) if gallery else None
        if row is None:
            raise NotFoundError(f"no photo of the gallery has the id {photo_id!r}")
        side = min(side, THUMBNAIL_SIDE)
        data = self._cache.get((photo_id, side))
        if data is None:
            data = self._load(photo_id, row.key)
            if side < THUMBNAIL_SIDE:
                data = thumbnail(decode(data, self._limits), side)
            self._cache.put((photo_id, side), data)
        return data

    def cache_figures(self) -> dict[str, int]:
        """Hits, misses and fill; sizes in bytes."""
        return self._cache.figures()

    def _load(self, photo_id: str, key: str) -> bytes:
        with suppress(NotFoundError):
            stored = self._storage.read(thumb_key(photo_id))[0]
            if is_whole(stored):
                return stored
        original = self._original(photo_id, key)
        if identify(original) != photo_id:  # replaced, and not committed yet
            raise NotFoundError(f"the photo {photo_id!r} has just been replaced")
        data = thumbnail(decode(original, self._limits))
        write_thumbnail(self._storage, photo_id, data)
        return data

    def _original(self, photo_id: str, key: str) -> bytes:
        try:
            return self._catalog.read(key)[0]
        except NotFoundError as error:  # its message names the bucket, which is not public
            raise NotFoundError(f"the photo {photo_id!r} has just been removed") from error


def thumbnails_of(settings: Settings) -> Thumbnails:
    """The thumbnails that these settings name."""
    return Thumbnails(
        open_storage(settings.thumbs or settings.artifacts),
        Catalog(open_storage(settings.catalog), pictures=open_pictures(settings)),
        settings.limits,
        settings.cached_thumb_bytes,
    )
