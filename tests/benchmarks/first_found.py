"""How soon the photos of a new catalog are found: the first one, and all of them.

    python -m tests.benchmarks.first_found PHOTOS [--times 3] [--tree OTHER_CHECKOUT]... [--json]

`lens serve` is started on empty artifacts. Checkouts take turns, so that what else the machine does
falls on all alike. Seconds count from the start of the process.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import httpx

from lens.errors import PhotoError
from lens.photos.catalog import Catalog
from lens.photos.decoding import decode
from lens.settings import Limits
from lens.storage import FileStorage
from tests.benchmarks.started_server import started_server

ROOT = Path(__file__).parents[2]
_FIRST_SECONDS, _ALL_SECONDS = 0.1, 1.0  # between two searches: they take the indexing's time
_MOST_SECONDS = 1_800.0
_NAMES = ("answers", "first", "all")


@dataclass(frozen=True)
class Found:
    """Seconds until the server answers, until a search has a hit, and until the last photo."""

    answers: float
    first: float
    all: float


def measure(photos: Path, trees: Sequence[Path], times: int) -> dict[str, list[Found]]:
    """Start each tree's server so many times, taking turns. RuntimeError when one ends early."""
    query, count = _query(photos)
    found: dict[str, list[Found]] = {str(tree): [] for tree in trees}
    for _ in range(times):
        for tree in trees:
            found[str(tree)].append(_serve(photos, tree, query, count))
    return found


def _query(photos: Path) -> tuple[bytes, int]:
    """The catalog's first photo that can be used, and how many photos it has."""
    catalog = Catalog(FileStorage(photos))
    keys = [info.key for info in catalog.photos()]
    for key in keys:
        with suppress(PhotoError):
            data = catalog.storage.read(key)[0]
            decode(data, Limits())
            return data, len(keys)
    raise RuntimeError(f"{photos} has no photo")


def _serve(photos: Path, tree: Path, query: bytes, count: int) -> Found:
    began = time.monotonic()
    with started_server(photos, tree) as http:
        answers = time.monotonic() - began
        first = _until(http, query, 1, _FIRST_SECONDS) - began
        whole = _until(http, query, count, _ALL_SECONDS) - began
    return Found(answers, first, whole)


def _until(http: httpx.Client, query: bytes, rows: int, pause: float) -> float:
    """When a search was answered from so many photos, those that cannot be used among them."""
    given_up = time.monotonic() + _MOST_SECONDS
    while time.monotonic() < given_up:
        reply = http.post("/api/search-image", files={"file": query}, data={"top_k": "1"})
        gallery = http.get("/api/health").json()["gallery"]
        if (
            reply.raise_for_status().json()["hits"]
            and gallery["snapshot_rows"] + gallery["tail_rows"] >= rows
        ):
            return time.monotonic()
        time.sleep(pause)
    raise RuntimeError(f"{rows} photos were not found within {_MOST_SECONDS:.0f} s")


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a table of medians, or JSON with every figure."""
    parser = argparse.ArgumentParser(description="Time the first indexing of a catalog.")
    parser.add_argument("photos", type=Path)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--tree", type=Path, action="append", default=[], help="another checkout")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    trees = [ROOT, *(tree.resolve() for tree in options.tree)]
    found = measure(options.photos, trees, options.times)
    if options.json:
        print(json.dumps({tree: [asdict(one) for one in each] for tree, each in found.items()}))
        return
    print(f"{'answers':>16} {'first found':>18} {'all found':>18}   s, median (least - most)")
    for tree, each in found.items():
        print(*(_cell([getattr(one, name) for one in each]) for name in _NAMES), f"  {tree}")


def _cell(values: Sequence[float]) -> str:
    return f"{statistics.median(values):5.1f} ({min(values):.1f} - {max(values):.1f})".rjust(18)


if __name__ == "__main__":
    main()
