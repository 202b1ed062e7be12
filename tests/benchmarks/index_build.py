"""What building an index costs in memory, at sizes that no test writes to disk: by hand.

    python -m tests.benchmarks.index_build PHOTOS [--rows 1000000 10000000]

PHOTOS is a catalog, or the photos.npz of a run of `make bench`. Ten million rows want 13 GiB.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Sequence

import numpy as np

from lens.gallery.index import Index, build_index
from tests.benchmarks.synthetic_gallery import Photos, Vectors, real_photos, synthetic_photos

_DRAWN = 500_000  # rows at a time
_QUERIES = 60


def by_category(real: Photos, rows: int) -> tuple[Vectors, list[int]]:
    """(rows, D) unit vectors, a category after the other, and where each begins."""
    vectors = np.empty((rows, real.vectors.shape[1]), np.float32)
    names = np.unique(real.category)
    category = np.empty(rows, np.int64)
    for start in range(0, rows, _DRAWN):
        some = synthetic_photos(real, min(_DRAWN, rows - start), seed=1_000 + start)
        vectors[start : start + len(some)] = some.vectors
        category[start : start + len(some)] = np.searchsorted(names, some.category)
    order = np.argsort(category, kind="stable")
    return vectors[order], np.unique(category[order], return_index=True)[1].tolist()


def search_ms(index: Index) -> float:
    """The median of one thread's CPU time, for queries near rows of the index."""
    chance = np.random.default_rng(5)
    queries = index.vectors[chance.integers(0, len(index), _QUERIES)]
    queries = queries + 0.03 * chance.standard_normal(queries.shape).astype(np.float32)
    times = []
    for query in queries / np.linalg.norm(queries, axis=1, keepdims=True):
        since = time.thread_time()
        index.search(query, 24)
        times.append((time.thread_time() - since) * 1e3)
    return float(np.median(times))


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a line a size; the peak is the process's, so the largest size comes last."""
    parser = argparse.ArgumentParser(description="Build indexes in memory, and time it.")
    parser.add_argument("photos", metavar="PHOTOS")
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000_000])
    options = parser.parse_args(arguments)
    real = real_photos(options.photos)
    for rows in options.rows:
        vectors, starts = by_category(real, rows)
        since, cpu_since = time.perf_counter(), time.process_time()
        built = build_index(vectors, starts)
        wall, cpu = time.perf_counter() - since, time.process_time() - cpu_since
        del vectors
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        print(
            f"{rows:,} rows: {built.name} in {wall:.1f} s, {cpu:.1f} CPU s, peak {peak:.1f} GiB, "
            f"recall {built.recall:.4f}; a search {search_ms(built.index):.2f} CPU ms",
            flush=True,
        )


if __name__ == "__main__":
    main()
