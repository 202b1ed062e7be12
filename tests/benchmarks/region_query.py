"""What a shopper's photo costs in the default model: the whole photo, then its best region.

    python -m tests.benchmarks.region_query PHOTOS [--times 5] [--json]

CPU milliseconds of one thread, median and quartiles over the photos, each its median of some
runs that take turns. `network` is ONNX Runtime alone; `in all` is also decoding and pixels.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lens.default_model.shipped import write_shipped
from lens.models.embedder import Embedder, Network, load_embedder
from lens.models.manifest import read_network
from lens.models.preprocessing import to_pixels
from lens.models.regions import main_region, pixels_of
from lens.photos.catalog import Catalog
from lens.photos.decoding import decode
from lens.settings import Limits
from lens.storage import FileStorage

_PHOTOS = 40


@dataclass(frozen=True)
class Cost:
    """CPU milliseconds: the median over the photos, and their quartiles."""

    median: float
    low: float
    high: float


def measure(photos: Path, times: int) -> dict[str, Cost]:
    """Measure photos from all over the folder, those in which a region is searched."""
    with tempfile.TemporaryDirectory(prefix="lens-bench-") as folder:
        storage = FileStorage(Path(folder))
        manifest = write_shipped(storage)
        embedder = load_embedder(storage, manifest.model_id)
        network = Network(read_network(storage, manifest), manifest.model_id)
        keys = [info.key for info in Catalog(FileStorage(photos.resolve())).photos()]
        step = max(1, len(keys) // _PHOTOS)
        costs: dict[str, list[float]] = {}
        for key in keys[::step]:
            for name, cost in _costs(embedder, network, (photos / key).read_bytes(), times):
                costs.setdefault(name, []).append(cost)
    if not costs:
        raise ValueError(f"no region is searched in any photo of {photos}")
    return {name: _summary(of) for name, of in costs.items()}


def _costs(
    embedder: Embedder, network: Network, photo: bytes, times: int
) -> Sequence[tuple[str, float]]:
    image = decode(photo, Limits())
    region = main_region(embedder.see(image))
    if region is None:
        return ()
    part = image.crop(pixels_of(region.box, image.size))
    preprocessing = embedder.manifest.preprocessing
    whole, cut = (to_pixels(each, preprocessing)[None] for each in (image, part))

    def both(pixels: tuple[NDArray[np.float32], ...]) -> None:
        for each in pixels:
            network.run_all(each)

    work: dict[str, Callable[[], object]] = {
        "network, whole photo": lambda: both((whole,)),
        "network, whole photo and best region": lambda: both((whole, cut)),
        "in all, whole photo and best region": lambda: embedder.embed_main(decode(photo, Limits())),
    }
    runs: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(times):
        for name, run in work.items():
            began = time.thread_time()
            run()
            runs[name].append(1000 * (time.thread_time() - began))
    return [(name, statistics.median(of)) for name, of in runs.items()]


def _summary(costs: list[float]) -> Cost:
    low, median, high = np.quantile(costs, [0.25, 0.5, 0.75])
    return Cost(round(float(median), 1), round(float(low), 1), round(float(high), 1))


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("photos", type=Path)
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    costs = measure(options.photos, options.times)
    if options.json:
        print(json.dumps({name: asdict(cost) for name, cost in costs.items()}, indent=1))
    else:
        for name, cost in costs.items():
            print(f"{name:<40}{cost.median:6.1f} ms ({cost.low:.1f} to {cost.high:.1f})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
