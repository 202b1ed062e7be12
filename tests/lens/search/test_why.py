"""Why: the parts that make photos alike, each tried before it is told."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from lens.default_model.shipped import write_shipped
from lens.models.covering import covered, part_of
from lens.models.embedder import Embedder, load_embedder
from lens.models.regions import main_region
from lens.models.shares import strongest
from lens.photos.decoding import decode
from lens.search.why import tried
from lens.settings import Limits
from lens.storage import FileStorage
from tests.support.region_model import LOWER, UPPER, scene
from tests.support.shares_model import write_shares_model


def test_what_is_told_was_tried(tmp_path: Path) -> None:
    storage = FileStorage(tmp_path)
    embedder = load_embedder(storage, write_shares_model(storage).model_id)
    image = scene(1, {0: UPPER, 3: LOWER})
    other = embedder.embed(scene(2, {0: UPPER, 3: LOWER}))
    vector, shares = embedder.embed_with_shares(image)
    assert shares is not None
    part = tried(embedder, image, vector, shares, other)
    assert part is not None and part.places.max() == 1 and part.places.min() >= 0
    without = embedder.embed(covered(image, part.places == 1))
    assert part.fall == pytest.approx(float((vector - without) @ other), abs=1e-6)


def test_nothing_is_told_of_a_photo_that_is_as_alike_without(tmp_path: Path) -> None:
    storage = FileStorage(tmp_path)
    embedder = load_embedder(storage, write_shares_model(storage).model_id)
    plain = Image.new("RGB", (64, 64), "red")  # its mean color covers nothing
    vector, shares = embedder.embed_with_shares(plain)
    assert shares is not None
    assert tried(embedder, plain, vector, shares, vector) is None
    assert tried(embedder, plain, vector, shares, -vector) is None


PAIRS = 24
Photo = tuple[Image.Image, NDArray[np.float32]]  # the part of it that is embedded, and its vector


@pytest.mark.slow
@pytest.mark.parametrize("senders", ["shop", "people"])
def test_of_real_photos_what_is_told_is_true(
    senders: str, storefront: Path, shopper: Path, tmp_path: Path
) -> None:
    """Covering what is told costs more than covering the weakest fifth, and mostly more than
    another fifth; then less is left there, and of the whole map less is there.
    Figures: docs/experiments.md."""
    storage = FileStorage(tmp_path)
    embedder = load_embedder(storage, write_shipped(storage).model_id)
    random = np.random.default_rng(0)
    keys: dict[str, list[Path]] = {"gallery": [], "query": [], "train": []}
    for line in (storefront / "list_eval_partition.txt").read_text().splitlines()[2:]:
        key, _, status = line.split()
        keys[status].append(storefront / key)
    with (shopper / "photos.csv").open() as lines:
        keys["people"] = [shopper / row["file"] for row in csv.DictReader(lines)]
    shown = [_embedded(embedder, path) for path in _some(keys["gallery"], 60, random)]
    asked = keys["query" if senders == "shop" else "people"]
    counts: Counter[str] = Counter()
    for path in _some([path for path in asked if path.exists()], PAIRS, random):
        query = _embedded(embedder, path)
        hit = max(shown, key=lambda each: float(each[1] @ query[1]))
        for photo, other in ((query, hit[1]), (hit, query[1])):
            counts.update(_figures(embedder, photo, other, random))
    print(senders, dict(counts), "of", 2 * PAIRS)
    told = counts["told"]
    assert told >= PAIRS
    assert counts["costs more than the weakest"] >= 0.95 * told
    assert counts["costs more than another"] >= 0.75 * told
    assert counts["less is left there"] == told
    assert counts["less of the map is there"] == told


def _figures(
    embedder: Embedder, photo: Photo, other: NDArray[np.float32], random: np.random.Generator
) -> list[str]:
    """What holds of a photo of which something is told; nothing where nothing is."""
    image, vector = photo
    _, shares = embedder.embed_with_shares(image)
    assert shares is not None
    part = tried(embedder, image, vector, shares, other)
    if part is None:
        return []
    found = shares.toward(other)
    chosen = strongest(found)
    rows, columns = found.shape
    down, across = np.ogrid[1 - rows : rows : 2, 1 - columns : columns : 2]
    rivals = {
        "costs more than the weakest": strongest(-found),
        "costs more than another": random.permutation(chosen.ravel()).reshape(chosen.shape),
        "costs more than the middle": strongest(-(down**2 + across**2).astype(np.float32)),
    }
    holds = [
        name
        for name, rival in rivals.items()
        if part.fall > float((vector - embedder.embed(covered(image, rival))) @ other)
    ]
    _, shares = embedder.embed_with_shares(covered(image, chosen))
    assert shares is not None
    after = shares.toward(other)
    if after[chosen].sum() < found[chosen].sum():
        holds.append("less is left there")
    before, after = np.maximum(found, 0), np.maximum(after, 0)
    if after[chosen].sum() / after.sum() < before[chosen].sum() / before.sum():
        holds.append("less of the map is there")
    if not chosen.flat[after.argmax()]:
        holds.append("the maximum leaves")
    return ["told", *holds]


def _some(paths: list[Path], count: int, random: np.random.Generator) -> list[Path]:
    return [paths[place] for place in random.permutation(len(paths))[:count]]


def _embedded(embedder: Embedder, path: Path) -> Photo:
    image = decode(path.read_bytes(), Limits())
    region = main_region(embedder.see(image))
    part = part_of(image, region.box if region else None)
    return part, embedder.embed(part)
