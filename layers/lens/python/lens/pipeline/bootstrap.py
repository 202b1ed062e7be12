"""Bootstrap: gives new artifacts their first model, and old ones the default model that is newer.

A trained model of the shop's own is never replaced.
"""

from __future__ import annotations

from contextlib import suppress

from lens.errors import ArtifactError, DamagedError, PinnedError
from lens.gallery.commits import Commit, advance_head
from lens.gallery.current import Current, read_current, swap_current
from lens.models.calibration import copy_calibration
from lens.models.manifest import (
    ModelManifest,
    copy_model,
    list_models,
    read_manifest,
    read_named_manifest,
)
from lens.photos.catalog import Catalog
from lens.photos.origin import claim_origin, read_origin
from lens.pipeline.promote import nominate
from lens.storage import Storage
from lens.storage.formats import announce_format


def set_up(
    artifacts: Storage, source: Storage, *, now: float, catalog: Catalog | None = None
) -> Current:
    """Copy the one model of `source`, laid out as in the artifacts; make it live if none is, and
    the candidate if it is due.

    Safe to repeat and to race: nothing that is there already is written again, but a calibration
    that another release wrote. New artifacts belong to this catalog from the first photo on.
    Returns what is current then. Raises ArtifactError unless there is one model, whole.
    """
    names = list_models(source)
    if len(names) != 1:
        raise ArtifactError(
            f"{source.location} should hold one model, not {len(names)}: "
            "run `python -m lambdas.setup.bundle` on it"
        )
    manifest = read_manifest(source, names[0])
    if read_current(artifacts) is None:
        announce_format(artifacts, now)
        if catalog is not None and read_origin(artifacts) is None:
            claim_origin(artifacts, catalog)
    copy_model(source, artifacts, manifest)
    copy_calibration(source, artifacts, manifest.model_id)
    current = read_current(artifacts)
    if current is None:
        live = Current(live=manifest.model_id)
        current = swap_current(artifacts, lambda old: None if old else live) or live
    else:
        with suppress(PinnedError):  # it was pinned after it was read
            if is_due(artifacts, manifest):
                current = nominate(artifacts, manifest.model_id, clock=lambda: now)
    if current.live == manifest.model_id:
        # After it is named: a head without `current.json` is a gallery whose model is unknown.
        with suppress(DamagedError):  # the deployment goes on, and health tells of the head
            advance_head(artifacts, manifest.model_id, _begin, now=now)
    return current


def is_due(artifacts: Storage, default: ModelManifest) -> bool:
    """Whether this default model is to be promoted: an earlier one is live, nothing is pinned,
    there is no other candidate, and nobody has gone back from this one to the earlier one."""
    current = read_current(artifacts)
    if current is None or current.pin or current.candidate not in (None, default.model_id):
        return False
    if default.model_id in current.previous:
        return False
    live = read_named_manifest(artifacts, current.live).default_number
    return 0 < live < default.default_number


def _begin(head: Commit) -> Commit | None:
    return None if head.number else head
