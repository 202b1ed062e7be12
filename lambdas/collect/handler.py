"""The collect handler: lists the thumbnails, in parts where one call has no time for all of them,
and removes what nothing reaches."""

from __future__ import annotations

from collections.abc import Callable

from lambdas.again import call_again, list_within, seconds_left
from lens.gallery.versions import Look
from lens.photos.thumbnail_store import PREFIX
from lens.pipeline.collect import collect
from lens.pipeline.listing import Cut, Listing
from lens.storage import Storage


class CollectHandler:
    """Removes what nothing reaches from the artifacts, and from the thumbnails."""

    def __init__(
        self,
        artifacts: Storage,
        thumbs: Storage,
        queue: Callable[[list[Look]], None],
        go_on: Callable[[], None] = call_again,
    ) -> None:
        """`queue` gets the keys of which an uncommitted segment knows more than the gallery does;
        `go_on` has another call go on."""
        self._artifacts = artifacts
        self._thumbs = thumbs
        self._queue = queue
        self._go_on = go_on

    def __call__(self, event: object = None, context: object = None) -> dict[str, int]:
        """Lambda's calling convention; the reply counts the objects removed, or listed where the
        listing is not whole yet: nothing is removed before it is."""
        listing = Listing(self._artifacts, "thumbs", lambda after: self._thumbs.list(PREFIX, after))
        listed = list_within(listing, context, seconds_left(context), self._go_on)
        if isinstance(listed, Cut):
            return {"listed": listed.count}
        # What was short enough for one call is listed once more, after the artifacts.
        pictures = listed if listed.id else None
        try:
            removed = collect(self._artifacts, self._thumbs, self._queue, pictures=pictures)
        finally:
            listing.end(listed)
        return {"removed": removed}
