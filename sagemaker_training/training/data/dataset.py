"""The data: a catalog's photos for training, validation and the benchmark's test."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from lens.errors import UsageError
from lens.evaluation.protocols import PROTOCOLS, Split, split_by_view, split_of
from lens.photos.catalog import PARTITION_KEY, Catalog, category, item_id
from lens.storage import open_storage
from training.presets import HeldOut

# More than this share missing is no damage but another folder, or a half unpacked archive.
_MOST_MISSING = 0.1
_NAMED = 5
# Of the photos of In-Shop's test part: 14,218 queries, 12,612 gallery.
_ASKED = 0.53


@dataclass(frozen=True)
class Photo:
    """One photo and what it shows."""

    key: str
    item_id: str
    category: str


@dataclass(frozen=True)
class Dataset:
    """What there is to learn from and to be tested on, without the photos that cannot be used."""

    root: Path
    train: tuple[Photo, ...]
    validation: tuple[Photo, ...]
    test: tuple[Photo, ...]
    validated: dict[str, Split]  # by protocol; keys of queries and of what they are searched in
    tested: dict[str, Split]
    missing: tuple[str, ...] = ()
    broken: tuple[str, ...] = ()

    @property
    def photos(self) -> tuple[Photo, ...]:
        """All that is decoded."""
        return (*self.train, *self.validation, *self.test)

    def describe(self) -> dict[str, object]:
        """For the manifest."""
        counts = {
            part: {"photos": len(photos), "items": len({photo.item_id for photo in photos})}
            for part, photos in (
                ("train", self.train),
                ("validation", self.validation),
                ("test", self.test),
            )
        }
        return {**counts, "missing": len(self.missing), "broken": len(self.broken)}


def read_dataset(
    folder: str | Path, *, held_out: HeldOut, share: float, fold: int = 0, seed: int = 0
) -> Dataset:
    """The In-Shop benchmark as it is downloaded (`list_eval_partition.txt` beside `img/`), or any
    folder with a folder of photos per item.

    `share` of the train part is held out: whole items, chunk `fold` of one fixed order, so that
    runs of every seed are validated alike; or single photos at random by `seed`, each of which is
    then searched among the photos trained on. Raises UsageError when there is nothing to train on.
    """
    catalog = Catalog(open_storage(folder))
    partition = catalog.partition()
    there = [info.key for info in catalog.photos()]
    missing: tuple[str, ...] = ()
    if partition:
        missing = tuple(sorted(partition.keys() - set(there)))
        if len(missing) > _MOST_MISSING * len(partition):
            raise UsageError(
                f"{len(missing)} of the {len(partition)} photos in {PARTITION_KEY} are missing, "
                f"{missing[0]} first: unpack img.zip, and name the folder that holds img/"
            )
        there = [key for key in there if key in partition]
    photos = [Photo(key, item_id(key, partition), category(key)) for key in there]
    learnt = [p for p in photos if not partition or partition[p.key].status == "train"]
    test = [p for p in photos if partition and partition[p.key].status != "train"]
    if len({photo.item_id for photo in learnt}) < 2:
        raise UsageError(
            f"{folder} has photos of {len({p.item_id for p in learnt})} items to train on; put "
            "each item's photos into a folder of its own"
        )
    present = {key: entry for key, entry in partition.items() if key not in set(missing)}
    train, validation, validated = _held_out(learnt, held_out, share, fold, seed)
    return Dataset(
        root=Path(folder),
        train=tuple(train),
        validation=tuple(validation),
        test=tuple(test),
        validated=validated,
        tested={protocol: split_of(present, protocol) for protocol in PROTOCOLS} if test else {},
        missing=missing,
    )


def without_broken(dataset: Dataset, broken: Iterable[str]) -> Dataset:
    """The dataset without the photos that cannot be decoded."""
    gone = set(broken)

    def kept(photos: Sequence[Photo]) -> tuple[Photo, ...]:
        return tuple(photo for photo in photos if photo.key not in gone)

    def cleaned(splits: dict[str, Split]) -> dict[str, Split]:
        return {
            name: Split(
                tuple(key for key in split.queries if key not in gone),
                tuple(key for key in split.gallery if key not in gone),
            )
            for name, split in splits.items()
        }

    return replace(
        dataset,
        train=kept(dataset.train),
        validation=kept(dataset.validation),
        test=kept(dataset.test),
        validated=cleaned(dataset.validated),
        tested=cleaned(dataset.tested),
        broken=tuple(sorted(gone)),
    )


def problems_report(dataset: Dataset, reasons: dict[str, str]) -> str:
    """One text about every photo that cannot be used; empty when all can. `reasons` by key."""
    lines = []
    for kind, keys in (("missing", dataset.missing), ("broken", dataset.broken)):
        if not keys:
            continue
        some = [f"{key} ({reasons[key]})" if key in reasons else key for key in keys[:_NAMED]]
        more = f" and {len(keys) - _NAMED} more" if len(keys) > _NAMED else ""
        lines.append(f"{len(keys)} photos are {kind}: {', '.join(some)}{more}")
    return "; ".join(lines)


def _held_out(
    photos: list[Photo], held_out: HeldOut, share: float, fold: int, seed: int
) -> tuple[list[Photo], list[Photo], dict[str, Split]]:
    """Training photos, validation photos and how these are searched."""
    if not share:
        return photos, [], {}
    if held_out == "photos":
        order = np.random.default_rng(seed).permutation(len(photos))
        chosen = {photos[i].key for i in order[: max(1, round(share * len(photos)))]}
    else:
        items = sorted({photo.item_id for photo in photos})
        count = max(1, round(share * len(items)))
        if (fold + 1) * count > len(items):
            raise UsageError(f"there is no fold {fold}: the items make {len(items) // count} folds")
        order = np.random.default_rng(0).permutation(len(items))
        of_fold = {items[i] for i in order[fold * count : (fold + 1) * count]}
        chosen = {photo.key for photo in photos if photo.item_id in of_fold}
    train = _photos_where(photos, lambda photo: photo.key not in chosen)
    validation = _photos_where(photos, lambda photo: photo.key in chosen)
    if held_out == "photos":
        keys = tuple(photo.key for photo in validation)
        return train, validation, {"held-out": Split(keys, tuple(p.key for p in train))}
    return train, validation, _like_the_test(train, validation)


def _like_the_test(train: list[Photo], validation: list[Photo]) -> dict[str, Split]:
    """Held-out items asked for as the test's are, among the photos trained on besides: a handful
    of items alone would be found too easily to tell one recipe from another."""
    of_item: dict[str, list[str]] = defaultdict(list)
    for photo in validation:
        of_item[photo.item_id].append(photo.key)
    drawn = np.random.default_rng(0)
    queries: list[str] = []
    for keys in of_item.values():
        asked = round(_ASKED * len(keys))
        queries += [keys[i] for i in drawn.permutation(len(keys))[: min(asked, len(keys) - 1)]]
    if not queries:
        raise UsageError("no held-out item has two photos: hold more items out, or fewer photos")
    known = [photo.key for photo in train]
    keys = [photo.key for photo in validation]
    rest = [key for key in keys if key not in set(queries)]
    splits = {"benchmark": Split(tuple(queries), (*rest, *known))}
    by_view = split_by_view(keys)
    if by_view.gallery and by_view.queries:
        fronts = (*by_view.gallery, *split_by_view(known).gallery)
        splits["strict"] = Split(by_view.queries, fronts)
    return splits


def _photos_where(photos: list[Photo], wanted: Callable[[Photo], bool]) -> list[Photo]:
    return [photo for photo in photos if wanted(photo)]
