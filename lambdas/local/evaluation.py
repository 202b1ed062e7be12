"""Evaluation: indexes a protocol's gallery in a temporary folder and runs its queries."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lambdas.local.indexer import index_catalog
from lambdas.local.pipeline import Pipeline
from lambdas.local.progress import progress_bar
from lens.errors import NotFoundError, UsageError
from lens.evaluation.protocols import Protocol, Split, split_of
from lens.evaluation.score import Scorer
from lens.models.calibration import copy_calibration
from lens.models.manifest import copy_model, read_manifest
from lens.photos.catalog import PARTITION_KEY, Catalog, PartitionEntry
from lens.progress import Progress
from lens.search.searcher import Searcher
from lens.search.wanted import Wanted
from lens.settings import Settings
from lens.storage import FileStorage, Storage, open_storage
from lens.storage.formats import announce_format


@dataclass(frozen=True)
class Evaluation:
    """One protocol's figures, as fractions."""

    protocol: Protocol
    model_id: str
    embedding_dim: int
    head_fit_on: str
    queries: int
    gallery: int
    recall_at_k: dict[str, float]
    map_at_r: float

    def to_json(self) -> dict[str, Any]:
        """For `--json`."""
        return asdict(self)


@dataclass(frozen=True)
class Trial:
    """A protocol's gallery, ready to be searched."""

    catalog: Catalog
    partition: dict[str, PartitionEntry]
    split: Split
    searcher: Searcher


@contextmanager
def trial_of(
    settings: Settings, protocol: Protocol, model_id: str | None = None
) -> Iterator[Trial]:
    """Index a protocol's gallery in a temporary folder, for the time of the block.

    Raises UsageError without a usable partition file.
    """
    catalog, partition = partitioned(settings)
    split = split_of(partition, protocol)
    if not split.queries or not split.gallery:
        raise UsageError(
            f"the partition file has {len(split.queries)} queries and {len(split.gallery)} gallery "
            f"photos for the {protocol} protocol; both are needed"
        )
    _require(catalog.storage, (*split.queries, *split.gallery))
    with searcher_of(settings, split.gallery, model_id) as searcher:
        yield Trial(catalog, partition, split, searcher)


def partitioned(settings: Settings) -> tuple[Catalog, dict[str, PartitionEntry]]:
    """The catalog with its partition file's entries; UsageError when it is no local folder, or
    has no such file."""
    catalog = Catalog(open_storage(settings.catalog))
    if not isinstance(catalog.storage, FileStorage):
        raise UsageError("evaluate needs the photos in a local folder")
    partition = catalog.partition()
    if not partition:
        raise UsageError(f"{settings.catalog} has no {PARTITION_KEY}; evaluate needs one")
    return catalog, partition


@contextmanager
def searcher_of(
    settings: Settings, keys: Sequence[str], model_id: str | None = None
) -> Iterator[Searcher]:
    """Index some photos of a catalog in a temporary folder, for the time of the block.

    They are indexed exactly as `lens index` would index a catalog of just these photos: by the
    default model, or by the model `model_id` of the catalog's artifacts. The live gallery is
    neither read nor written. Raises UsageError as `partitioned`, and when one of the
    photos is missing.
    """
    catalog, partition = partitioned(settings)
    _require(catalog.storage, keys)
    assert isinstance(catalog.storage, FileStorage)
    with tempfile.TemporaryDirectory(prefix="lens-evaluate-") as folder:
        place = Path(folder)
        _link(catalog.storage.root, keys, partition, place / "catalog")
        inner = settings.model_copy(
            update={
                "catalog": str(place / "catalog"),
                "artifacts": str(place / "artifacts"),
                "thumbs": "",
            }
        )
        pipeline = Pipeline(inner)
        announce_format(pipeline.artifacts, time.time())
        if model_id is not None:
            _copy_model(open_storage(settings.artifacts), pipeline.artifacts, model_id)
        index_catalog(pipeline, model_id)
        yield Searcher(pipeline.artifacts, settings.limits, precision=settings.precision)


def evaluate(settings: Settings, protocol: Protocol, model_id: str | None) -> Evaluation:
    """Score a protocol on a catalog with a partition file, as `trial_of` indexes it."""
    with (
        trial_of(settings, protocol, model_id) as trial,
        progress_bar(f"Searching, {protocol}") as progress,
    ):
        return _score(trial, protocol, progress)


def _score(trial: Trial, protocol: Protocol, progress: Progress) -> Evaluation:
    partition, split, searcher = trial.partition, trial.split, trial.searcher
    scorer = Scorer(partition[key].item_id for key in split.gallery)
    for done, key in enumerate(split.queries, start=1):
        photo = trial.catalog.storage.read(key)[0]
        hits = searcher.search(photo, Wanted(scorer.depth)).hits
        scorer.add(partition[key].item_id, [hit.item_id for hit in hits])
        progress(done, len(split.queries))
    serving = searcher.serving
    assert serving is not None
    manifest = serving.embedder.manifest
    found = scorer.score()
    return Evaluation(
        protocol=protocol,
        model_id=manifest.model_id,
        embedding_dim=manifest.embedding_dim,
        head_fit_on=f"{manifest.head.fit_on} photos" if manifest.head.fit_on else "nothing",
        queries=len(split.queries),
        gallery=serving.gallery.photo_count,
        recall_at_k=found.recall_at_k,
        map_at_r=found.map_at_r,
    )


def _require(storage: Storage, keys: Sequence[str]) -> None:
    missing = [key for key in keys if storage.head(key) is None]
    if missing:
        raise UsageError(
            f"{len(missing)} photos of the partition file are missing, {missing[0]} first: "
            "name the folder that holds img/"
        )


def _link(
    root: Path, keys: Sequence[str], partition: dict[str, PartitionEntry], target: Path
) -> None:
    """A catalog of just these photos, which stay where they are."""
    for key in keys:
        link = target / key
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(root / key)
    lines = [f"{key} {partition[key].item_id} {partition[key].status}" for key in keys]
    header = [str(len(lines)), "image_name item_id evaluation_status"]
    (target / PARTITION_KEY).write_text("\n".join([*header, *lines]) + "\n")


def _copy_model(source: Storage, target: Storage, model_id: str) -> None:
    try:
        manifest = read_manifest(source, model_id)
    except NotFoundError as error:
        raise UsageError(str(error)) from error
    copy_model(source, target, manifest)
    copy_calibration(source, target, model_id)
