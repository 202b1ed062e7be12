"""How much cropping helps: collages of four products, searched whole and cropped to one.

    python -m tests.benchmarks.collages PHOTOS [--protocol strict] [--json]

PHOTOS is a folder with an In-Shop partition file, as for `lens evaluate`.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from io import BytesIO

from PIL import Image

from lambdas.local.evaluation import Trial, trial_of
from lens.evaluation.protocols import PROTOCOLS, Protocol
from lens.photos.decoding import decode
from lens.search.wanted import Wanted
from lens.settings import Settings

CELL = 480  # pixels; a collage is two cells wide and two high
QUALITY = 90


@dataclass(frozen=True)
class Figures:
    """Recall@1, as fractions of the items asked for: four a collage."""

    protocol: Protocol
    seed: int
    collages: int
    gallery: int
    whole: float  # at most 1/4, since one item is first
    whole_any: float  # collages whose first hit is one of their four items
    cropped: float
    alone: float  # the query photos themselves, never in a collage: what cropping can reach


def measure(
    photos: str, protocol: Protocol = "strict", collages: int = 50, seed: int = 0
) -> Figures:
    """Draw collages of four query photos of four items, and search."""
    with trial_of(Settings(catalog=photos), protocol) as trial:
        drawn = [_draw(trial, random.Random(f"{seed} {i}")) for i in range(collages)]
        whole, anywhere, cropped, alone = 0, 0, 0, 0
        for keys in drawn:
            items = [trial.partition[key].item_id for key in keys]
            sent = _jpeg(_collage(trial, keys))
            collage = Image.open(BytesIO(sent))
            first = _first(trial, sent)
            whole += items.count(first)
            anywhere += first in items
            for cell, (key, item_id) in enumerate(zip(keys, items, strict=True)):
                crop = collage.crop(_box(cell))
                cropped += _first(trial, _jpeg(crop)) == item_id
                alone += _first(trial, trial.catalog.storage.read(key)[0]) == item_id
        asked = 4 * collages
        return Figures(
            protocol=protocol,
            seed=seed,
            collages=collages,
            gallery=len(trial.split.gallery),
            whole=whole / asked,
            whole_any=anywhere / collages,
            cropped=cropped / asked,
            alone=alone / asked,
        )


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a line a figure, or JSON."""
    parser = argparse.ArgumentParser(description="Search collages of four, whole and cropped.")
    parser.add_argument("photos", metavar="PHOTOS")
    parser.add_argument("--protocol", choices=PROTOCOLS, default="strict")
    parser.add_argument("--collages", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    found = measure(options.photos, options.protocol, options.collages, options.seed)
    if options.json:
        print(json.dumps(asdict(found)))
        return
    print(f"{found.collages} collages of four, {found.protocol}, {found.gallery} gallery photos")
    print(f"  whole, R@1 of each item      {found.whole:6.1%}  (25% is all there can be)")
    print(f"  whole, R@1 of any of the 4   {found.whole_any:6.1%}")
    print(f"  cropped to one item, R@1     {found.cropped:6.1%}")
    print(f"  the same photos alone, R@1   {found.alone:6.1%}")


def _draw(trial: Trial, chance: random.Random) -> list[str]:
    """Four query photos of four items that the gallery shows."""
    shown = {trial.partition[key].item_id for key in trial.split.gallery}
    by_item: dict[str, list[str]] = {}
    for key in sorted(trial.split.queries):
        item_id = trial.partition[key].item_id
        if item_id in shown:
            by_item.setdefault(item_id, []).append(key)
    return [chance.choice(by_item[item_id]) for item_id in chance.sample(sorted(by_item), 4)]


def _collage(trial: Trial, keys: list[str]) -> Image.Image:
    collage = Image.new("RGB", (2 * CELL, 2 * CELL), "white")
    for cell, key in enumerate(keys):
        photo = decode(trial.catalog.storage.read(key)[0], Settings().limits)
        scale = CELL / max(photo.size)
        photo = photo.resize((round(photo.width * scale), round(photo.height * scale)))
        left, top, *_ = _box(cell)
        collage.paste(photo, (left + (CELL - photo.width) // 2, top + (CELL - photo.height) // 2))
    return collage


def _box(cell: int) -> tuple[int, int, int, int]:
    left, top = cell % 2 * CELL, cell // 2 * CELL
    return left, top, left + CELL, top + CELL


def _jpeg(image: Image.Image) -> bytes:
    out = BytesIO()
    image.save(out, "JPEG", quality=QUALITY)
    return out.getvalue()


def _first(trial: Trial, photo: bytes) -> str:
    return trial.searcher.search(photo, Wanted(1)).hits[0].item_id


if __name__ == "__main__":
    main()
