"""The indexer: makes a catalog searchable, from nothing or from wherever an earlier run stopped."""

from __future__ import annotations

import time

from lambdas.local.pipeline import Pipeline
from lambdas.local.progress import progress_bar
from lambdas.local.repairing import healed
from lens.default_model.shipped import shipped_manifest, write_shipped
from lens.errors import UsageError
from lens.gallery.current import read_current
from lens.gallery.holds import read_held
from lens.gallery.versions import Look
from lens.models.embedder import load_embedder
from lens.photos.opening import ACCEPTED
from lens.pipeline.bootstrap import is_due
from lens.pipeline.promote import promote
from lens.pipeline.waiting import Retry, always
from lens.settings import variable
from lens.storage.formats import announce_format


def index_catalog(pipeline: Pipeline, model_id: str | None = None) -> int:
    """Bring the gallery in line with the catalog; how many keys were looked at.

    Where there is no model, the default one is made live first: photos can be found as soon as
    they are committed. With `model_id`, that model is made live, and used unchanged. Damaged
    artifacts are repaired on the way, where there is no choice to be made.
    """
    return healed(pipeline, lambda: _index(pipeline, model_id))


def _index(pipeline: Pipeline, model_id: str | None) -> int:
    if not pipeline.settings.stack:  # a stack's own functions tell which release runs there
        announce_format(pipeline.artifacts, time.time())
    pipeline.claim_catalog()
    pipeline.decide_layout()
    pipeline.recover()
    if model_id is None:
        if read_current(pipeline.artifacts) is not None:
            return reconcile_catalog(pipeline)
        model_id = write_shipped(pipeline.artifacts).model_id
    return _promote(pipeline, model_id, "Indexing")


def reconcile_catalog(pipeline: Pipeline, retry: Retry = always) -> int:
    """Bring every followed gallery in line with the catalog, except one that `renew_default` is
    filling; how many keys differed. `retry` as `Pipeline.reconcile` has it."""
    current = read_current(pipeline.artifacts)
    if current is None:
        return index_catalog(pipeline)
    models = current.followed
    if _renews(pipeline):
        models = tuple(model for model in models if model != shipped_manifest().model_id)
    with progress_bar("Indexing") as bar, pipeline.underway.work(bar) as progress:
        return pipeline.reconcile(progress, models, retry)


def renew_default(pipeline: Pipeline) -> str | None:
    """Promote this release's default model where an earlier one is live; its id, None where there
    is nothing to do. Searches go on meanwhile. Stopped, it goes on when it is called again."""
    if not _renews(pipeline):
        return None
    model_id = write_shipped(pipeline.artifacts).model_id
    _promote(pipeline, model_id, "Embedding with the new default model")
    return model_id


def refuse_empty(pipeline: Pipeline) -> None:
    """UsageError unless the catalog has a photo, or pictures are fetched for it."""
    if pipeline.settings.feed_pictures or next(iter(pipeline.catalog.photos()), None):
        return
    setting = variable("feed_pictures")
    fetch = f"; {setting}=1 fetches those of the product file" if pipeline.catalog.feed() else ""
    photos = sum(hold.photos for hold in read_held(pipeline.artifacts))
    held = f"; {photos} photos are held, see `lens status`" if photos else ""
    raise UsageError(f"no photos ({ACCEPTED}) in {pipeline.settings.catalog}{fetch}{held}")


def _renews(pipeline: Pipeline) -> bool:
    # A stack's functions embed with the stack's release: its own setup nominates its default model.
    return not pipeline.settings.stack and is_due(pipeline.artifacts, shipped_manifest())


def _promote(pipeline: Pipeline, model_id: str, label: str) -> int:
    """Make a model live once its gallery is filled; how many keys were looked at."""
    # A model that cannot run is not made live.
    load_embedder(pipeline.artifacts, model_id, pipeline.settings.precision)
    looked = 0
    with progress_bar(label) as bar, pipeline.underway.work(bar) as progress:

        def look(looks: list[Look]) -> None:
            nonlocal looked
            looked += len(looks)
            pipeline.look(looks, progress)

        promote(pipeline.artifacts, pipeline.catalog, model_id, look)
    return looked
