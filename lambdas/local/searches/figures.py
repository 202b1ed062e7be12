"""The figures: searches, what was found and what was clicked, counted in bounded memory."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from lambdas.search.search_lines import ClickLine, SearchLine

K = TypeVar("K")
V = TypeVar("V")

# A click belongs to a search that is among so many before it; at ten searches a second, two hours.
_AWAITING_CLICKS = 65_536
_MOST_PRODUCTS = 65_536
_MOST_CATEGORIES = 1_024  # whoever sends a request writes them
NOT_KNOWN = "not_known"  # the word of a model that cannot tell


@dataclass
class Count:
    """Searches of one kind, how many of them found anything, and how many led to a click."""

    searches: int = 0
    found: int = 0
    clicked: int = 0

    def to_json(self) -> dict[str, Any]:
        """With the shares of found and clicked, from 0 to 1."""
        return {
            "searches": self.searches,
            "found": self.found,
            "clicked": self.clicked,
            "found_rate": share(self.found, self.searches),
            "click_through": share(self.clicked, self.searches),
        }


@dataclass
class Product:
    """How often an item was among the first that a search showed, and how often it was clicked."""

    shown: int = 0
    clicks: int = 0


class Commonest(Generic[K, V]):
    """Values by key. Beyond twice `most` keys only the `most` heaviest are kept, and one that comes
    back counts from nothing."""

    def __init__(self, most: int, make: Callable[[], V], weight: Callable[[V], Any]) -> None:
        self._most, self._make, self._weight = most, make, weight
        self._values: dict[K, V] = {}
        self.dropped = False

    def __getitem__(self, key: K) -> V:
        if key not in self._values:
            if len(self._values) >= 2 * self._most:
                self._values = dict(self.heaviest()[: self._most])
                self.dropped = True
            self._values[key] = self._make()
        return self._values[key]

    def heaviest(self) -> list[tuple[K, V]]:
        """The keys and values, the heaviest first, otherwise in the order they came."""
        return sorted(self._values.items(), key=lambda each: self._weight(each[1]), reverse=True)


class Figures:
    """What a report is made of."""

    def __init__(self) -> None:
        self.all = Count()
        self.clicks = 0
        self.clicks_apart = 0  # whose search is not among those read
        self.first: datetime | None = None
        self.last: datetime | None = None
        self.days: dict[str, Count] = {}  # in UTC
        self.words: dict[str, Count] = {}
        # By kind of search and category asked; None: none was.
        self.asked: Commonest[tuple[str, str | None], Count] = Commonest(
            _MOST_CATEGORIES, Count, lambda count: count.searches
        )
        self.products: Commonest[str, Product] = Commonest(
            _MOST_PRODUCTS, Product, lambda product: (product.clicks, product.shown)
        )
        self._awaiting: OrderedDict[str, tuple[Count, ...]] = OrderedDict()

    def add(self, line: SearchLine | ClickLine) -> None:
        """Count a line; a click comes after its search."""
        self.first = min(self.first or line.time, line.time)
        self.last = max(self.last or line.time, line.time)
        if isinstance(line, ClickLine):
            self._click(line)
            return
        counts = (
            self.all,
            self.days.setdefault(line.time.date().isoformat(), Count()),
            self.words.setdefault(line.match or NOT_KNOWN, Count()),
            self.asked[line.kind, line.category],
        )
        for count in counts:
            count.searches += 1
            count.found += line.found
        for item in line.items:
            self.products[item].shown += 1
        self._awaiting[line.search_id] = counts
        if len(self._awaiting) > _AWAITING_CLICKS:
            self._awaiting.popitem(last=False)

    def _click(self, line: ClickLine) -> None:
        counts = self._awaiting.get(line.search_id)
        if counts is None:
            self.clicks_apart += 1
            return
        self.clicks += 1
        self.products[line.item_id].clicks += 1
        for count in counts:
            count.clicked += 1
        self._awaiting[line.search_id] = ()  # the next click on it is no other search's

    def categories(self) -> list[tuple[str | None, Count]]:
        """Each category asked, over all kinds of search, the commonest first."""
        found: dict[str | None, Count] = {}
        for (_, category), count in self.asked.heaviest():
            one = found.setdefault(category, Count())
            one.searches += count.searches
            one.found += count.found
            one.clicked += count.clicked
        return sorted(found.items(), key=lambda each: each[1].searches, reverse=True)

    def nothing_found(self) -> list[tuple[str, str | None, int]]:
        """Kind, category and number of the searches that found nothing, the commonest first."""
        each = [(*key, count.searches - count.found) for key, count in self.asked.heaviest()]
        return sorted((one for one in each if one[2]), key=lambda one: one[2], reverse=True)

    def most_clicked(self) -> list[tuple[str, Product]]:
        """Items that were clicked, the most often first."""
        return [(item, one) for item, one in self.products.heaviest() if one.clicks]

    def never_clicked(self) -> list[tuple[str, Product]]:
        """Items that were shown and never clicked, the most often shown first."""
        return [(item, one) for item, one in self.products.heaviest() if not one.clicks]


def count(lines: Iterable[SearchLine | ClickLine]) -> Figures:
    """The figures of these lines, which come by time."""
    figures = Figures()
    for line in lines:
        figures.add(line)
    return figures


def share(part: int, whole: int) -> float | None:
    """From 0 to 1; None of nothing."""
    return round(part / whole, 4) if whole else None
