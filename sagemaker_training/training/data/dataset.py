"""The dataset: a catalog's photos, split into training, validation and test."""

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

# A larger share of missing photos means a wrong folder or an archive that is only partly unpacked.
_MOST_MISSING = 0.1
_NAMED = 5  # photos that a message names
# The share of queries in In-Shop's test part: 14,218 queries, 12,612 photos in the gallery.
_QUERY_SHARE = 0.53


@dataclass(frozen=True)
class Photo:
    """One photo and what it shows."""

    key: str
    item_id: str
    category: str


@dataclass(frozen=True)
class Dataset:
    """The photos of each part, without those that cannot be used, and how they are searched."""

    root: Path
    train: tuple[Photo, ...]
    validation: tuple[Photo, ...]
    test: tuple[Photo, ...]
    validated: dict[str, Split]  # of the validation part, by protocol
    tested: dict[str, Split]  # of the test part, by protocol
    missing: tuple[str, ...] = ()
    broken: tuple[str, ...] = ()

    @property
    def photos(self) -> tuple[Photo, ...]:
        """The photos of all parts."""
        return (*self.train, *self.validation, *self.test)

    @property
    def classes(self) -> dict[str, int]:
        """The class of each item trained on, by its id."""
        return {item: i for i, item in enumerate(sorted({photo.item_id for photo in self.train}))}

    def describe(self) -> dict[str, object]:
        """Return the counts that the model's manifest stores."""
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
    """Read the In-Shop benchmark as it is downloaded (`list_eval_partition.txt` beside `img/`), or
    any folder with a folder of photos per item.

    `share` of the train part is held out for validation. With held_out="items" these are whole
    items: chunk number `fold` of one fixed order, so that runs of every seed are validated on the
    same items. With held_out="photos" they are single photos drawn by `seed`, each of them searched
    among the photos trained on. Raises UsageError when there is nothing to train on.
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
    trainable = [p for p in photos if not partition or partition[p.key].status == "train"]
    test = [p for p in photos if partition and partition[p.key].status != "train"]
    if len({photo.item_id for photo in trainable}) < 2:
        raise UsageError(
            f"{folder} has photos of {len({p.item_id for p in trainable})} items to train on; put "
            "each item's photos into a folder of its own"
        )
    present = {key: entry for key, entry in partition.items() if key not in set(missing)}
    train, validation, validated = _hold_out(trainable, held_out, share, fold, seed)
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
    """Return the dataset without the photos that cannot be decoded, given by their keys."""
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
    """Describe the photos that cannot be used, in one line; empty when all can be used.

    `reasons` tells by key why a photo cannot be decoded.
    """
    lines = []
    for kind, keys in (("missing", dataset.missing), ("broken", dataset.broken)):
        if not keys:
            continue
        some = [f"{key} ({reasons[key]})" if key in reasons else key for key in keys[:_NAMED]]
        more = f" and {len(keys) - _NAMED} more" if len(keys) > _NAMED else ""
        lines.append(f"{len(keys)} photos are {kind}: {', '.join(some)}{more}")
    return "; ".join(lines)


def _hold_out(
    photos: list[Photo], held_out: HeldOut, share: float, fold: int, seed: int
) -> tuple[list[Photo], list[Photo], dict[str, Split]]:
    """Return the training photos, the validation photos, and the validation's splits."""
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
    return train, validation, _validation_splits(train, validation)


def _validation_splits(train: list[Photo], validation: list[Photo]) -> dict[str, Split]:
    """Split the held-out items into queries and gallery, as the test part is.

    The photos trained on are in the gallery too. Among a few held-out items alone, every recipe
    would find nearly everything, and no two recipes could be told apart.
    """
    of_item: dict[str, list[str]] = defaultdict(list)
    for photo in validation:
        of_item[photo.item_id].append(photo.key)
    random = np.random.default_rng(0)
    queries: list[str] = []
    for keys in of_item.values():
        count = min(round(_QUERY_SHARE * len(keys)), len(keys) - 1)
        queries += [keys[i] for i in random.permutation(len(keys))[:count]]
    if not queries:
        raise UsageError("no held-out item has two photos: hold more items out, or fewer photos")
    trained = [photo.key for photo in train]
    keys = [photo.key for photo in validation]
    rest = [key for key in keys if key not in set(queries)]
    splits = {"benchmark": Split(tuple(queries), (*rest, *trained))}
    by_view = split_by_view(keys)
    if by_view.gallery and by_view.queries:
        fronts = (*by_view.gallery, *split_by_view(trained).gallery)
        splits["strict"] = Split(by_view.queries, fronts)
    return splits


def _photos_where(photos: list[Photo], wanted: Callable[[Photo], bool]) -> list[Photo]:
    return [photo for photo in photos if wanted(photo)]
