"""How fast and how right the index is, by size: beside a scan, by category, with deletions.

    python -m tests.benchmarks.index_search [PHOTOS] [--rows 12600 100000 1000000] [--json FILE]

PHOTOS is a catalog, or a .npz that `--save` wrote; without it the sample catalog is drawn.
Times are CPU milliseconds of one thread: they count the work, however busy the machine is. With
OPENBLAS_NUM_THREADS=1 the exact answers to compare with do not disturb them.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from lens.gallery.gallery import Gallery
from lens.gallery.index import Index
from lens.gallery.loading import load_gallery
from lens.gallery.rows import Positions
from lens.storage import FileStorage
from tests.benchmarks.figures import markdown
from tests.benchmarks.synthetic_gallery import (
    Photos,
    Vectors,
    kept_photos,
    likeness,
    real_photos,
    save,
    synthetic_photos,
)
from tests.benchmarks.written_galleries import segment_of, write_gallery

QUERIES = 100
TOP_K = 24  # what a gallery asks for to show a page of 12


@dataclass(frozen=True)
class Timing:
    """One way to search at one size. Times in CPU milliseconds; recall@10 against a scan."""

    rows: int
    index: str
    what: str
    p50: float
    p99: float
    wall_p50: float
    recall: float | None  # None: not compared


@dataclass(frozen=True)
class Size:
    """What a gallery of this size costs before it is searched."""

    rows: int
    index: str
    probes: int
    candidates: int
    recall_when_built: float
    # Rows put in order, index built and calibrated, files written:
    written_seconds: float
    written_cpu_seconds: float
    load_ms: float
    files_mb: dict[str, float]


WANTED = "p50 ≤ 0.2 ms at 100,000 rows, ≤ 1 ms at 1,000,000; recall@10 ≥ 0.99; built in ≤ 10 s"


def run(quick: bool) -> dict[str, Any]:
    """At In-Shop's size, at 100,000 rows and at a million."""
    real = kept_photos(quick)
    sizes = [12_600, 100_000] if quick else [12_600, 100_000, 1_000_000]
    found = [measure(real, rows) for rows in sizes]
    return {
        "sizes": [asdict(size) for size, _ in found],
        "timings": [asdict(timing) for _, timings in found for timing in timings],
    }


def table(figures: dict[str, Any]) -> str:
    """Every way to search, by size, and what a gallery of that size costs before."""
    searched = [
        (
            f"{of['rows']:,}",
            of["index"],
            of["what"],
            f"{of['p50']:.3f}",
            f"{of['p99']:.3f}",
            "" if of["recall"] is None else f"{of['recall']:.4f}",
        )
        for of in figures["timings"]
    ]
    written = [
        (
            f"{of['rows']:,}",
            of["index"],
            f"{of['recall_when_built']:.4f}",
            f"{of['written_seconds']:.1f}",
            f"{of['written_cpu_seconds']:.1f}",
            f"{of['load_ms']:.0f}",
            f"{sum(of['files_mb'].values()):.0f}",
        )
        for of in figures["sizes"]
    ]
    header = ("rows", "index", "searched", "p50 CPU ms", "p99", "recall@10")
    costs = ("rows", "index", "recall when built", "written in s", "CPU s", "loaded in ms", "MB")
    return (
        f"{markdown(header, searched)}\n\n{markdown(costs, written)}\n\n"
        f"{QUERIES} queries each, one thread, the {TOP_K} nearest asked for. Wanted: {WANTED}."
    )


def measure(real: Photos, rows: int) -> tuple[Size, list[Timing]]:
    """Write a gallery of this size, load it, search it in every way."""
    drawn = synthetic_photos(real, rows + QUERIES, seed=rows)
    chance = np.random.default_rng(1)
    asked = np.zeros(len(drawn), dtype=bool)
    asked[chance.permutation(len(drawn))[:QUERIES]] = True
    queries, photos = drawn.take(np.flatnonzero(asked)), drawn.take(np.flatnonzero(~asked))
    with TemporaryDirectory() as folder:
        storage, content = FileStorage(Path(folder)), segment_of(photos)
        since, cpu_since = time.perf_counter(), time.process_time()
        head = write_gallery(storage, content)
        written, cpu = time.perf_counter() - since, time.process_time() - cpu_since
        del drawn, photos, content
        since = time.perf_counter()
        gallery = load_gallery(storage, head)
        loaded = (time.perf_counter() - since) * 1e3
        timings = _timings(gallery, queries)
        snapshot = gallery.snapshot
        assert snapshot is not None
        effort = snapshot.manifest.effort
        sizes = {name: round(size / 1e6, 1) for name, size in snapshot.manifest.sizes.items()}
        size = Size(
            rows=rows,
            index=snapshot.manifest.index_type,
            probes=effort.probes if effort else 0,
            candidates=effort.candidates if effort else 0,
            recall_when_built=effort.recall if effort else 1.0,
            written_seconds=round(written, 2),
            written_cpu_seconds=round(cpu, 2),
            load_ms=round(loaded, 1),
            files_mb=sizes,
        )
    return size, timings


