"""What compaction costs while a gallery grows: rows and seconds for every row added.

python -m tests.benchmarks.compaction_cost [PHOTOS] [--rows 100000] [--segment 1000]
    [--json FILE] [--svg FILE] [--plan]
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from lens.gallery.commits import Commit, read_head
from lens.gallery.current import Current, swap_current
from lens.gallery.segments import segment_key, write_segment
from lens.gallery.snapshots import read_snapshot_manifest
from lens.pipeline.commit import commit_segments
from lens.pipeline.compact import compact, tail_bounds
from lens.storage import FileStorage
from tests.benchmarks.figures import markdown
from tests.benchmarks.synthetic_gallery import Photos, kept_photos, real_photos, synthetic_photos
from tests.benchmarks.workload import FOLDER
from tests.benchmarks.written_galleries import MODEL, NOW, segment_of


@dataclass(frozen=True)
class Point:
    """After so many rows: what the compactor has done since the first, in all."""

    rows: int
    snapshots: int
    rows_written: int  # to snapshots and merged segments
    bytes_written: int
    cpu_seconds: float
    wall_seconds: float
    tail_rows: int


CURVE = FOLDER.parent / "compaction.svg"


def run(quick: bool) -> dict[str, Any]:
    """Grow a gallery, a thousand rows at a time; the curve is drawn beside the report."""
    points = measure(kept_photos(quick), 20_000 if quick else 100_000, 1_000)
    CURVE.parent.mkdir(parents=True, exist_ok=True)
    CURVE.write_text(svg(points) + "\n")
    return {"points": [asdict(point) for point in points]}


def table(figures: dict[str, Any]) -> str:
    """Ten points of the curve."""
    points = figures["points"]
    lines = [
        (
            f"{of['rows']:,}",
            str(of["snapshots"]),
            f"{of['rows_written'] / of['rows']:.1f}",
            f"{1_000 * of['cpu_seconds'] / of['rows']:.3f}",
            f"{of['tail_rows']:,}",
        )
        for of in points[len(points) // 10 - 1 :: len(points) // 10]
    ]
    header = (
        "rows",
        "snapshots",
        "rows written per row added",
        "CPU ms per row added",
        "tail rows",
    )
    return markdown(header, lines)


def measure(real: Photos, rows: int, segment: int) -> list[Point]:
    """Grow a gallery by segments of so many rows, compacting after each as the function does."""
    photos = synthetic_photos(real, rows, seed=5)
    points = []
    snapshots, written, size, seconds, wall = 0, 0, 0, 0.0, 0.0
    with TemporaryDirectory() as folder:
        storage = FileStorage(Path(folder))
        swap_current(storage, lambda old: Current(live=MODEL))
        for first in range(0, rows, segment):
            new = segment_of(photos.take(slice(first, first + segment)), first)
            commit_segments(storage, MODEL, [write_segment(storage, MODEL, new)], now=NOW)
            before = _head(storage)
            since, began = time.process_time(), time.perf_counter()
            while compact(storage, MODEL, now=NOW, aged=False):
                seconds += time.process_time() - since
                wall += time.perf_counter() - began
                after = _head(storage)
                if after.snapshot and after.snapshot != before.snapshot:
                    snapshots += 1
                    written += after.snapshot.rows
                    files = read_snapshot_manifest(storage, MODEL, after.snapshot.id).sizes
                    size += sum(files.values())
                else:
                    merged = after.segments[0]
                    written += merged.rows
                    info = storage.head(segment_key(MODEL, merged.id))
                    size += info.size if info else 0
                before = after
                since, began = time.process_time(), time.perf_counter()
            seconds += time.process_time() - since
            wall += time.perf_counter() - began
            done, tail = first + len(new.rows), before.tail_rows
            spent = round(seconds, 3), round(wall, 3)
            points.append(Point(done, snapshots, written, size, *spent, tail))
    return points


@dataclass(frozen=True)
class Plan:
    """What the bounds of a tail make of a load: `tail_rows` is the longest tail."""

    rows: int
    snapshots: int
    rows_written: int  # to snapshots
    tail_rows: int


def plan(rows: int, segment: int, loading: bool = True) -> Plan:
    """Folds of a gallery that grows by segments of so many rows, by the bounds alone; without
    `loading`, by those of a gallery that is not being loaded."""
    settled = tail = snapshots = written = longest = 0
    for first in range(0, rows, segment):
        tail += min(segment, rows - first)
        longest = max(longest, tail)
        if tail > tail_bounds(settled)[loading]:
            settled, tail = settled + tail, 0
            snapshots, written = snapshots + 1, written + settled
    return Plan(rows, snapshots, written, longest)


def svg(points: Sequence[Point], width: int = 640, height: int = 320) -> str:
    """Rows written and CPU milliseconds per row added, against the gallery's size."""
    written = [point.rows_written / point.rows for point in points]
    cost = [point.cpu_seconds * 1e3 / point.rows for point in points]
    lines = []
    for values, color, name in (
        (written, "#2563eb", "rows written per row added"),
        (cost, "#d97706", "CPU ms per row added"),
    ):
        most = max(values) or 1.0
        steps = " ".join(
            f"{50 + (width - 70) * point.rows / points[-1].rows:.1f},"
            f"{height - 40 - (height - 90) * value / most:.1f}"
            for point, value in zip(points, values, strict=True)
        )
        label = f"{name}, at most {most:.2f}, at the end {values[-1]:.2f}"
        lines.append(f'<polyline points="{steps}" fill="none" stroke="{color}" stroke-width="2"/>')
        lines.append(f'<text x="50" y="{18 * (len(lines) // 2 + 1)}" fill="{color}">{label}</text>')
    axis = f'<path d="M50 50V{height - 40}H{width - 20}" fill="none" stroke="#888"/>'
    end = f"{points[-1].rows:,} rows"
    ticks = f'<text x="{width - 20}" y="{height - 20}" text-anchor="end" fill="#888">{end}</text>'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"'
        f' font-family="sans-serif" font-size="13">{axis}{ticks}{"".join(lines)}</svg>\n'
    )


def _head(storage: FileStorage) -> Commit:
    head = read_head(storage, MODEL)
    assert head is not None
    return head


def main(arguments: Sequence[str] | None = None) -> None:
    """Print some points of the curve; write all as JSON, and as a plot."""
    parser = argparse.ArgumentParser(description="Measure what compaction costs by gallery size.")
    parser.add_argument("photos", nargs="?", metavar="PHOTOS")
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--segment", type=int, default=1_000)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--svg", type=Path)
    parser.add_argument("--plan", action="store_true", help="by the bounds alone")
    options = parser.parse_args(arguments)
    if options.plan:
        for loading in (False, True):
            print(plan(options.rows, options.segment, loading))
        return
    points = measure(real_photos(options.photos), options.rows, options.segment)
    print(f"{'rows':>10} {'snapshots':>10} {'written/added':>14} {'CPU ms/added':>13} {'tail':>7}")
    for point in points[:: max(1, len(points) // 15)]:
        print(
            f"{point.rows:10,} {point.snapshots:10} {point.rows_written / point.rows:14.2f}"
            f" {point.cpu_seconds * 1e3 / point.rows:13.3f} {point.tail_rows:7,}"
        )
    if options.json:
        options.json.write_text(json.dumps([asdict(p) for p in points], indent=1) + "\n")
    if options.svg:
        options.svg.write_text(svg(points))


if __name__ == "__main__":
    main()
