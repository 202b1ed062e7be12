"""Power cuts: a gallery's life on a simulated disk, cut at any operation, and what must be left.

    python -m tests.histories.power_cuts [--states 20] [--seed 0]

After each cut each state in which the disk may be found is opened: so many for each operation.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest import mock

from lens.gallery.assortment import Entry, Products
from lens.gallery.commits import history, read_head
from lens.gallery.current import Current, read_current, swap_current
from lens.gallery.loading import load_gallery
from lens.gallery.product_tables import ProductsManifest, new_look_id, write_look, write_table
from lens.models.manifest import read_manifest, read_network
from lens.photos.thumbnail_store import PREFIX as THUMBS
from lens.photos.thumbnail_store import write_thumbnail
from lens.pipeline.collect import collect
from lens.pipeline.commit import commit_feed, commit_segments, uncommitted_segments
from lens.pipeline.compact import fold, merge
from lens.pipeline.promote import nominate, switch
from lens.storage import FileStorage, ObjectInfo
from tests.histories.simulated_disk import Cut, Files, Operation, SimulatedDisk
from tests.support.small_galleries import DAY, NOW, add, gone, photo, write
from tests.support.tiny_model import write_tiny_model

_FOLDER = "artifacts"


@dataclass(frozen=True)
class Seen:
    """What a searcher sees: the live model, photo ids by key, and the products."""

    live: str | None = None
    photos: tuple[tuple[str, str], ...] = ()
    products: tuple[tuple[str, bytes], ...] = ()


@dataclass(frozen=True)
class Put:
    """A write that is under way, or done: these bytes (None: removed) lie at the key."""

    key: str
    data: bytes | None
    done: bool


class LostError(AssertionError):
    """A power cut took what had to stay."""


class _Noting(FileStorage):
    """Notes what is written and removed durably, before and after."""

    def __init__(self, root: Path, note: Callable[[Put], None]) -> None:
        super().__init__(root)
        self._note = note

    def write(self, key: str, data: bytes, **options: Any) -> ObjectInfo:
        self._note(Put(key, data, done=False))
        info = super().write(key, data, **options)
        self._note(Put(key, data, done=True))
        return info

    def delete_many(self, keys: Iterable[str]) -> None:
        keys = list(keys)
        for done in (False, True):
            if done:
                super().delete_many(keys)
            for key in keys:
                self._note(Put(key, None, done=done))


def record(
    folder: Path, unsynced: Callable[[str, str], bool] = lambda kind, path: False
) -> list[Operation]:
    """A gallery's life in `folder`, with what its user was told by then. See SimulatedDisk."""
    disk = SimulatedDisk(folder / _FOLDER, unsynced)
    storage = _Noting(folder / _FOLDER, disk.note)
    with disk.recording():
        for _ in _life(storage):
            disk.note(see(storage))
    return disk.log


def _life(storage: FileStorage) -> Iterator[None]:
    """Each step makes at most one change that a searcher sees."""
    model, other = (write_tiny_model(storage, seed).model_id for seed in (1, 2))
    swap_current(storage, lambda _: Current(live=model))
    yield
    write_thumbnail(storage, "a 1", bytes(9000))
    add(storage, photo("a.jpg", "01"), photo("b.jpg", "01"), model_id=model)
    yield
    add(storage, photo("a.jpg", "02"), photo("c.jpg", "01"), model_id=model)
    yield
    fold(storage, read_head(storage, model), now=NOW)
    yield
    for row in (photo("d.jpg", "01"), gone("b.jpg", "02"), photo("e.jpg", "01")):
        add(storage, row, model_id=model)
        yield
    merge(storage, read_head(storage, model), now=NOW)
    yield
    commit_feed(storage, model, [_write_products(storage, model)], now=NOW)
    yield
    fold(storage, read_head(storage, model), now=NOW)
    yield
    nominate(storage, other, clock=lambda: NOW)
    add(storage, photo("a.jpg", "02"), photo("f.jpg", "01"), model_id=other)
    yield
    switch(storage, other, clock=lambda: NOW)
    yield
    write(storage, photo("g.jpg", "01"), model_id=other)  # by one that ended before its commit
    for day in (40, 42):
        collect(storage, storage, lambda looks: None, now=NOW + day * DAY)
        yield
    add(storage, photo("h.jpg", "01", at=NOW + 42 * DAY), model_id=other, now=NOW + 42 * DAY)
    yield


