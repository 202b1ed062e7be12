"""Large galleries that look like a real one: its embeddings, mixed within their categories.

An item is a mixture of three real photos of one category, moved by noise with the covariance that
photos of a category have around their mean; its photos are moved by noise with the covariance that
real photos of one item have. So categories, items, spectrum and neighbors stay as they are in the
real gallery (`likeness` says how nearly), which no uniform noise does.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from lambdas.local.indexer import index_catalog
from lambdas.local.pipeline import Pipeline
from lambdas.local.sample.catalog import draw_catalog
from lens.gallery.commits import read_head
from lens.gallery.current import read_current
from lens.gallery.snapshots import load_snapshot
from lens.pipeline.compact import fold
from lens.settings import Settings
from tests.benchmarks.workload import photo_folder, prepared

Vectors = NDArray[np.float32]
Names = NDArray[np.bytes_]

_ITEMS = 16_384  # drawn at a time
_MIXED = 3  # photos that an item is a mixture of
_OF_MIXTURE = 0.6  # of an item's variance; the rest is its own
_SPREAD = (0.4, 1.3)  # of an item's photos, as shares of the real ones'


@dataclass(frozen=True)
class Photos:
    """Embedded photos: (N, D) float32 unit vectors, and each one's item and category."""

    vectors: Vectors
    item: NDArray[np.int64]
    category: Names

    def __len__(self) -> int:
        return len(self.vectors)

    def take(self, positions: NDArray[np.intp] | slice) -> Photos:
        """These photos."""
        return Photos(self.vectors[positions], self.item[positions], self.category[positions])


def kept_photos(quick: bool) -> Photos:
    """The photos that all benchmarks of a run perturb, embedded once."""
    file = prepared(quick) / "photos.npz"
    if not file.exists():
        save(real_photos(str(photo_folder())), file)
    return real_photos(str(file))


def real_photos(location: str | None) -> Photos:
    """The photos of a catalog, embedded by the default model; of the drawn sample without one.

    A .npz written by `save` is read instead.
    """
    if location and location.endswith(".npz"):
        with np.load(location, allow_pickle=False) as arrays:
            return Photos(arrays["vectors"], arrays["item"], arrays["category"])
    with TemporaryDirectory() as folder:
        if location is None:
            location = f"{folder}/sample"
            draw_catalog(Path(location))
        pipeline = Pipeline(Settings(catalog=location, artifacts=f"{folder}/artifacts"))
        index_catalog(pipeline)
        current = read_current(pipeline.artifacts)
        assert current is not None
        head = read_head(pipeline.artifacts, current.live)
        assert head is not None
        fold(pipeline.artifacts, head, now=time.time())
        head = read_head(pipeline.artifacts, current.live)
        assert head is not None and head.snapshot is not None
        content = load_snapshot(pipeline.artifacts, current.live, head.snapshot.id).as_segment()
        rows = content.rows.take(content.rows.photo_rows)
        items = np.unique(rows.item_id, return_inverse=True)[1]
        return Photos(content.vectors, items, np.array(rows.category))


def save(photos: Photos, path: Path) -> None:
    """Keep embeddings, so that they need not be made again."""
    np.savez(path, vectors=photos.vectors, item=photos.item, category=photos.category)


def synthetic_photos(real: Photos, count: int, seed: int = 0) -> Photos:
    """So many photos like these, of items of their own."""
    chance = np.random.default_rng(seed)
    dim = real.vectors.shape[1]
    names, category = np.unique(real.category, return_inverse=True)
    of_category = _factor(_residuals(real.vectors, category))
    of_item = _factor(_residuals(real.vectors, real.item))
    by_category = np.argsort(category, kind="stable")
    sizes = np.bincount(category)
    starts = np.cumsum(sizes) - sizes
    photos_an_item = np.bincount(real.item)
    vectors: list[Vectors] = []
    items: list[NDArray[np.int64]] = []
    categories: list[Names] = []
    drawn = 0
    while drawn < count:
        first = chance.integers(0, len(real), _ITEMS)
        kind = category[first]
        shares = chance.dirichlet([0.5] * _MIXED, _ITEMS).astype(np.float32)
        mixture = shares[:, :1] * real.vectors[first]
        for share in shares.T[1:, :, None]:
            other = by_category[starts[kind] + chance.integers(0, sizes[kind])]
            mixture += share * real.vectors[other]
        mixture /= np.linalg.norm(shares, axis=1, keepdims=True)
        own = chance.standard_normal((_ITEMS, dim), dtype=np.float32) @ of_category
        centers = (
            np.float32(_OF_MIXTURE**0.5) * mixture + np.float32((1 - _OF_MIXTURE) ** 0.5) * own
        )
        item = np.repeat(np.arange(_ITEMS), chance.choice(photos_an_item, _ITEMS))
        spread = chance.uniform(*_SPREAD, (len(item), 1)).astype(np.float32)
        noise = chance.standard_normal((len(item), dim), dtype=np.float32) @ of_item
        vectors.append(_unit(centers[item] + spread * noise))
        items.append(len(items) * _ITEMS + item)
        categories.append(names[kind[item]])
        drawn += len(item)
    whole = Photos(np.concatenate(vectors), np.concatenate(items), np.concatenate(categories))
    return whole.take(slice(count))


def likeness(photos: Photos) -> dict[str, float]:
    """What real and synthetic photos are compared by; for a few thousand, all pairs are taken."""
    similarities = photos.vectors @ photos.vectors.T
    np.fill_diagonal(similarities, -1)
    order = np.argsort(-similarities, axis=1)[:, :10]
    nearest, tenth = (np.take_along_axis(similarities, order[:, [i]], 1) for i in (0, 9))
    eigenvalues = np.linalg.eigvalsh(np.cov(photos.vectors.T))[::-1]
    return {
        "nearest, p10": float(np.percentile(nearest, 10)),
        "nearest, median": float(np.median(nearest)),
        "nearest, p90": float(np.percentile(nearest, 90)),
        "10th nearest, median": float(np.median(tenth)),
        "10 nearest of the same category": float(
            np.mean(photos.category[order] == photos.category[:, None])
        ),
        "variance in 8 directions": float(eigenvalues[:8].sum() / eigenvalues.sum()),
        "variance in 32 directions": float(eigenvalues[:32].sum() / eigenvalues.sum()),
    }


def _residuals(vectors: Vectors, group: NDArray[np.int64]) -> NDArray[np.float64]:
    """Each vector less its group's mean, scaled so that their covariance is unbiased."""
    sizes = np.bincount(group)
    means = np.zeros((len(sizes), vectors.shape[1]))
    np.add.at(means, group, vectors)
    means /= np.maximum(sizes, 1)[:, None]
    several = sizes[group] > 1
    scale = np.sqrt(sizes[group] / np.maximum(sizes[group] - 1, 1))[:, None]
    residuals: NDArray[np.float64] = ((vectors - means[group]) * scale)[several]
    return residuals


def _factor(residuals: NDArray[np.float64]) -> Vectors:
    """F with F.T @ F their covariance: standard normal rows times F have it too."""
    eigenvalues, directions = np.linalg.eigh(residuals.T @ residuals / max(len(residuals), 1))
    factor: Vectors = (directions * np.sqrt(eigenvalues.clip(0))).T.astype(np.float32)
    return factor


def _unit(vectors: Vectors) -> Vectors:
    unit: Vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit
