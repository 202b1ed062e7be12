"""The search report: what people looked for, found and clicked, as text for people or as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from typing import Any

from lambdas.local.searches.figures import NOT_KNOWN, Count, Figures

_DAYS, _SHOWN, _IN_JSON = 31, 10, 1_000
_WIDTH = 46
# From the most alike; `same` and its like are the API's words.
_WORDS = {
    "same": "same",
    "very_similar": "very similar",
    "similar_style": "similar",
    "none": "none",
    NOT_KNOWN: "not known (no calibration)",
}


def search_report(figures: Figures, unreadable: int, *, as_json: bool = False) -> str:
    """The report; `unreadable` is the number of lines that could not be counted."""
    if as_json:
        return json.dumps(_json(figures, unreadable), indent=1)
    return "\n".join(_text(figures, unreadable))


def _text(figures: Figures, unreadable: int) -> Iterator[str]:
    if unreadable:
        yield f"not counted, because damaged or not a search log's: {unreadable:,} lines"
    if not figures.all.searches:
        yield "no searches here"
        return
    days = sorted(figures.days)
    yield f"{figures.all.searches:,} searches, {days[0]} to {days[-1]} (UTC)"
    yield ""
    yield f"{'':<{_WIDTH}} {'searches':>9} {'found':>7} {'clicked':>8}"
    yield _line("all", figures.all)
    for day in days[-_DAYS:]:
        yield _line(day, figures.days[day])
    if len(days) > _DAYS:
        yield f"  and {len(days) - _DAYS} earlier days (--json)"
    yield from _section("how like the first product was", "share")
    for word, name in _WORDS.items():
        if word in figures.words:
            yield _share(name, figures.words[word].searches, figures.all.searches)
    categories = figures.categories()
    yield f"\n{'category asked':<{_WIDTH}} {'searches':>9} {'found':>7} {'clicked':>8}"
    for category, count in categories[:_SHOWN]:
        yield _line(category or "(none)", count)
    if len(categories) > _SHOWN:
        yield f"  and {len(categories) - _SHOWN} more (--json)"
    if nothing := figures.nothing_found():
        yield from _section("found nothing, by what was sent and category", "searches")
        for kind, category, number in nothing[:_SHOWN]:
            yield _number(f"{kind}, {category or '(none)'}", number)
    yield f"\nclicks: {figures.clicks:,}"
    if figures.clicks_apart:
        yield f"  and {figures.clicks_apart:,} on searches that are not here"
    if clicked := figures.most_clicked():
        yield from _section("most clicked products", "clicks")
        for item, product in clicked[:_SHOWN]:
            yield _number(item, product.clicks)
    if shown := figures.never_clicked():
        yield from _section("shown among the first five, never clicked", "shown")
        for item, product in shown[:_SHOWN]:
            yield _number(item, product.shown)
    if figures.products.dropped or figures.asked.dropped:
        yield "\nToo many products or categories to count each: the rarest may be missing."


def _section(name: str, column: str) -> Iterator[str]:
    yield f"\n{name:<{_WIDTH}} {column:>9}"


def _line(name: str, count: Count) -> str:
    found, clicked = count.found / count.searches, count.clicked / count.searches
    return f"  {name:<{_WIDTH - 2}} {count.searches:>9,} {found:>7.1%} {clicked:>8.1%}"


def _share(name: str, part: int, whole: int) -> str:
    return f"  {name:<{_WIDTH - 2}} {part / whole:>9.1%}"


def _number(name: str, number: int) -> str:
    return f"  {name:<{_WIDTH - 2}} {number:>9,}"


def _json(figures: Figures, unreadable: int) -> dict[str, Any]:
    first, last = figures.first, figures.last
    return {
        "first": first.isoformat() if first else None,
        "last": last.isoformat() if last else None,
        "unreadable": unreadable,
        **figures.all.to_json(),
        "clicks": figures.clicks,
        "clicks_apart": figures.clicks_apart,
        "days": {day: figures.days[day].to_json() for day in sorted(figures.days)},
        "match": {word: figures.words[word].to_json() for word in _WORDS if word in figures.words},
        "categories": [
            {"category": category, **count.to_json()}
            for category, count in islice(figures.categories(), _IN_JSON)
        ],
        "nothing_found": [
            {"kind": kind, "category": category, "searches": number}
            for kind, category, number in islice(figures.nothing_found(), _IN_JSON)
        ],
        "most_clicked": [
            {"item_id": item, "clicks": product.clicks, "shown": product.shown}
            for item, product in islice(figures.most_clicked(), _IN_JSON)
        ],
        "never_clicked": [
            {"item_id": item, "shown": product.shown}
            for item, product in islice(figures.never_clicked(), _IN_JSON)
        ],
        "complete": not (figures.products.dropped or figures.asked.dropped),
    }
