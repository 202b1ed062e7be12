"""The feed report: what a product file says, and per line what of it cannot be used."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict

from lambdas.local.cli.picture_status import addressed, addressed_lines
from lambdas.local.counted import counted
from lens.feed.feed import Feed, Problem


def feed_report(name: str, feed: Feed, *, as_json: bool = False) -> str:
    """A line of counts, then one for each problem."""
    if as_json:
        return json.dumps(_facts(name, feed), indent=1, default=str)
    return "\n".join(_lines(name, feed))


def _lines(name: str, feed: Feed) -> Iterator[str]:
    groups = {product.item_group_id or product.id for product in feed.products}
    yield f"{name}: {feed.dialect}, {counted(len(groups), 'product')}, " + counted(
        len(feed.products), "variant"
    )
    for reason, number in feed.left_out.items():
        yield f"left out: {number} ({reason})"
    lacking = _lacking(feed)
    for what, number in lacking.items():
        if number:
            yield f"without {what}: {number}"
    if paths := _paths(feed):
        yield f"links: {paths} are paths in the shop; LENS_SHOP_URL=https://... completes them"
    if bare := lacking["a currency"]:
        yield f"prices: {bare} are amounts alone; LENS_SHOP_CURRENCY=EUR says what they are in"
    yield from addressed_lines(addressed(feed.products))
    width = max((len(each.product) for each in feed.problems), default=0)
    for problem in feed.problems:
        yield f"line {problem.line:<6}{problem.product:<{width}}  {_told(problem)}"


def _told(problem: Problem) -> str:
    named = f"{problem.field}: " if problem.field else ""
    cost = "the row is left out" if problem.costs == "product" else "the field is left out"
    return f"{named}{problem.what} ({cost})"


def _lacking(feed: Feed) -> dict[str, int]:
    """How many variants lack what a shopper looks for."""
    return {
        "a title": sum(not each.title for each in feed.products),
        "a price": sum(each.price is None for each in feed.products),
        "a currency": sum(
            each.price is not None and not each.price.currency for each in feed.products
        ),
        "a link": sum(not each.link for each in feed.products),
        "a picture": sum(not each.images for each in feed.products),
    }


def _paths(feed: Feed) -> int:
    """How many variants have a link that is a path in the shop, whose address they do not tell."""
    return sum(each.link.startswith("/") for each in feed.products)


def _facts(name: str, feed: Feed) -> dict[str, object]:
    return {
        "file": name,
        "dialect": feed.dialect,
        "variants": len(feed.products),
        "products": len({each.item_group_id or each.id for each in feed.products}),
        "left_out": feed.left_out,
        "lacking": _lacking(feed),
        "links_in_the_shop": _paths(feed),
        "pictures": addressed(feed.products),
        "problems": [asdict(each) for each in feed.problems],
    }
