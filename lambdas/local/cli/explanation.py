"""The explanation: what `lens index` understands of a catalog before it embeds anything."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from lambdas.local.counted import counted
from lens.errors import UsageError
from lens.feed.feed import Feed, read_feed
from lens.feed.names import names_of_photo
from lens.gallery.assortment import NO_PRODUCTS, Assortment, Products
from lens.gallery.current import read_current
from lens.photos.catalog import PARTITION_KEY, Catalog
from lens.photos.decoding import ACCEPTED
from lens.photos.layouts.file_names import read_name
from lens.photos.layouts.layout import Layout, Placed, Told
from lens.photos.layouts.stored import keeps_layouts, read_layout
from lens.pipeline.feed import entries_of
from lens.pipeline.layouts import understand
from lens.pipeline.sources import open_catalog
from lens.settings import Settings
from lens.storage import Storage, open_storage

_EXAMPLES = 3
_MANY_PHOTOS = 60  # of one product

_HOW: Mapping[Told, str] = {
    "partition": f"{PARTITION_KEY} names the product",
    "given": "LENS_LAYOUT says it",
    "name": "the file name begins with the product",
    "variant": "a folder is a product, the folders in it are its variants",
    "folder": "a folder is a product",
    "itself": "each photo is a product of its own",
}


@dataclass
class Understood:
    """The photos that were understood in one way: their keys by product; and what they have."""

    products: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    variants: set[tuple[str, str]] = field(default_factory=set)
    categories: set[str] = field(default_factory=set)

    @property
    def photos(self) -> int:
        """How many photos there are."""
        return sum(map(len, self.products.values()))


def explain(settings: Settings) -> str:
    """Lines for people. It embeds nothing and writes nothing. UsageError without a photo, or when
    LENS_LAYOUT cannot be understood."""
    catalog, artifacts = open_catalog(settings), open_storage(settings.artifacts)
    before = read_layout(artifacts)
    layout = before if settings.stack else understand(catalog, settings.layout, before)
    partition = catalog.partition()
    places = {info.key: layout.place(info.key, partition) for info in catalog.photos()}
    if not places:
        raise UsageError(f"no photos ({ACCEPTED}) in {settings.catalog}")
    found = understood(places)
    lines = [
        f"catalog    {settings.catalog}: {_all(found)}",
        f"layout     {layout.text}",
        *_ways(found),
        *(f"doubtful   {line}" for line in doubts(layout, places, found)),
        *_waits(artifacts, before, layout),
        *_feed_lines(catalog, places),
        "nothing was embedded or written",
    ]
    return "\n".join(lines)


def understood(places: Mapping[str, Placed]) -> dict[Told, Understood]:
    """Photos by what told their products, in the order of the keys."""
    found: dict[Told, Understood] = defaultdict(Understood)
    for key, place in places.items():
        part = found[place.told]
        part.products[place.item_id].append(key)
        part.categories.add(place.category)
        if place.variant:
            part.variants.add((place.item_id, place.variant))
    return {told: found[told] for told in _HOW if told in found}


def doubts(
    layout: Layout, places: Mapping[str, Placed], found: Mapping[Told, Understood]
) -> Iterator[str]:
    """What somebody who knows the shop should look at."""
    alone = [key for key, place in places.items() if place.told == "itself"]
    if layout.template:
        unfit = [key for key, place in places.items() if place.told in ("folder", "itself")]
        yield from _few(
            unfit,
            "photo does not fit LENS_LAYOUT and is grouped by its folders",
            "photos do not fit LENS_LAYOUT and are grouped by their folders",
        )
    else:
        camera = [key for key in alone if read_name(key.rpartition("/")[2]).by_camera]
        yield from _few(
            camera,
            "photo has a camera's name and is a product of its own",
            "photos have cameras' names and are products of their own",
        )
        yield from _few(
            [key for key in alone if key not in set(camera)],
            "photo lies in no folder, has no product's name and is a product of its own",
            "photos lie in no folder, have no product's name and are products of their own",
        )
    for item, keys in _by_item(found).items():
        if len(keys) > _MANY_PHOTOS:
            yield f"{len(keys)} photos are of one product, {item}: if not, set LENS_LAYOUT"
    names: dict[str, set[str]] = defaultdict(set)
    for place in places.values():
        if place.told in ("name", "variant"):
            names[place.item_id.rpartition("/")[2]].add(place.item_id)
    twice = sorted(name for name, items in names.items() if len(items) > 1)
    yield from _few(
        twice,
        "name is in several categories: it is a product in each",
        "names are in several categories: they are products in each",
    )


def _ways(found: Mapping[Told, Understood]) -> Iterator[str]:
    for told, part in found.items():
        yield f"           {_HOW[told]}: {_counts(part)}"
        items = sorted(part.products.items(), key=lambda each: -min(len(each[1]), _EXAMPLES))
        for item, keys in items[:_EXAMPLES]:
            more = ", ..." if len(keys) > _EXAMPLES else ""
            yield f"             {item}: {', '.join(keys[:_EXAMPLES])}{more}"


def _waits(artifacts: Storage, before: Layout, layout: Layout) -> Iterator[str]:
    """A gallery that is there is grouped as before for now, or grouped anew."""
    if read_current(artifacts) is None or layout == before:
        return
    when = "at the next indexing" if keeps_layouts(artifacts) else "an hour after the upgrade"
    yield f"before     {before.text}; the gallery is grouped anew {when}, nothing embedded again"


def _feed_lines(catalog: Catalog, places: Mapping[str, Placed]) -> Iterator[str]:
    info = catalog.feed()
    if info is None:
        return
    try:
        feed = read_feed(info.key, catalog.read_feed(info.key)[0])
    except UsageError as error:
        yield f"feed       {info.key} cannot be used: {error}"
        return
    without, items = _unmatched(feed, places)
    sold = {product.item_group_id or product.id for product in feed.products}
    yield (
        f"feed       {info.key}: {counted(len(sold), 'product')} ({feed.dialect}), "
        f"{len(items & sold):,} of them with photos; {len(places) - len(without):,} of "
        f"{counted(len(places), 'photo')} match"
    )
    yield from (
        f"doubtful   {line}"
        for line in _few(
            without, "photo matches no product of the feed", "photos match no product of the feed"
        )
    )


def _unmatched(feed: Feed, places: Mapping[str, Placed]) -> tuple[list[str], set[str]]:
    """The photos without a product, and the products with photos."""
    assortment = Assortment(Products.of(entries_of(feed.products)), NO_PRODUCTS)
    without, items = [], set()
    for key, place in places.items():
        match = assortment.find(names_of_photo(key, place.item_id))
        if match:
            items.add(match.item_id)
        else:
            without.append(key)
    return without, items


def _by_item(found: Mapping[Told, Understood]) -> dict[str, list[str]]:
    return {item: keys for part in found.values() for item, keys in part.products.items()}


def _few(names: Sequence[str], one: str, several: str) -> Iterator[str]:
    if names:
        more = ", ..." if len(names) > _EXAMPLES else ""
        yield f"{counted(len(names), one, several)}: {', '.join(names[:_EXAMPLES])}{more}"


def _all(found: Mapping[Told, Understood]) -> str:
    whole = Understood()
    for part in found.values():
        for item, keys in part.products.items():
            whole.products[item] += keys
        whole.variants |= part.variants
        whole.categories |= part.categories
    return _counts(whole)


def _counts(part: Understood) -> str:
    counts = [counted(part.photos, "photo"), counted(len(part.products), "product")]
    if part.variants:
        counts.append(counted(len(part.variants), "variant"))
    categories = len(part.categories - {""})
    if categories:
        counts.append(counted(categories, "category", "categories"))
    return ", ".join(counts)
