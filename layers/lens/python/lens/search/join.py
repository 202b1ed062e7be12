"""The join: which products each photo of a gallery may show, for all photos at once. It says of
each photo what `products.sold_as` says of one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from lens.errors import FilterError
from lens.feed.columns import Columns, Mask
from lens.feed.filter import Filter
from lens.gallery.assortment import Assortment, Found, Hashes
from lens.gallery.gallery import Gallery
from lens.gallery.product_tables import Shelf
from lens.gallery.rows import Positions, Row
from lens.gallery.segments import Segment
from lens.gallery.selection import Selection
from lens.gallery.snapshots import Snapshot
from lens.search.cache import Cache
from lens.search.photo_names import PhotoNames

# Selections of the filters that were asked for last, of 9 bytes a photo.
_KEPT_BYTES = 64_000_000


@dataclass(frozen=True)
class TellingNames:
    """The names that products of one item alone have, sorted, and whose each is: numbers of the
    products of the whole table, and after them of those that have changed."""

    names: Hashes
    starts: Positions  # of each name's owners; one more than names
    owners: NDArray[np.int64]

    @classmethod
    def of(cls, assortment: Assortment) -> TellingNames:
        """Of the products as they are now."""
        whole, changes = assortment.whole, assortment.changes
        valid = ~assortment.replaced[whole.owners]
        names = np.concatenate([whole.names[valid], changes.names])
        owners = np.concatenate([whole.owners[valid], changes.owners + np.int64(len(whole))])
        order = np.argsort(names, kind="stable")
        names, owners = names[order], owners[order]
        first = np.ones(len(names), np.bool_)
        first[1:] = names[1:] != names[:-1]
        group = np.cumsum(first) - 1
        counts = np.bincount(group)
        # A picture may be called `front.jpg` in the products of several items: it tells nothing.
        shared = counts[group] > 1
        items = np.concatenate([whole.item_id, changes.item_id])
        firsts = owners[first][group[shared]]
        telling = np.ones(len(counts), np.bool_)
        telling[group[shared][items[owners[shared]] != items[firsts]]] = False
        starts = np.concatenate([[0], np.cumsum(counts[telling])])
        return cls(names[first][telling], starts, owners[telling[group]])

    def any_owner(self, satisfying: Mask) -> Mask:
        """By name, whether a product that has it is among these; and False for no name, last."""
        none = np.zeros(1, np.bool_)
        if len(self.names) == 0:
            return none
        found = np.logical_or.reduceat(satisfying[self.owners], self.starts[:-1])
        return np.concatenate([found, none])


@dataclass(frozen=True)
class _Photos:
    """Photos of one file of the gallery: their names, and which of them tells each one's item."""

    names: PhotoNames
    telling: NDArray[np.int32]  # the place of a telling name; -1: none


