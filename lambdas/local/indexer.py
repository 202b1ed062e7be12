"""The indexer: makes a catalog searchable, from nothing or from wherever an earlier run stopped."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

from lambdas.local.pipeline import Pipeline
from lambdas.local.progress import progress_bar
from lens.default_model.choosing import suitable_model
from lens.errors import UsageError
from lens.gallery.versions import Look
from lens.models.embedder import load_embedder
from lens.photos.decoding import ACCEPTED
from lens.pipeline.promote import promote
from lens.storage.formats import announce_format


def index_catalog(pipeline: Pipeline, model_id: str | None = None) -> int:
    """Bring the gallery in line with the catalog; how many keys were looked at.

    Sets up the default model first where there is none, or fits its head once there are enough
    photos. With `model_id`, that model is used unchanged.
    """
    if not pipeline.settings.stack:  # a stack's own functions tell which release runs there
        announce_format(pipeline.artifacts, time.time())
    pipeline.recover()
    if model_id is None:
        with (
            progress_bar("Fitting the model") as progress,
            ThreadPoolExecutor(pipeline.settings.threads) as executor,
        ):
            model_id = suitable_model(
                pipeline.catalog, pipeline.artifacts, executor, pipeline.settings.limits, progress
            )
    with progress_bar("Indexing") as progress:
        if model_id is None:
            return pipeline.reconcile(progress)
        # A model that cannot run is not made live.
        load_embedder(pipeline.artifacts, model_id, pipeline.settings.precision)
        looked = 0

        def look(looks: list[Look]) -> None:
            nonlocal looked
            looked += len(looks)
            pipeline.look(looks, progress)

        promote(pipeline.artifacts, pipeline.catalog, model_id, look)
        return looked


def refuse_empty(pipeline: Pipeline) -> None:
    """UsageError unless the catalog has a photo."""
    if next(iter(pipeline.catalog.photos()), None) is None:
        raise UsageError(f"no photos ({ACCEPTED}) in {pipeline.settings.catalog}")
