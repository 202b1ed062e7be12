"""The reconcile function: queues the keys where galleries differ from the catalog, and says how
far behind the live one is."""

from __future__ import annotations

import os
import time

import numpy as np
from aws_lambda_powertools.metrics import Metrics, MetricUnit

from lens.catalog import Catalog
from lens.commits import empty_commit, read_head
from lens.config import settings_from
from lens.current import read_current
from lens.gallery import Gallery, load_gallery
from lens.queues import Queue, send_looks
from lens.reconcile import Difference, differences
from lens.rows import Kind
from lens.storage import open_storage

# While so many events wait, what differs is most likely on its way: queueing it again would
# only double the work. The next run looks again.
_BACKLOG = 1_000

_settings = settings_from(os.environ)
_artifacts = open_storage(_settings.artifacts)
_catalog = Catalog(open_storage(_settings.catalog))
_queue = Queue(_settings.embed_queue)
_metrics = Metrics()


def handler(event: object, context: object = None) -> dict[str, int]:
    """How many keys were queued, by model."""
    current = read_current(_artifacts)
    queued = {}
    for model_id in current.kept_up if current else ():
        head = read_head(_artifacts, model_id) or empty_commit(model_id)
        gallery = load_gallery(_artifacts, head)
        found = differences(_catalog, gallery)
        if current and model_id == current.live:
            _publish(gallery, found, now=time.time())
        queued[model_id] = 0
        if found and _queue.depth() < _BACKLOG:
            send_looks(_queue, [each.look for each in found])
            queued[model_id] = len(found)
    return queued


def _publish(gallery: Gallery, found: list[Difference], now: float) -> None:
    waiting = [now - each.since for each in found if each.since is not None]
    for name, unit, value in (
        ("Photos", MetricUnit.Count, gallery.photo_count),
        (
            "RejectedPhotos",
            MetricUnit.Count,
            int(np.count_nonzero(gallery.known.kind == Kind.REJECTION)),
        ),
        ("PhotosBehind", MetricUnit.Count, len(found)),
        ("GalleryAge", MetricUnit.Seconds, max(waiting, default=0.0)),
    ):
        _metrics.add_metric(name=name, unit=unit, value=value)
    _metrics.flush_metrics()
