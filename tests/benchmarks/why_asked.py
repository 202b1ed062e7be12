"""What it costs to ask why a hit was found, beside the search that found it.

    python -m tests.benchmarks.why_asked PHOTOS [--queries FOLDER] [--side 0] [--json]

PHOTOS are indexed, up to 300 from all over the folder. Photos from all over the other folder, by
default those left out, are each searched with for the first time; then it is asked why of the first
hit, and of the second. Milliseconds of the clock and of the CPU, median and quartiles over the
photos, and the median of the ratios to the search of the same photo. `--side 1024` makes the
queries as large as the page sends them.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import TypeVar

import numpy as np
from PIL import Image

from lambdas.local.indexer import index_catalog
from lambdas.local.pipeline import Pipeline
from lens.photos.catalog import Catalog
from lens.search.searcher import Searcher
from lens.search.thumbnail_reader import thumbnails_of
from lens.settings import settings_from
from lens.storage import FileStorage

T = TypeVar("T")
_SHOWN, _ASKED = 300, 60
_WHAT = ("search", "why, first hit", "why, second hit")
Times = tuple[float, float]  # milliseconds: of the clock, of the CPU


def measure(photos: Path, queries: Path | None, side: int) -> dict[str, list[Times]]:
    """What each search, and each question why, took. ValueError without a photo to search with."""
    shown, left = _parted(photos)
    asked = _some([queries / key for key in _keys(queries)] if queries else left, _ASKED)
    if not asked:
        raise ValueError(f"no photo is left to search with in {queries or photos}")
    with tempfile.TemporaryDirectory(prefix="lens-bench-") as name:
        catalog = Path(name) / "photos"
        for number, path in enumerate(shown):
            (catalog / str(number)).mkdir(parents=True)
            (catalog / str(number) / path.name).symlink_to(path)
        named = {"LENS_CATALOG": str(catalog), "LENS_ARTIFACTS": str(Path(name) / "artifacts")}
        settings = settings_from({**os.environ, **named})
        pipeline = Pipeline(settings)
        index_catalog(pipeline)
        thumbnails = thumbnails_of(settings)
        searcher = Searcher(pipeline.artifacts, thumbnails=thumbnails)
        searcher.refresh()
        times: dict[str, list[Times]] = {what: [] for what in _WHAT}
        for path in asked:
            photo = _resized(path.read_bytes(), side)
            results, took = _timed(partial(searcher.search, photo))
            times["search"].append(took)
            for what, hit in zip(_WHAT[1:], results.hits, strict=False):
                tell = partial(searcher.why, photo, hit.photo_id, thumbnails)
                times[what].append(_timed(tell)[1])
    return times


def _keys(folder: Path) -> list[str]:
    return [info.key for info in Catalog(FileStorage(folder.resolve())).photos()]


def _parted(photos: Path) -> tuple[list[Path], list[Path]]:
    """What is indexed, and what is left to search with."""
    paths = [photos.resolve() / key for key in _keys(photos)]
    shown = _some(paths, min(_SHOWN, len(paths) // 2))
    return shown, sorted(set(paths) - set(shown))


def _some(paths: list[Path], count: int) -> list[Path]:
    return paths[:: max(1, len(paths) // max(1, count))][:count]


def _resized(data: bytes, side: int) -> bytes:
    if not side:
        return data
    image = Image.open(BytesIO(data)).convert("RGB")
    scale = side / max(image.size)
    out = BytesIO()
    image.resize((round(image.width * scale), round(image.height * scale))).save(out, "JPEG")
    return out.getvalue()


def _timed(act: Callable[[], T]) -> tuple[T, Times]:
    clock, cpu = time.perf_counter(), time.process_time()
    result = act()
    return result, (1000 * (time.perf_counter() - clock), 1000 * (time.process_time() - cpu))


def summary(times: dict[str, list[Times]]) -> dict[str, dict[str, float]]:
    """Of the clock and of the CPU: median, quartiles, and the median ratio to the search."""
    found: dict[str, dict[str, float]] = {}
    searches = np.array(times["search"])
    for what, took in times.items():
        low, median, high = np.quantile(took, [0.25, 0.5, 0.75], axis=0)
        ratio = np.median(np.array(took) / searches[: len(took)], axis=0)
        for at, clock in enumerate(("clock", "CPU")):
            figures = {"median": median, "low": low, "high": high, "ratio": ratio}
            found[f"{what}, {clock}"] = {k: round(float(v[at]), 2) for k, v in figures.items()}
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("photos", type=Path)
    parser.add_argument("--queries", type=Path)
    parser.add_argument("--side", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    found = summary(measure(options.photos, options.queries, options.side))
    if options.json:
        print(json.dumps(found, indent=1))
        return 0
    for what, each in found.items():
        spread = f"({each['low']:.0f} to {each['high']:.0f})"
        print(f"{what:<24}{each['median']:6.1f} ms {spread:<14}{each['ratio']:5.2f} x a search")
    return 0


if __name__ == "__main__":
    sys.exit(main())
