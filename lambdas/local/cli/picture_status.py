"""Picture status: what the product file names by address and what became of it, for `lens status`
and `lens feed check`."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from lens.feed.pictures import addresses_of
from lens.feed.product import Product
from lens.fetching.addresses import refusal
from lens.gallery.gallery import Gallery
from lens.photos.catalog import Catalog
from lens.pipeline.own_photos import is_doubted
from lens.pipeline.picture_plan import Unusable
from lens.pipeline.pictures import report_pictures
from lens.settings import variable
from lens.storage import Storage

_SHOWN = 5
_SETTING = f"{variable('feed_pictures')}=1"


def picture_status(catalog: Catalog, artifacts: Storage, gallery: Gallery) -> dict[str, Any] | None:
    """How far fetching is; None where nothing is fetched."""
    if catalog.pictures is None or gallery.shelf is None:
        return None
    report = report_pictures(catalog, artifacts, gallery.shelf.assortment)
    failed = report.state.failures.values()
    return {
        "named": len(report.plan.wanted),
        "there": report.there,
        "lacking": report.lacking,
        "leaving": report.leaving,
        "own_photos_absent": is_doubted(report.state.absent_since, time.time()),
        "failed": [each.model_dump() for each in sorted(failed, key=lambda each: each.product)],
        "unusable": [_entry(each) for each in report.plan.unusable],
        "resting_hosts": {name: rest.why for name, rest in report.state.hosts.items()},
    }


def picture_lines(pictures: dict[str, Any]) -> list[str]:
    """The same as text."""
    lacking = f", {pictures['lacking']} to be fetched" if pictures["lacking"] else ""
    lines = [f"pictures   {pictures['there']} of {pictures['named']} are fetched{lacking}"]
    for host, why in pictures["resting_hosts"].items():
        lines.append(f"           {host} is left alone for a while: {why}")
    if pictures["leaving"]:
        lines.append(
            f"           {pictures['leaving']} are named by no product any more; many at once go "
            "after a day"
        )
    if pictures["own_photos_absent"]:
        lines.append(
            "           all of the shop's own photos are gone at once: is the drive mounted? "
            "Nothing is fetched for a day"
        )
    for name, what in (("failed", "cannot be fetched"), ("unusable", "may not be fetched")):
        lines += _some(pictures[name], what)
    return lines


def addressed(products: Sequence[Product]) -> dict[str, Any]:
    """The addresses in a product file: how many may be fetched, and those that may not."""
    named = [(product.id, each) for product in products for each in addresses_of(product)]
    reasons = {address: refusal(address) for _, address in named}
    return {
        "addresses": sum(why is None for why in reasons.values()),
        "unusable": [
            _entry(Unusable(product, address, why))
            for product, address in named
            if (why := reasons[address])
        ],
    }


def addressed_lines(found: dict[str, Any]) -> list[str]:
    """The same as text, for `lens feed check`."""
    lines = []
    if number := found["addresses"]:
        lines.append(
            f"pictures: {number} address{'' if number == 1 else 'es'}; {_SETTING} fetches those "
            "of products without photos"
        )
    for each in found["unusable"]:
        lines.append(f"{each['product']}: {each['address']} may not be fetched: {each['why']}")
    return lines


def _entry(each: Unusable) -> dict[str, str]:
    return {"product": each.product, "address": each.address, "why": each.why}


def _some(entries: Sequence[dict[str, Any]], what: str) -> list[str]:
    lines = [
        f"           {each['product']}: {each['address']} {what} ({each['why']})"
        for each in entries[:_SHOWN]
    ]
    if len(entries) > _SHOWN:
        lines.append(f"           and {len(entries) - _SHOWN} more that {what} (see --json)")
    return lines
