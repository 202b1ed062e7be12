"""The backup: what nothing else gives again, copied to another location and brought back: the
models that are kept, which of them is live, the layout that was decided, and the product file.

Photos are not among it: they are the source of truth, and their bucket keeps versions. Galleries
are not: photos and model give them again. A backup is laid out as artifacts are, so
`lens repair --from` takes a lost model's files from it too.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from lens.errors import DamagedError, LensError, NotFoundError, UsageError
from lens.gallery.commits import Commit, advance_head, read_head
from lens.gallery.current import KEY as CURRENT
from lens.gallery.current import Current, read_current, swap_current
from lens.gallery.loading import load_gallery
from lens.models.calibration import copy_calibration
from lens.models.manifest import copy_model, read_named_manifest
from lens.photos.catalog import Catalog
from lens.photos.layouts.stored import KEY as LAYOUT
from lens.storage import Storage
from lens.storage.documents import read_document
from lens.storage.formats import announce_format

FEED = "feed/"


def back_up(artifacts: Storage, catalog: Catalog, target: Storage) -> Iterator[str]:
    """Copy to `target`, and tell what was copied, a line each. Models that are there already are
    left alone, so it may be run every day; `current.json` is written last.

    An earlier model that is damaged costs itself, and a line says so. Raises LensError without a
    model, or when the live one is damaged.
    """
    current = read_current(artifacts)
    if current is None:
        raise LensError("there is no model yet, so there is nothing to back up: run `lens index`")
    if target.location == artifacts.location:
        raise UsageError("these are the artifacts themselves: name another location for a backup")
    for model_id in dict.fromkeys((*current.followed, *current.retained)):
        try:
            copy_model(artifacts, target, read_named_manifest(artifacts, model_id))
            copy_calibration(artifacts, target, model_id)
        except DamagedError as error:
            if model_id == current.live:
                raise
            yield f"{model_id} is left out: {error}"
        else:
            yield f"{model_id}{' (live)' if model_id == current.live else ''}"
    if _copy(artifacts, target, LAYOUT):
        yield "the layout"
    if feed := catalog.feed():
        with suppress(NotFoundError):  # it went meanwhile
            data, _ = catalog.read_feed(feed.key)
            target.write(FEED + feed.key.rpartition("/")[2], data)
            yield f"the product file {feed.key}"
    _copy(artifacts, target, CURRENT)


def bring_back(backup: Storage, artifacts: Storage, *, now: float) -> str:
    """Let artifacts without a gallery of their own begin with a backup's live model and layout;
    that model's id. The photos are then embedded by the next reconciliation.

    Raises NotFoundError where there is no backup, UsageError where there is a gallery already,
    DamagedError, and nothing is live, where the backup is damaged.
    """
    try:
        saved = read_document(backup, CURRENT, Current)[0]
    except NotFoundError as error:
        raise NotFoundError(f"there is no backup in {backup.location}") from error
    current = read_current(artifacts)
    if current is None:
        announce_format(artifacts, now)
    elif photos := _photos(artifacts, current.live):
        raise UsageError(
            f"{photos} photos can be found already by {current.live}: a backup is brought back to "
            f"artifacts without a gallery. To change the model, copy it and `lens promote` it"
        )
    copy_model(backup, artifacts, read_named_manifest(backup, saved.live))
    copy_calibration(backup, artifacts, saved.live)
    if artifacts.head(LAYOUT) is None:
        _copy(backup, artifacts, LAYOUT)
    swap_current(artifacts, lambda _: Current(live=saved.live))
    advance_head(artifacts, saved.live, _begin, now=now)
    return saved.live


def _photos(artifacts: Storage, model_id: str) -> int:
    return load_gallery(artifacts, read_head(artifacts, model_id)).photo_count


def _copy(source: Storage, target: Storage, key: str) -> bool:
    """Whether the source has it."""
    try:
        target.write(key, source.read(key)[0], content_type="application/json")
    except NotFoundError:
        return False
    return True


def _begin(head: Commit) -> Commit | None:
    return None if head.number else head
