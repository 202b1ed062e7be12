"""Searches beside indexing: how long they take while `lens serve` indexes, and what they cost it.

    python -m tests.benchmarks.search_beside_indexing PHOTOS [--times 3] [--pause 0.2]
        [--tree OTHER_CHECKOUT]... [--json]

A server is started on empty artifacts. While it indexes, stretches without searches take turns with
stretches in which one client searches, a pause after each answer; when it has indexed all, the
client searches once more. Every search is of a photo that the server has not seen. Checkouts take
turns, so that what else the machine does falls on all alike.
"""

from __future__ import annotations

import argparse
import itertools
import json
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
from PIL import Image

from lens.photos.catalog import Catalog
from lens.storage import FileStorage
from tests.benchmarks.started_server import started_server

ROOT = Path(__file__).parents[2]
_STRETCH_SECONDS = 6.0
_POLL_SECONDS = 0.05
_IDLE_SEARCHES = 40
_MOST_SECONDS = 1_800.0


@dataclass
class Heard:
    """Seconds of each search, with and without indexing beside it; and of the stretches of
    indexing, alone and with searches, how many photos took how many seconds."""

    idle: list[float] = field(default_factory=list)
    beside: list[float] = field(default_factory=list)
    alone: list[tuple[int, float]] = field(default_factory=list)
    searched: list[tuple[int, float]] = field(default_factory=list)


def measure(
    photos: Path, trees: Sequence[Path], times: int, pause: float, stretch: float
) -> dict[str, list[Heard]]:
    """Start each tree's server so many times, taking turns. RuntimeError when one ends early."""
    heard: dict[str, list[Heard]] = {str(tree): [] for tree in trees}
    for _ in range(times):
        for tree in trees:
            heard[str(tree)].append(_serve(photos, tree, pause, stretch))
    return heard


def queries(photos: Path) -> Iterator[bytes]:
    """Photos of the catalog, each a little smaller than the one before: no two are the same."""
    catalog = Catalog(FileStorage(photos))
    keys = [info.key for info in itertools.islice(catalog.photos(), 200)]
    for number, key in enumerate(itertools.cycle(keys)):
        with Image.open(BytesIO(catalog.storage.read(key)[0])) as image:
            rgb = image.convert("RGB")
        side = 3 + number // len(keys)
        out = BytesIO()
        rgb.crop((side, side, rgb.width, rgb.height)).save(out, "JPEG", quality=90)
        yield out.getvalue()


def _serve(photos: Path, tree: Path, pause: float, stretch: float) -> Heard:
    with started_server(photos, tree) as http:
        return _Listener(http, queries(photos), pause).listen(stretch)


class _Listener:
    def __init__(self, http: httpx.Client, photos: Iterator[bytes], pause: float) -> None:
        self._http = http
        self._photos = photos
        self._pause = pause
        self._begun = False
        self._given_up = time.monotonic() + _MOST_SECONDS

    def listen(self, stretch: float) -> Heard:
        """Listen from the first photos that are found until all are."""
        heard = Heard()
        while self._done() == 0:
            time.sleep(_POLL_SECONDS)
        for searching in itertools.cycle((False, True)):
            steps, searches = self._stretch(stretch, searching)
            if len(steps) > 1:
                (done, began), (later, ended) = steps[0], steps[-1]
                rates = heard.searched if searching else heard.alone
                rates.append((later - done, ended - began))
            heard.beside += searches
            if self._done() is None:
                break
        heard.idle = [self._search() for _ in range(_IDLE_SEARCHES)]
        return heard

    def _stretch(
        self, seconds: float, searching: bool
    ) -> tuple[list[tuple[int, float]], list[float]]:
        """When how many photos were done, as often as that changed, and each search's seconds."""
        steps: list[tuple[int, float]] = []
        searches: list[float] = []
        ends = time.monotonic() + seconds
        due = time.monotonic()
        while (now := time.monotonic()) < ends:
            done = self._done()
            if done is None:
                break
            if not steps or done != steps[-1][0]:
                steps.append((done, time.monotonic()))
            if searching and now >= due:
                searches.append(self._search(pause=False))
                due = time.monotonic() + self._pause
            time.sleep(_POLL_SECONDS)
        return steps[1:], searches  # the first was not seen to begin

    def _done(self) -> int | None:
        """How many photos are indexed; None once all are. RuntimeError when that takes too long."""
        if time.monotonic() > self._given_up:
            raise RuntimeError(f"the photos were not indexed within {_MOST_SECONDS:.0f} s")
        health: dict[str, Any] = self._http.get("/api/health").raise_for_status().json()
        if health["indexing"] is None:
            return None if self._begun or health["gallery"] else 0
        self._begun = health["indexing"]["done"] > 0
        return int(health["indexing"]["done"])

    def _search(self, *, pause: bool = True) -> float:
        photo = next(self._photos)
        if pause:
            time.sleep(self._pause)
        began = time.perf_counter()
        reply = self._http.post("/api/search-image", files={"file": photo})
        seconds = time.perf_counter() - began
        assert reply.raise_for_status().json()["hits"]
        return seconds


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a table, or JSON with every figure."""
    parser = argparse.ArgumentParser(description="Time searches while a catalog is indexed.")
    parser.add_argument("photos", type=Path)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--pause", type=float, default=0.2, help="seconds between two searches")
    parser.add_argument("--stretch", type=float, default=_STRETCH_SECONDS)
    parser.add_argument("--tree", type=Path, action="append", default=[], help="another checkout")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    trees = [ROOT, *(tree.resolve() for tree in options.tree)]
    heard = measure(options.photos, trees, options.times, options.pause, options.stretch)
    if options.json:
        print(json.dumps({tree: [vars(one) for one in each] for tree, each in heard.items()}))
        return
    print("search s, median and p95: idle, beside indexing; photos/s: alone, with searches")
    for tree, each in heard.items():
        for one in each:
            print(*map(_searches, (one.idle, one.beside)), *map(_rate, (one.alone, one.searched)))
        idle, beside = ([s for one in each for s in getattr(one, n)] for n in ("idle", "beside"))
        ratio = statistics.median(beside) / statistics.median(idle)
        print(f"  {len(idle)}, {len(beside)} searches, ratio of medians {ratio:.2f}  {tree}")


def _searches(seconds: Sequence[float]) -> str:
    if len(seconds) < 2:
        return f"{'-':>15}"
    p95 = statistics.quantiles(seconds, n=20, method="inclusive")[-1]
    return f"{statistics.median(seconds):7.3f} {p95:7.3f}"


def _rate(stretches: Sequence[tuple[int, float]]) -> str:
    seconds = sum(took for _, took in stretches)
    return f"{sum(done for done, _ in stretches) / seconds:7.1f}" if seconds else f"{'-':>7}"


if __name__ == "__main__":
    main()
