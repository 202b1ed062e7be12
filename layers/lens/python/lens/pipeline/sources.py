"""Sources: opens the catalog and the shop's product file, wherever the settings say they are."""

from __future__ import annotations

from lens.errors import UsageError
from lens.feed.tables import SUFFIXES
from lens.photos.catalog import Catalog, Files, open_pictures
from lens.pipeline.pictures import Pictures
from lens.settings import Settings, variable
from lens.storage import Storage, open_storage

_FEED_BYTES = 1_000_000_000
_FEED_SECONDS = 300.0
_PICTURE_SECONDS = 30.0
_FEED_KINDS = (
    "text/",
    "application/csv",
    "application/json",  # and what begins so, of JSON lines
    "application/x-ndjson",
    "application/x-json",
    "application/vnd.ms-excel",  # what Windows calls a CSV
    "application/x-download",
    "application/force-download",
    "binary/",
)


def open_catalog(settings: Settings) -> Catalog:
    """The catalog, with its product file and what was fetched for it. UsageError for a product file
    of a kind that is not read, and for LENS_MOVE_CATALOG that names no location."""
    storage = open_storage(settings.catalog)
    feed = _open_feed(settings) if settings.feed else None
    moved = (
        bool(settings.move_catalog)
        and storage.location == open_storage(settings.move_catalog).location
    )
    return Catalog(storage, feed, open_pictures(settings), moved=moved)


def pictures_of(settings: Settings, catalog: Catalog, artifacts: Storage) -> Pictures:
    """What fetches the catalog's pictures, from the public internet alone."""
    from lens.fetching.fetch import Fetcher

    fetcher = Fetcher(
        settings.max_photo_bytes, _PICTURE_SECONDS, otherwise="put the photo into the catalog"
    )
    return Pictures(catalog, artifacts, fetcher)


def _open_feed(settings: Settings) -> tuple[Files, str]:
    feed = settings.feed
    path, query, _ = feed.partition("?")
    folder, slash, name = path.rpartition("/")
    if feed.lower().startswith("https://"):
        # Imported here: a catalog whose feed is a file needs no TLS.
        from lens.fetching.address_file import AddressFile
        from lens.fetching.fetch import Fetcher

        fetcher = Fetcher(_FEED_BYTES, _FEED_SECONDS, what="product file", kinds=_FEED_KINDS)
        key = name if name.lower().endswith(SUFFIXES) else "products.csv"
        return AddressFile(fetcher, feed, settings.feed_minutes), key
    if query or not name.lower().endswith(SUFFIXES):
        raise UsageError(
            f"{variable('feed')}={feed!r} should be an https address or name a file: "
            + ", ".join(SUFFIXES)
        )
    return open_storage(folder + slash or "."), name
