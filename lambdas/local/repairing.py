"""Repairing: repairs a pipeline's artifacts and looks again at what was lost, by hand or because
indexing met a damaged part."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import TypeVar

from lambdas.local.pipeline import Pipeline
from lambdas.local.progress import progress_bar
from lens.default_model.shipped import FOLDER, shipped_manifest, write_shipped
from lens.errors import (
    ArtifactError,
    DamagedError,
    LensError,
    MissingError,
    NotFoundError,
    UsageError,
)
from lens.gallery.commits import COMMITS
from lens.gallery.current import KEY as CURRENT
from lens.gallery.current import read_current
from lens.models.manifest import PREFIX as MODELS
from lens.pipeline.model_files import Source, damaged_files
from lens.pipeline.repair import repair
from lens.pipeline.repair_work import Repaired
from lens.storage import Storage, open_storage

log = logging.getLogger(__name__)

DEFAULT = "default"  # as an id: this release's default model

T = TypeVar("T")


def repair_artifacts(
    pipeline: Pipeline,
    *,
    model_id: str | None = None,
    copies: str | None = None,
    forget: str | None = None,
) -> Repaired:
    """Repair a catalog's or a stack's artifacts; here the lost photos are embedded again before it
    returns, a stack does that by its queue. `copies` locates artifacts that may have what a model's
    files were. `forget` and errors are those of `lens.pipeline.repair`."""
    if model_id == DEFAULT:
        model_id = write_shipped(pipeline.artifacts).model_id
    sources: list[Source] = [_shipped]
    if copies:
        sources.append(_copies_in(open_storage(copies)))
    with progress_bar("Checking", "parts") as progress:
        repaired = repair(
            pipeline.artifacts,
            pipeline.catalog,
            sources=sources,
            model_id=model_id,
            forget=forget,
            progress=progress,
        )
    if repaired.looks and pipeline.settings.embed_queue:
        from lens.pipeline.queues import Queue

        Queue(pipeline.settings.embed_queue).send_looks(repaired.looks)
    elif repaired.looks:
        with progress_bar("Embedding") as progress:
            pipeline.look(repaired.looks, progress)
    return repaired


def healed(pipeline: Pipeline, work: Callable[[], T]) -> T:
    """Do this work; where damaged artifacts stop it, repair them and do it again. A stack's are
    left to `lens repair`: its functions write them."""
    if pipeline.settings.stack:
        return work()
    try:
        _check_models(pipeline.artifacts)
        return work()
    except UsageError:
        raise
    except LensError:
        repaired = repair_artifacts(pipeline)
        if not repaired.done:
            raise
    log.warning("artifacts were damaged and are repaired: %s", "; ".join(repaired.done))
    return work()


def _check_models(artifacts: Storage) -> None:
    """DamagedError where a followed model is damaged: an indexing with nothing to embed would not
    notice, and the next search would fail."""
    current = read_current(artifacts)
    if current is None and next(iter(artifacts.list(COMMITS)), None):
        raise MissingError(CURRENT)
    for model_id in current.followed if current else ():
        for key, what in damaged_files(artifacts, model_id):
            raise DamagedError(key, what)


def _shipped(key: str) -> Iterator[bytes]:
    """A file of the default model that comes with this installation."""
    try:
        model_id = shipped_manifest().model_id
    except ArtifactError:
        return
    folder = f"{MODELS}{model_id}/"
    path = FOLDER / key.removeprefix(folder)
    if key.startswith(folder) and path.is_file():
        yield path.read_bytes()


def _copies_in(storage: Storage) -> Source:
    def copies(key: str) -> Iterator[bytes]:
        try:
            yield storage.read(key)[0]
        except NotFoundError:
            return

    return copies
