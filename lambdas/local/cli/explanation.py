"""The explanation: what `lens index` understands of a catalog before it embeds anything."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lambdas.local.cli.feed_explanation import FeedExplanation, explain_feed
from lambdas.local.cli.layout_status import Waiting, waiting
from lambdas.local.cli.unread_feeds import unread_feeds, unread_lines
from lambdas.local.counted import counted
from lens.errors import UsageError
from lens.gallery.current import read_current
from lens.photos.catalog import PARTITION_KEY
from lens.photos.layouts.file_names import read_name
from lens.photos.layouts.layout import Layout, Placed, Told
from lens.photos.layouts.stored import read_layout
from lens.photos.opening import ACCEPTED
from lens.pipeline.layouts import understand
from lens.pipeline.sources import open_catalog
from lens.settings import Settings
from lens.storage import open_storage

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
    def counts(self) -> dict[str, int]:
        """How many there are of each."""
        return {
            "photos": sum(map(len, self.products.values())),
            "products": len(self.products),
            "variants": len(self.variants),
            "categories": len(self.categories - {""}),
        }


@dataclass(frozen=True)
class Explanation:
    """A catalog as it is understood, before anything is embedded."""

    catalog: str
    layout: Layout
    found: Mapping[Told, Understood]
    doubts: Sequence[str]
    before: Layout  # in force until then
    waits: Waiting | None  # where a gallery is grouped otherwise
    feed: FeedExplanation | None
    unread_feeds: Mapping[str, str]  # their dialects
    left_out: Mapping[str, int]  # photos, by why

    def text(self) -> str:
        """Lines for people."""
        lines = [
            f"catalog    {self.catalog}: {_all(self.found)}",
            f"layout     {self.layout.text}",
            *_ways(self.found),
            *(f"doubtful   {line}" for line in self.doubts),
            *(f"left out   {counted(n, 'photo')}: {why}" for why, n in self.left_out.items()),
        ]
        if self.waits:
            when = self.waits.when(time.time())
            lines.append(
                f"before     {self.before.text}; the gallery is grouped anew {when}, nothing "
                "embedded again"
            )
        if self.feed:
            lines += [self.feed.line, *(f"doubtful   {line}" for line in _unsold(self.feed))]
        lines += unread_lines(self.unread_feeds, self.feed.file if self.feed else "")
        return "\n".join([*lines, "nothing was embedded or written"])

    def to_json(self) -> dict[str, Any]:
        """The same, with every product and its photos."""
        return {
            "catalog": self.catalog,
            "layout": self.layout.text,
            **_whole(self.found).counts,
            "ways": [
                {
                    "told": told,
                    "means": _HOW[told],
                    **part.counts,
                    "items": {item: list(keys) for item, keys in part.products.items()},
                }
                for told, part in self.found.items()
            ],
            "doubts": list(self.doubts),
            "before": self.before.text if self.waits else None,
            "waits": self.waits.to_json() if self.waits else None,
            "feed": self.feed.to_json() if self.feed else None,
            "unread_feeds": dict(self.unread_feeds),
            "left_out": dict(self.left_out),
        }


def explain(settings: Settings) -> Explanation:
    """It embeds nothing and writes nothing. UsageError without a photo, or when LENS_LAYOUT cannot
    be understood."""
    catalog, artifacts = open_catalog(settings), open_storage(settings.artifacts)
    before = read_layout(artifacts)
    layout = before if settings.stack else understand(catalog, settings.layout, before)
    partition = catalog.partition()
    places = {info.key: layout.place(info.key, partition) for info in catalog.photos()}
    if not places:
        raise UsageError(f"no photos ({ACCEPTED}) in {settings.catalog}")
    found = understood(places)
    has_gallery = read_current(artifacts) is not None
    return Explanation(
        settings.catalog,
        layout,
        found,
        tuple(doubts(layout, places, found)),
        before,
        waiting(artifacts, before, layout, time.time()) if has_gallery else None,
        explain_feed(catalog, places),
        unread_feeds(catalog),
        catalog.left_out(),
    )


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


def _unsold(feed: FeedExplanation) -> Iterator[str]:
    yield from _few(
        feed.photos_without_product,
        "photo matches no product of the feed",
        "photos match no product of the feed",
    )


def _by_item(found: Mapping[Told, Understood]) -> dict[str, list[str]]:
    return {item: keys for part in found.values() for item, keys in part.products.items()}


def _few(names: Sequence[str], one: str, several: str) -> Iterator[str]:
    if names:
        more = ", ..." if len(names) > _EXAMPLES else ""
        yield f"{counted(len(names), one, several)}: {', '.join(names[:_EXAMPLES])}{more}"


def _whole(found: Mapping[Told, Understood]) -> Understood:
    whole = Understood()
    for part in found.values():
        for item, keys in part.products.items():
            whole.products[item] += keys
        whole.variants |= part.variants
        whole.categories |= part.categories
    return whole


def _all(found: Mapping[Told, Understood]) -> str:
    return _counts(_whole(found))


def _counts(part: Understood) -> str:
    counts = part.counts
    told = [counted(counts["photos"], "photo"), counted(counts["products"], "product")]
    if counts["variants"]:
        told.append(counted(counts["variants"], "variant"))
    if counts["categories"]:
        told.append(counted(counts["categories"], "category", "categories"))
    return ", ".join(told)
