"""Unread feeds: product files in the catalog's root that have another name than is looked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from lens.errors import UsageError
from lens.feed.feed import Reading
from lens.feed.tables import SUFFIXES
from lens.photos.catalog import PARTITION_KEY, Catalog
from lens.settings import variable


def unread_feeds(catalog: Catalog) -> dict[str, str]:
    """The dialect of each, as shops' programs name their exports: `products_export_1.csv`. None
    where LENS_FEED says which one counts."""
    found: dict[str, str] = {}
    if catalog.feed_is_elsewhere:
        return found
    used = catalog.feed()
    for info in catalog.files():
        is_table = "/" not in info.key and info.key.lower().endswith(SUFFIXES)
        if not is_table or info.key in (PARTITION_KEY, used and used.key):
            continue
        try:
            found[info.key] = Reading(info.key, catalog.storage.read(info.key)[0]).dialect
        except UsageError:
            continue  # some other table
    return found


def unread_lines(found: Mapping[str, str], used: str) -> Iterator[str]:
    """What to do about each; `used` is the product file that is read, empty for none."""
    for name, dialect in found.items():
        meant = (
            f"{used} is"
            if used
            else f"call it products{_ending(name)}, or name it in {variable('feed')}"
        )
        yield f"doubtful   {name} is a product file ({dialect}) and not read: {meant}"


def _ending(name: str) -> str:
    """`.csv`, `.tsv` or `.jsonl`: what a table's rows look like is told by itself, JSON is not."""
    return ".jsonl" if name.lower().endswith((".jsonl", ".ndjson")) else ".csv"
