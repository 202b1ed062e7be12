"""Recognition: tells a catalog's layout from its keys, where many products speak for it.

It is careful: names that a camera gave, or that number photos, are no products, and what is not
recognized is what its folders say. What was recognized once holds while it still says something of
half the photos, so that no odd file regroups a gallery.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import median

from lens.photos.layouts.file_names import FileName, is_code, read_name
from lens.photos.layouts.layout import (
    Folder,
    Layout,
    Names,
    Rule,
    is_variant,
    item_in_name,
    split_key,
)

_NEARLY_ALL = 0.9
_MOST = 0.5
_VIEWS = 12  # photos that a product usually has at most, of one variant
_IN_FOLDER = 3  # products with several photos, in a folder that could be one product's
_IN_ROOT = 2

Named = dict[str, list[FileName]]  # by product


def recognize(keys: Iterable[str], before: Layout | None = None) -> Layout:
    """The layout of photos with these keys; `before` is what was recognized earlier."""
    folders: dict[Folder, list[FileName]] = defaultdict(list)
    for key in keys:
        folder, stem = split_key(key)
        folders[folder].append(read_name(stem))
    if before is None or before.given:
        before = Layout()
    root = _Part({(): folders.pop((), [])}, _IN_ROOT)
    tops: dict[str, dict[Folder, list[FileName]]] = defaultdict(dict)
    for at, found in folders.items():
        tops[at[0]][at] = found
    own = {top: _Part(tops[top]).rule(rule) for top, rule in before.folders.items() if top in tops}
    rest = _Part({at: names for at, names in folders.items() if at[0] not in own})
    rule = rest.rule(before.rest)
    for top in tops.keys() - own.keys():
        part = _Part(tops[top])
        alone = part.rule(rule)
        if rule.names == "no" or not part.still_named:
            own[top] = alone
    others = {top: each for top, each in own.items() if each != rule}
    return Layout(root=root.rule(before.root), rest=rule, folders=others)


@dataclass(frozen=True)
class _Part:
    """Some folders of a catalog, with the names of the photos in each."""

    folders: dict[Folder, list[FileName]]
    several: int = _IN_FOLDER

    def rule(self, before: Rule) -> Rule:
        """How they are read, where it was `before`."""
        if not self.photos:
            return before
        names = before.names if before.names != "no" and self.still_named else self._names()
        inner = [at for at in self.folders if len(at) >= 2 and is_code(at[-2])]
        kept = before.variants and (not inner or any(map(is_variant, inner)))
        return Rule(names, kept or self._has_variants(inner))

    @cached_property
    def photos(self) -> int:
        """How many photos there are."""
        return sum(map(len, self.folders.values()))

    @cached_property
    def still_named(self) -> bool:
        """Whether at least half of the names begin with a product."""
        named = sum(bool(name.whole) for names in self.folders.values() for name in names)
        return named >= _MOST * self.photos

    def _names(self) -> Names:
        """How the file names are read: they are, where most folders hold many products each."""
        stems = [name for names in self.folders.values() for name in names if name.whole]
        coded = sum(bool(name.code) for name in stems)
        how: Names = "code" if stems and coded >= _NEARLY_ALL * len(stems) else "whole"
        products = {at: _products(names, how) for at, names in self.folders.items()}
        one = [at for at, found in products.items() if self._may_be_either(at, found)]
        many = [at for at, found in products.items() if self._can_be_many(at, found)]
        sure = [at for at in many if self._is_many(at, products[at])]
        undecided = sum(len(self.folders[at]) for at in one)
        decided = self.photos - undecided
        spoken = sum(len(self.folders[at]) for at in many)
        certain = sum(len(self.folders[at]) for at in sure)
        if not sure or spoken < _NEARLY_ALL * decided or certain < _MOST * decided:
            return "no"
        if undecided > _MOST * self.photos or _recur(products, many) > _MOST:
            return "no"
        ids = {item for at in many for item in products[at]}
        return how if sum(map(_like_a_product, ids)) >= _MOST * len(ids) else "no"

    def _may_be_either(self, at: Folder, found: Named) -> bool:
        """A folder with one product by its names, of which it is not named itself."""
        if len(found) != 1 or not at:
            return False
        item, folder = next(iter(found)).casefold(), at[-1].casefold()
        return self._is_named(at, found) and item not in folder and folder not in item

    def _can_be_many(self, at: Folder, found: Named) -> bool:
        return len(found) >= 2 and self._is_named(at, found)

    def _is_many(self, at: Folder, found: Named) -> bool:
        """Several products with several photos each, numbered as views are."""
        several = sum(len(names) >= 2 for names in found.values())
        if several < self.several:
            return False
        views: dict[tuple[str, str], list[FileName]] = defaultdict(list)
        for item, names in found.items():
            for name in names:
                views[item, name.whole].append(name)
        numbered = [_numbered(names) for names in views.values()]
        return (
            sum(numbered) >= _NEARLY_ALL * len(numbered)
            and median(map(len, views.values())) <= _VIEWS
        )

    def _is_named(self, at: Folder, found: Named) -> bool:
        return sum(map(len, found.values())) >= _NEARLY_ALL * len(self.folders[at])

    def _has_variants(self, inner: Sequence[Folder]) -> bool:
        """Whether folders of products hold folders that have the same names in several of them."""
        chosen = [at for at in inner if is_variant(at)]
        parents = {at[:-1] for at in chosen}
        if len(parents) < 2 or len(chosen) < _NEARLY_ALL * len(inner):
            return False
        names = Counter(at[-1].casefold() for at in chosen)
        again = sum(names[at[-1].casefold()] > 1 for at in chosen)
        alone = sum(len(_products(self.folders[at], "code")) <= 1 for at in chosen)
        return (
            again >= _MOST * len(chosen)
            and alone >= _NEARLY_ALL * len(chosen)
            and median(len(self.folders[at]) for at in chosen) <= _VIEWS
        )


def _products(names: Sequence[FileName], how: Names) -> Named:
    found: Named = defaultdict(list)
    for name in names:
        if item := item_in_name(name, how):
            found[item].append(name)
    return found


def _numbered(names: Sequence[FileName]) -> bool:
    """Whether the numbers are those of a product's views: they begin at 0 or 1, without wide gaps.
    `dress-12` and `dress-13` are products of their own."""
    numbers = [name.number for name in names if name.number is not None]
    return not numbers or (min(numbers) <= 1 and max(numbers) <= 2 * len(names) + 2)


def _recur(products: dict[Folder, Named], many: Sequence[Folder]) -> float:
    """Which share of the products is in several folders: then the names are those of views."""
    counts = Counter(item for at in many for item in products[at])
    return sum(count > 1 for count in counts.values()) / len(counts) if counts else 0.0


def _like_a_product(item: str) -> bool:
    """`mb01` and `red-boot`, not `dress`."""
    return any(sign.isdigit() for sign in item) or any(sign in " _.-" for sign in item)
