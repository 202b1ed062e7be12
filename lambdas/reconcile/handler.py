"""The reconcile handler: decides the layout, queues the keys that differ from the catalog, regroups
what is grouped otherwise, and publishes how many differ."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from lens.gallery.current import KEY, read_current
from lens.gallery.versions import Look
from lens.photos.catalog import Catalog
from lens.pipeline.layouts import decide_layout
from lens.pipeline.queues import Queue
from lens.pipeline.reconcile import Comparison, compare_newest
from lens.storage import Storage

log = logging.getLogger(__name__)

# While more messages than this wait, they probably are the same differences: a backlog must not be
# queued again every hour. The next run finds what these messages did not repair.
_BUSY = 1_000


class ReconcileHandler:
    """Compares the gallery of every followed model with the catalog."""

    def __init__(
        self,
        catalog: Catalog,
        artifacts: Storage,
        queue: Queue,
        publish: Callable[[dict[str, float]], None] = lambda figures: None,
        layout: str | None = None,
    ) -> None:
        """`publish` gets the live gallery's figures: counts of photos, and an age in seconds.
        `layout` is LENS_LAYOUT; None where another process decides the layout."""
        self._catalog = catalog
        self._artifacts = artifacts
        self._queue = queue
        self._publish = publish
        self._layout = layout

    def __call__(self, event: object = None, context: object = None) -> dict[str, int]:
        """Lambda's calling convention; the reply counts what differs and what was queued of it."""
        current = read_current(self._artifacts)
        differing = queued = regrouped = 0
        if current and self._layout is not None:
            decide_layout(self._catalog, self._artifacts, self._layout)
        for model_id in current.followed if current else ():
            comparison = compare_newest(self._catalog, self._artifacts, model_id)
            if current and model_id == current.live:
                self._publish(self._figures(comparison))
            differing += len(comparison.looks)
            queued += self._queue_looks(comparison.looks)
            comparison.regroup(self._artifacts)  # the new segments have events of their own
            regrouped += len(comparison.misplaced)
        return {"differing": differing, "queued": queued, "regrouped": regrouped}

    def _queue_looks(self, looks: list[Look]) -> int:
        depth = self._queue.depth()
        if depth.waiting + depth.taken > _BUSY:
            log.warning(
                "%d looks are left to the next run: %s is full", len(looks), self._queue.url
            )
            return 0
        self._queue.send_looks(looks)
        return len(looks)

    def _figures(self, comparison: Comparison) -> dict[str, float]:
        # A gallery that has just become live, or just begun, is not late with older photos.
        current = self._artifacts.head(KEY)
        since = current.modified if current else 0.0
        return {
            "Photos": comparison.photos,
            "RejectedPhotos": comparison.rejected,
            "PhotosBehind": len(comparison.looks),
            "GalleryAge": comparison.age(since=since, now=time.time()),
        }