def _timings(gallery: Gallery, queries: Photos) -> list[Timing]:
    assert gallery.snapshot is not None
    index, layout = gallery.snapshot.index, gallery.snapshot.layout
    everywhere = range(len(index))
    chance = np.random.default_rng(2)
    own = [layout.span(category.decode()) for category in queries.category]
    some = layout.categories[chance.integers(0, len(layout.categories), len(queries))]
    any_category = [layout.span(category.decode()) for category in some]
    counts = np.diff(layout.starts)
    smallest = layout.span(layout.categories[counts.argmin()].decode())
    parents = [layout.span(name.decode().split("/")[0]) for name in queries.category]
    few, many = (
        np.sort(chance.permutation(len(index))[: int(len(index) * share)]) for share in (0.01, 0.06)
    )
    none = np.empty(0, np.intp)
    ways: list[tuple[str, list[range], Positions]] = [
        ("all", [everywhere] * len(queries), none),
        ("its category", own, none),
        ("any category", any_category, none),
        ("smallest category", [smallest] * len(queries), none),
        ("its department", parents, none),
        ("all, 1 % deleted", [everywhere] * len(queries), few),
        ("all, 6 % deleted", [everywhere] * len(queries), many),
        ("its category, 6 % deleted", own, many),
    ]
    timings = []
    for what, spans, dead in ways:
        if what == "all":
            # The scan's times are of fewer queries: at a million rows each takes 20 ms.
            scan = Index(index.vectors)
            timings.append(_timing(scan, "flat", what, queries.vectors[:60], spans, dead))
        name = gallery.snapshot.manifest.index_type
        timings.append(_timing(index, name, what, queries.vectors, spans, dead))
    searched = _timed(lambda i: gallery.search(queries.vectors[i], 12), len(queries))
    timings.append(Timing(len(index), "gallery", "page of 12, rows read", *searched, recall=None))
    return timings


def _timing(
    index: Index, name: str, what: str, queries: Vectors, spans: list[range], dead: Positions
) -> Timing:
    def search(i: int) -> Positions:
        return index.search(queries[i], TOP_K, spans[i], dead)[1]

    shares = []
    for i in range(len(queries)):
        expected = _exact(index.vectors, queries[i], spans[i], dead)
        if len(expected):
            shares.append(np.isin(expected, search(i)[:10]).mean())
    times = _timed(search, len(queries))
    return Timing(len(index), name, what, *times, recall=round(float(np.mean(shares)), 4))


def _timed(search: Callable[[int], object], count: int) -> tuple[float, float, float]:
    """p50 and p99 of CPU milliseconds, p50 of wall milliseconds."""
    for i in range(min(count, 20)):
        search(i)
    cpu, wall = [], []
    for i in range(count):
        cpu_since, since = time.thread_time(), time.perf_counter()
        search(i)
        cpu.append((time.thread_time() - cpu_since) * 1e3)
        wall.append((time.perf_counter() - since) * 1e3)
    return (
        round(float(np.median(cpu)), 3),
        round(float(np.percentile(cpu, 99)), 3),
        round(float(np.median(wall)), 3),
    )


def _exact(vectors: Vectors, query: Vectors, span: range, dead: Positions) -> Positions:
    similarities = vectors[span.start : span.stop] @ query
    inside = dead[(dead >= span.start) & (dead < span.stop)] - span.start
    similarities[inside] = -np.inf
    found = np.argsort(-similarities)[:10] if len(span) < 100 else _top(similarities, 10)
    exact: Positions = found[np.isfinite(similarities[found])] + span.start
    return exact


def _top(values: Vectors, count: int) -> Positions:
    top: Positions = np.argpartition(-values, count)[:count]
    return top


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the tables; write all figures as JSON."""
    parser = argparse.ArgumentParser(description="Measure the index by size.")
    parser.add_argument("photos", nargs="?", metavar="PHOTOS")
    parser.add_argument("--rows", type=int, nargs="+", default=[12_600, 100_000, 1_000_000])
    parser.add_argument("--json", type=Path)
    parser.add_argument("--save", type=Path, help="keep the real photos' embeddings as .npz")
    options = parser.parse_args(arguments)
    real = real_photos(options.photos)
    if options.save:
        save(real, options.save)
    # As many items as the real ones are, so that their neighbors can be compared.
    alike = likeness(real), likeness(synthetic_photos(real, len(real), seed=1))
    print(f"{'':34} {'real':>7} {'synthetic':>10}")
    for name in alike[0]:
        print(f"{name:34} {alike[0][name]:7.3f} {alike[1][name]:10.3f}")
    sizes, timings = [], []
    for rows in options.rows:
        size, of_size = measure(real, rows)
        print(f"\n{rows:,} rows: {size.index}, {size.probes} probes, {size.candidates} candidates,")
        print(f"  recall {size.recall_when_built} when built,")
        print(f"  written in {size.written_seconds} s, {size.written_cpu_seconds} CPU s,")
        print(f"  loaded in {size.load_ms} ms, {size.files_mb} MB")
        print(f"  {'index':18} {'':26} {'p50 ms':>8} {'p99':>8} {'wall p50':>9} {'recall@10':>10}")
        for timing in of_size:
            recall = "" if timing.recall is None else f"{timing.recall:.4f}"
            print(
                f"  {timing.index:18} {timing.what:26} {timing.p50:8.3f} {timing.p99:8.3f}"
                f" {timing.wall_p50:9.3f} {recall:>10}"
            )
        sizes.append(size)
        timings += of_size
    if options.json:
        figures = {
            "likeness": {"real": alike[0], "synthetic": alike[1]},
            "sizes": [asdict(size) for size in sizes],
            "timings": [asdict(timing) for timing in timings],
        }
        options.json.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