def _write_products(storage: FileStorage, model_id: str) -> str:
    look = new_look_id()
    products = Products.of([Entry("dress", "dress", ("id:dress",), b"{}")])
    table = write_table(storage, model_id, look, products)
    return write_look(
        storage,
        ProductsManifest(
            id=look,
            model_id=model_id,
            previous=None,
            file="products.csv",
            etag="1",
            products=1,
            whole=table,
        ),
    )


def see(storage: FileStorage) -> Seen:
    """What a searcher that starts now sees; every commit that is history loads whole."""
    current = read_current(storage)
    if current is None:
        return Seen()
    for model_id in current.followed:
        read_network(storage, read_manifest(storage, model_id))
    commits = list(history(storage, current.live))
    galleries = [load_gallery(storage, commit) for commit in commits]
    if not galleries:
        return Seen(current.live)
    newest = galleries[0]
    photos = sorted((row.key, row.photo_id) for row in newest.photos())
    products = sorted(newest.shelf.assortment) if newest.shelf else []
    return Seen(current.live, tuple(photos), tuple(products))


def check(log: Sequence[Operation], operations: int, chance: random.Random, place: Path) -> None:
    """Cut the power after so many operations and open what is left, in `place`; LostError."""
    cut = Cut(log[:operations])
    left = cut.left(chance)
    _check_files(cut.notes, left)
    seen = [note for note in cut.notes if isinstance(note, Seen)]
    coming = (each.note for each in log[operations:] if isinstance(each.note, Seen))
    allowed = {seen[-1] if seen else Seen(), next(coming, None)}
    for path, data in sorted(left.items()):  # a folder before what is in it
        if path.endswith("/"):
            (place / path).mkdir()
        else:
            (place / path).write_bytes(data)
    storage = FileStorage(place / _FOLDER)
    found = see(storage)
    if found not in allowed:
        raise LostError(f"after {operations} operations {found}, not one of {allowed}")
    _live_on(storage, found)


def _live_on(storage: FileStorage, found: Seen) -> None:
    """What lies about, whole or not, hinders nobody: what is left over is committed, and new."""
    if found.live is None:
        return
    left = uncommitted_segments(storage, found.live)
    commit_segments(storage, found.live, left, now=NOW)
    commit = add(storage, photo("new.jpg", "01"), model_id=found.live)
    if load_gallery(storage, commit).photo("new.jpg 01") is None:
        raise LostError("a new photo was not found")


def _check_files(notes: Sequence[object], left: Files) -> None:
    """Of every object there is the version that was written last, whole, or one under way."""
    may: dict[str, list[bytes | None]] = {}
    for note in notes:
        if not isinstance(note, Put):
            continue
        if note.key.startswith(THUMBS) and note.data is not None:
            may.pop(note.key, None)  # a thumbnail may be torn or lost
        elif not note.key.startswith(THUMBS) or note.done:
            if note.done:
                may[note.key] = [note.data]
            else:
                may.setdefault(note.key, [None]).append(note.data)
    for key, versions in may.items():
        if left.get(f"{_FOLDER}/{key}") not in versions:
            raise LostError(f"{key} is not as it was written")


def play(log: Sequence[Operation], states: int, seed: int, every: int = 1) -> int:
    """Check so many states after each operation, or after one in so many; how many were checked.
    LostError, or what a command would say, where something is lost."""
    cuts = [
        number
        for number in range(len(log) + 1)
        if number == len(log) or log[number].kind != "note"  # what is known is known at once
    ][::every]
    for state in range(states):
        for operations in cuts:
            chance = random.Random(f"{seed} {operations} {state}")
            # The disk that is looked at is not to be cut, so nothing waits for it.
            with TemporaryDirectory(prefix="lens-cut-") as place, mock.patch("os.fsync"):
                check(log, operations, chance, Path(place))
    return len(cuts) * states


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--states", type=int, default=20, help="to open for each operation")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    with TemporaryDirectory(prefix="lens-life-") as folder:
        log = record(Path(folder))
    checked = play(log, options.states, options.seed)
    synced = sum(operation.kind.startswith("sync") for operation in log)
    print(f"{checked} states after a power cut, {synced} syncs: each gallery is whole")


if __name__ == "__main__":
    main()
