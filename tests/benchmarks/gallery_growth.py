"""Whether what happens all the time costs more in a large gallery: added, deleted, looked up.

    python -m tests.benchmarks.gallery_growth [PHOTOS] [--rows 10000 1000000] [--json FILE]

Embedding is left out: a row is written as `embed` writes it, and everything after that is real.
The sizes take turns, so that a busy moment of the machine meets all of them.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from lens.gallery.commits import read_head
from lens.gallery.current import read_current
from lens.gallery.gallery import Gallery
from lens.gallery.loading import load_gallery
from lens.gallery.rows import Kind, Row, Rows
from lens.gallery.segments import Segment, write_segment
from lens.gallery.versions import Version
from lens.pipeline.commit import commit_segments
from lens.pipeline.compact import compact
from lens.storage import FileStorage
from tests.benchmarks.figures import Spread, markdown, spread
from tests.benchmarks.synthetic_gallery import Photos, kept_photos, real_photos, synthetic_photos
from tests.benchmarks.written_galleries import MODEL, NOW, segment_of, write_gallery

Clock = Callable[[str], object]


class Shop:
    """A gallery of some size, and a warm searcher of it."""

    def __init__(self, folder: Path, photos: Photos, spare: Photos) -> None:
        self.storage = FileStorage(folder)
        self.rows = len(photos)
        self.spare = spare
        self.gallery: Gallery = load_gallery(
            self.storage, write_gallery(self.storage, segment_of(photos))
        )
        self.milliseconds: dict[str, list[float]] = defaultdict(list)
        self.keys = [row.key for row in map(self._folded, range(0, self.rows, self.rows // 997))]

    def _folded(self, position: int) -> Row:
        assert self.gallery.snapshot is not None
        return self.gallery.snapshot.rows[position]

    def act(self, turn: int) -> None:
        """Add a photo and find it; delete one and miss it; look things up after each."""
        vector = self.spare.vectors[turn]
        added = Row(f"new/{turn}.jpg", Version("18C0FFEE1"), Kind.PHOTO, NOW, "e", f"{turn:032x}")
        added = added._replace(item_id="new", category=self.spare.category[turn].decode())
        with self._timed("added to found"):
            self._commit(added, vector)
            found = self.gallery.search(vector, 12)
        assert found[0].row == added
        victim = self.keys[turn]
        with self._timed("deleted to gone"):
            self._commit(Row(victim, Version("18C0FFEE2"), Kind.TOMBSTONE, NOW), None)
            gone = self.gallery.search(vector, 12)
        assert all(match.row.key != victim for match in gone)
        self._commit(Row(f"no/{turn}", Version("1"), Kind.TOMBSTONE, NOW), None, refresh=False)
        with self._timed("a searcher's refresh"):
            self._refresh()
            assert self.gallery.photo_count > 0
        with self._timed("categories and examples"):
            assert self.gallery.examples.keys() == self.gallery.categories.keys()
        key = self.keys[-turn - 1]
        with self._timed("by key, photo_id and item_id"):
            row = self.gallery.has_photo_at(key)
            assert row is not None and self.gallery.photo(row.photo_id) == row
            assert row in self.gallery.item(row.item_id)
        with self._timed("within a category, 2nd time"):
            self.gallery.search(vector, 12, added.category)
        compact(self.storage, MODEL, now=NOW)  # merges; the tail never has many rows here

    def _commit(self, row: Row, vector: np.ndarray | None, refresh: bool = True) -> None:
        dim = self.spare.vectors.shape[1]
        vectors = np.empty((0, dim), np.float32) if vector is None else vector[None]
        segment = write_segment(self.storage, MODEL, Segment(Rows.of([row]), vectors))
        commit_segments(self.storage, MODEL, [segment], now=NOW)
        if refresh:
            self._refresh()

    def _refresh(self) -> None:
        assert read_current(self.storage) is not None
        head = read_head(self.storage, MODEL)
        assert head is not None
        self.gallery = load_gallery(self.storage, head, self.gallery)

    @contextmanager
    def _timed(self, what: str) -> Iterator[None]:
        since = time.thread_time()
        yield
        self.milliseconds[what].append((time.thread_time() - since) * 1e3)


SIZES = (10_000, 1_000_000)
WANTED = "each at 1,000,000 rows within 1.5 times of the same at 10,000"


def run(quick: bool) -> dict[str, Any]:
    """At both sizes in turns."""
    sizes = (10_000, 100_000) if quick else SIZES
    return {
        name: {str(rows): spread(times) for rows, times in by_rows.items()}
        for name, by_rows in measure(kept_photos(quick), sizes, 20 if quick else 60).items()
    }


def table(figures: dict[str, Any]) -> str:
    """Every action at every size."""
    sizes = list(next(iter(figures.values())))
    lines = []
    for name, of in figures.items():
        ratio = of[sizes[-1]][0] / of[sizes[0]][0]
        lines.append((name, *(str(Spread(*of[size])) for size in sizes), f"{ratio:.2f}"))
    header = ("CPU ms", *(f"{int(size):,} rows" for size in sizes), "ratio of medians")
    return f"{markdown(header, lines)}\n\nSizes in turns. Wanted: {WANTED}."


def measure(real: Photos, sizes: Sequence[int], turns: int) -> dict[str, dict[int, list[float]]]:
    """CPU milliseconds of every turn, by what was done and by size."""
    spare = synthetic_photos(real, turns, seed=99)
    with TemporaryDirectory() as folder:
        shops = [
            Shop(Path(folder) / str(rows), synthetic_photos(real, rows, seed=rows), spare)
            for rows in sizes
        ]
        for turn in range(turns):
            for shop in shops if turn % 2 else shops[::-1]:
                shop.act(turn)
        names = list(shops[0].milliseconds)
        return {name: {shop.rows: shop.milliseconds[name] for shop in shops} for name in names}


def main(arguments: Sequence[str] | None = None) -> None:
    """Print medians and their ratios; write all figures as JSON."""
    parser = argparse.ArgumentParser(description="Measure what commits cost by gallery size.")
    parser.add_argument("photos", nargs="?", metavar="PHOTOS")
    parser.add_argument("--rows", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--turns", type=int, default=60)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(arguments)
    found = measure(real_photos(options.photos), options.rows, options.turns)
    print(f"{'CPU ms, median':32}" + "".join(f"{rows:>12,}" for rows in options.rows) + "   ratio")
    for name, by_rows in found.items():
        medians = [float(np.median(by_rows[rows])) for rows in options.rows]
        line = "".join(f"{median:12.3f}" for median in medians)
        print(f"{name:32}{line}{medians[-1] / medians[0]:8.2f}")
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
