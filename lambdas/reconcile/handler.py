"""The reconcile handler: decides the layout, queues the keys that differ from the catalog, regroups
what is grouped otherwise, and publishes how many differ."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping

from lambdas.again import GO_ON, list_within, seconds_left
from lens.errors import LensError, UsageError
from lens.gallery.commits import read_head
from lens.gallery.current import KEY, Current, read_current
from lens.gallery.holds import allow_deletions
from lens.gallery.loading import load_gallery
from lens.gallery.versions import Look
from lens.photos.catalog import Catalog
from lens.photos.origin import claim_origin
from lens.pipeline.layouts import decide_layout
from lens.pipeline.listing import Cut, Listed, Listing
from lens.pipeline.pictures import Pictures
from lens.pipeline.queues import Queue
from lens.pipeline.reconcile import Comparison, compare_feed, compare_newest
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
        pictures: Pictures | None = None,
        lost_events: Callable[[], list[str]] = list,
        go_on: Callable[[], None] | None = None,
    ) -> None:
        """`publish` gets the live gallery's figures: counts of photos, and an age in seconds.
        `layout` is LENS_LAYOUT; None where another process decides the layout. `pictures` are
        fetched before the comparison finds them. `lost_events` are those that the catalog's bucket
        no longer tells of. `go_on` has another call go on with what this one had no time for:
        with it the catalog is listed in parts."""
        self._catalog = catalog
        self._artifacts = artifacts
        self._queue = queue
        self._publish = publish
        self._layout = layout
        self._pictures = pictures
        self._lost_events = lost_events
        self._go_on = go_on

    def __call__(self, event: object = None, context: object = None) -> dict[str, int]:
        """Lambda's calling convention; the reply counts what differs and what was queued of it.
        The event {"only": "feed"} compares the product file alone; {"allow_deletions": HOLD} lets
        the photos of that hold go; {"go_on": true} goes on with a listing that was cut. The reply
        {"listed": N} says that it is not whole yet. UsageError for another catalog than the
        artifacts belong to."""
        whole = seconds_left(context)
        current = read_current(self._artifacts)
        if event == {"only": "feed"}:
            return self._compare_feed(current.followed if current else ())
        self._claim(current.live if current else None)
        if isinstance(event, Mapping) and "allow_deletions" in event:
            allow_deletions(self._artifacts, str(event["allow_deletions"]))
        if event != GO_ON:
            self._fetch(context)
        if self._go_on is None:
            return self._compare(current, None)
        listing = Listing(
            self._artifacts, "catalog", self._catalog.files_after, self._catalog.wanted()
        )
        listed = list_within(listing, context, whole, self._go_on)
        if isinstance(listed, Cut):
            return {"listed": listed.count}
        try:
            return self._compare(current, listed)
        finally:  # a listing that cannot be read must not stop the next run
            listing.end(listed)

    def _compare(self, current: Current | None, listed: Listed | None) -> dict[str, int]:
        differing = queued = regrouped = held = 0
        if current and self._layout is not None:
            self._decide(self._layout, listed)
        for model_id in current.followed if current else ():
            comparison = compare_newest(self._catalog, self._artifacts, model_id, listed=listed)
            if current and model_id == current.live:
                self._publish({**self._figures(comparison), **self._unheard()})
            held = max(held, comparison.held)
            differing += len(comparison.looks)
            queued += self._queue_looks(comparison.looks)
            comparison.regroup(self._artifacts)  # the new segments have events of their own
            regrouped += len(comparison.misplaced)
        counts = {"differing": differing, "queued": queued, "regrouped": regrouped}
        return {**counts, "held": held} if held else counts

    def _claim(self, live: str | None) -> None:
        """What a slip in a setting would remove is told as what is held is: it is all photos."""
        try:
            claim_origin(self._artifacts, self._catalog)
        except UsageError:
            head = read_head(self._artifacts, live) if live else None
            photos = load_gallery(self._artifacts, head).photo_count if head else 0
            self._publish({"HeldDeletions": max(1, photos)})
            raise

    def _decide(self, layout: str, listed: Listed | None) -> None:
        """A setting that cannot be understood costs the grouping alone, not the repair."""
        try:
            decide_layout(self._catalog, self._artifacts, layout, listed)
        except UsageError as error:
            log.error("the catalog's layout stays as it was: %s", error)

    def _compare_feed(self, models: Iterable[str]) -> dict[str, int]:
        looks = [
            look
            for model_id in models
            for look in compare_feed(self._catalog, self._artifacts, model_id)
        ]
        return {"differing": len(looks), "queued": self._queue_looks(looks)}

    def _fetch(self, context: object) -> None:
        """Fetch pictures for half of the time that is left; the next run goes on."""
        if self._pictures is None:
            return
        half = seconds_left(context) / 2
        try:
            came = self._pictures.run(stop=lambda: seconds_left(context) < half)
        except LensError as error:
            log.error("pictures are left to the next run: %s", error)
        else:
            log.info("%d pictures came", came)

    def _queue_looks(self, looks: list[Look]) -> int:
        depth = self._queue.depth()
        if depth.waiting + depth.taken > _BUSY:
            log.warning(
                "%d looks are left to the next run: %s is full", len(looks), self._queue.url
            )
            return 0
        self._queue.send_looks(looks)
        return len(looks)

    def _unheard(self) -> dict[str, float]:
        """How many kinds of events somebody has taken out of the bucket's notifications; no figure
        where the bucket does not say."""
        try:
            lost = self._lost_events()
        except LensError as error:
            log.warning("whether events are lost is not known: %s", error)
            return {}
        if lost:
            log.error(
                "the catalog's bucket no longer tells of %s: changes are found by reconcile alone "
                "(docs/operations.md#a-bucket-that-no-longer-tells)",
                ", ".join(lost),
            )
        return {"LostNotifications": len(lost)}

    def _figures(self, comparison: Comparison) -> dict[str, float]:
        # A gallery that has just become live, or just begun, is not late with older photos.
        current = self._artifacts.head(KEY)
        since = current.modified if current else 0.0
        return {
            "Photos": comparison.photos,
            "RejectedPhotos": comparison.rejected,
            "WaitingPhotos": comparison.waiting,
            "PhotosBehind": len(comparison.looks),
            "HeldDeletions": comparison.held,
            "MassRemoval": comparison.removed,
            "GalleryAge": comparison.age(since=since, now=time.time()),
        }