@dataclass(frozen=True)
class Join:
    """Of one gallery's photos with the products of its shelf."""

    gallery: Gallery
    telling: TellingNames
    columns: Mapping[str, Columns]  # of the shelf's tables
    indexed: _Photos | None  # of the snapshot, by position
    recent: Mapping[str, _Photos]  # of the recent segments
    _selections: Cache[Selection] = field(
        default_factory=lambda: Cache(_KEPT_BYTES, _bytes_of), compare=False
    )

    def select(self, wanted: Filter, view: Gallery) -> Selection:
        """The photos of a view that may show a product which satisfies all of a filter; a view is
        the gallery, or the gallery without some photos. Raises FilterError for a price without a
        currency, where there are several."""
        if view is not self.gallery:
            return view.select(*self._chosen(wanted))
        selection = self._selections.get(wanted)
        if selection is None:
            selection = view.select(*self._chosen(wanted))
            self._selections.put(wanted, selection)
        return selection

    def photos_of(self, found: Found) -> Iterator[Row]:
        """The photos that may show one of these products, in no order."""
        assortment = shelf_of(self.gallery).assortment
        products = np.zeros(len(assortment.whole) + len(assortment.changes), np.bool_)
        for table, position in found.owners:
            products[position + (0 if table is assortment.whole else len(assortment.whole))] = True
        return self.gallery.chosen(*self._showing(products))

    def _chosen(self, wanted: Filter) -> tuple[Mask, Mask]:
        return self._showing(self._satisfying(wanted))

    def _showing(self, products: Mask) -> tuple[Mask, Mask]:
        found = self.telling.any_owner(products)
        indexed = found[self.indexed.telling] if self.indexed else np.empty(0, np.bool_)
        recent = [found[photos.telling] for photos in self.recent.values()]
        return indexed, np.concatenate(recent) if recent else np.empty(0, np.bool_)

    def _satisfying(self, wanted: Filter) -> Mask:
        shelf = shelf_of(self.gallery)
        gone = shelf.assortment.replaced
        refs = shelf.manifest.whole, shelf.manifest.changes
        tables = [self.columns[ref.id] if ref else None for ref in refs]
        masks = [~gone, np.ones(len(shelf.assortment.changes), np.bool_)]
        pairs = [(table, mask) for table, mask in zip(tables, masks, strict=True) if table]
        if wanted.names_no_currency:
            currencies = sorted(set().union(*(table.currencies(mask) for table, mask in pairs)))
            if len(currencies) > 1:
                price = wanted.names_no_currency
                raise FilterError(
                    f"{price}: the product file has prices in {' and '.join(currencies)}; name "
                    f"one, like {price}<=50 {currencies[0]}"
                )
        found = [table.satisfying(wanted) & mask for table, mask in pairs]
        return np.concatenate(found) if found else np.empty(0, np.bool_)


def join(gallery: Gallery, before: Join | None = None, currency: str = "") -> Join:
    """The join of a gallery that has a shelf; what `before` has is not made again. A changed price
    makes the changed products' columns again, an added photo its names. Amounts without a currency
    are in this one."""
    shelf = shelf_of(gallery)
    have = before.columns if before else {}
    columns = {
        name: have.get(name) or Columns.of(map(table.text_at, range(len(table))), currency)
        for name, table in shelf.tables.items()
    }
    telling = TellingNames.of(shelf.assortment)
    same = before is not None and np.array_equal(telling.names, before.telling.names)

    def again(photos: _Photos) -> _Photos:
        if same:
            return photos
        return _Photos(photos.names, photos.names.first_among(telling.names))

    def of_snapshot(snapshot: Snapshot | None) -> _Photos | None:
        if snapshot is None:
            return None
        if before is not None and before.indexed and before.gallery.snapshot is snapshot:
            return again(before.indexed)
        names = PhotoNames.of(snapshot.rows, snapshot.layout.rows_at.astype(np.intp))
        return _Photos(names, names.first_among(telling.names))

    def of_segment(name: str, segment: Segment) -> _Photos:
        known = before.recent.get(name) if before else None
        if known is not None:
            return again(known)
        names = PhotoNames.of(segment.rows, segment.rows.photo_rows)
        return _Photos(names, names.first_among(telling.names))

    segments = [*gallery.carried.items(), *gallery.tail.items()]
    recent = {name: of_segment(name, segment) for name, segment in segments}
    return Join(gallery, telling, columns, of_snapshot(gallery.snapshot), recent)


def shelf_of(gallery: Gallery) -> Shelf:
    """A gallery's products. Raises FilterError where there is no product file, or it cannot be read
    here."""
    if gallery.shelf is None and gallery.damaged:
        raise FilterError("the products cannot be read now: send no filter")
    if gallery.shelf is None:
        raise FilterError("there is no product file to filter by; add one, or send no filter")
    return gallery.shelf


def _bytes_of(selection: Selection) -> int:
    indexed = len(selection.indexed.mask) if selection.indexed else 0
    return 9 * indexed + len(selection.recent)
