"""Bootstrap: gives new artifacts their first model and an empty gallery; changes no others."""

from __future__ import annotations

from lens.errors import ArtifactError
from lens.gallery.commits import Commit, advance_head
from lens.gallery.current import Current, read_current, swap_current
from lens.models.manifest import copy_model, list_models, read_manifest
from lens.storage import Storage
from lens.storage.formats import announce_format


def set_up(artifacts: Storage, source: Storage, *, now: float) -> Current:
    """Copy the one model of `source`, laid out as in the artifacts, and make it live if none is.

    Safe to repeat and to race: nothing that is there already is written again. Returns what is
    current then. Raises ArtifactError unless there is one model, whole.
    """
    announce_format(artifacts, now)
    names = list_models(source)
    if len(names) != 1:
        raise ArtifactError(
            f"{source.location} should hold one model, not {len(names)}: "
            "run `python -m lambdas.setup.bundle` on it"
        )
    manifest = read_manifest(source, names[0])
    copy_model(source, artifacts, manifest)
    current = read_current(artifacts)
    if current is not None:
        return current
    advance_head(artifacts, manifest.model_id, _begin, now=now)
    swapped = swap_current(artifacts, lambda old: None if old else Current(live=manifest.model_id))
    return swapped or Current(live=manifest.model_id)


def _begin(head: Commit) -> Commit | None:
    return None if head.number else head
