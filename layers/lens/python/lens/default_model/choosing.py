"""Choosing the default model: a seeded projection first, then a head fit once on enough photos."""

from __future__ import annotations

from concurrent.futures import Executor

import numpy as np
from numpy.typing import NDArray

from lens.default_model import lite0
from lens.default_model.projections import fit_projection, orthogonal_projection
from lens.errors import NotFoundError, PhotoError
from lens.gallery.current import read_current
from lens.models.embedder import Network
from lens.models.manifest import HeadInfo, ModelManifest, read_manifest, write_model
from lens.models.preprocessing import to_pixels
from lens.photos.catalog import Catalog
from lens.photos.decoding import decode
from lens.progress import Progress
from lens.settings import Limits
from lens.storage import Storage

EMBEDDING_DIM = 128
ENOUGH_PHOTOS = 256
_SAMPLE = 4_096  # photos a head is fit on, at most


def suitable_model(
    catalog: Catalog,
    artifacts: Storage,
    executor: Executor,
    limits: Limits,
    progress: Progress | None = None,
) -> str | None:
    """The id of a model that should be made live, written to the artifacts; None when the live
    model should stay.

    That is a first model, or one with a fitted head in place of a seeded projection. A fitted or
    trained head is never touched: refitting changes every vector.
    """
    current = read_current(artifacts)
    if current is not None:
        if current.pin or current.candidate:
            return None
        if read_manifest(artifacts, current.live).head.kind != "orthogonal":
            return None
    keys = [info.key for info in catalog.photos()]
    if len(keys) >= ENOUGH_PHOTOS:
        features = sample_features(catalog, keys, executor, limits, progress)
        if len(features) >= ENOUGH_PHOTOS:
            return write_fitted(artifacts, features).model_id
    return write_projection(artifacts).model_id if current is None else None


def write_projection(artifacts: Storage) -> ModelManifest:
    """Write the default model with a seeded orthogonal projection: it needs no photos."""
    graph = lite0.build_embedding_graph(orthogonal_projection(lite0.FEATURES, EMBEDDING_DIM))
    return _write(artifacts, graph, HeadInfo(kind="orthogonal"))


def write_fitted(artifacts: Storage, features: NDArray[np.float32]) -> ModelManifest:
    """Write the default model with a head fit on (N, F) features; no labels are used."""
    graph = lite0.build_embedding_graph(fit_projection(features, EMBEDDING_DIM))
    return _write(artifacts, graph, HeadInfo(kind="pca", fit_on=len(features)))


def sample_features(
    catalog: Catalog,
    keys: list[str],
    executor: Executor,
    limits: Limits,
    progress: Progress | None = None,
) -> NDArray[np.float32]:
    """Features (N, F) of the catalog's usable photos; of an even sample when there are many."""
    network = Network(lite0.build_features_graph(), lite0.BACKBONE)
    chosen = [keys[i] for i in np.linspace(0, len(keys) - 1, min(len(keys), _SAMPLE)).astype(int)]

    def features_of(key: str) -> NDArray[np.float32] | None:
        try:
            image = decode(catalog.storage.read(key)[0], limits)
        except (PhotoError, NotFoundError):
            return None
        found: NDArray[np.float32] = network.run(to_pixels(image, lite0.PREPROCESSING)[None])[0]
        return found

    features = []
    for done, found in enumerate(executor.map(features_of, chosen), start=1):
        if found is not None:
            features.append(found)
        if progress:
            progress(done, len(chosen))
    return np.array(features, dtype=np.float32).reshape(len(features), lite0.FEATURES)


def _write(artifacts: Storage, graph: bytes, head: HeadInfo) -> ModelManifest:
    return write_model(
        artifacts,
        graph,
        backbone=lite0.BACKBONE,
        embedding_dim=EMBEDDING_DIM,
        preprocessing=lite0.PREPROCESSING,
        head=head,
    )
