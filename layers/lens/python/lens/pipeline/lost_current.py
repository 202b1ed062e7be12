"""Lost current: what `current.json` said, as its older versions tell it, or the galleries."""

from __future__ import annotations

from datetime import UTC, datetime

from lens.errors import ArtifactError, LensError, NotFoundError
from lens.gallery.commits import Commit
from lens.gallery.current import KEY, Current
from lens.models.manifest import PREFIX as MODELS
from lens.pipeline.repair_work import RepairWork
from lens.pipeline.verify import Inspection
from lens.storage.aside import keep_copy, set_aside
from lens.storage.documents import parse_document, replace_document
from lens.storage.older import older_versions


def rebuild_current(work: RepairWork, found: Inspection, chosen: str | None) -> None:
    """Write a `current.json` that says what the galleries say."""
    before = work.storage.head(KEY)
    current = _older_current(work, found) if chosen is None else None
    current = current or _current_of(found, chosen)
    keep_copy(work.storage, KEY, work.folder)
    if current is None:
        set_aside(work.storage, KEY, work.folder)
        work.say(f"{KEY} is set aside: there is no gallery that it could have named")
        return
    replace_document(work.storage, KEY, current, before.etag if before else None)
    work.say(f"{KEY} is made anew: {current.live} is live")


def _older_current(work: RepairWork, found: Inspection) -> Current | None:
    for data in older_versions(work.storage, KEY):
        try:
            current = parse_document(KEY, data, Current)
        except ArtifactError:
            continue
        if current.live in _models(found):
            return current
    return None


def _current_of(found: Inspection, chosen: str | None) -> Current | None:
    """What is current, as the galleries tell it; None where there is none."""
    models = _models(found)
    newest = {
        each.model_id: each.ancestry()[0]
        for each in found.galleries.values()
        if each.model_id in models and each.ancestry()
    }
    filled = [m for m, commit in newest.items() if commit.snapshot or commit.segments]
    filled.sort(key=lambda model: -newest[model].created_at)
    plausible = filled or sorted(newest) or sorted(models)
    if chosen is not None and chosen not in models:
        raise NotFoundError(
            f"there is no model {chosen!r}; there are: {', '.join(sorted(models)) or 'none'}"
        )
    if chosen is None and len(plausible) > 1:
        told = ", ".join(f"{model} ({_age(newest.get(model))})" for model in plausible)
        raise LensError(
            f"{KEY} is lost, and any of these models may have been live: {told}; "
            "choose with `lens repair --model ID`"
        )
    live = chosen or next(iter(plausible), None)
    if live is None:
        return None
    return Current(live=live, previous=tuple(model for model in filled if model != live))


def _age(commit: Commit | None) -> str:
    if commit is None:
        return "no commit"
    at = datetime.fromtimestamp(commit.created_at, UTC).isoformat(timespec="minutes")
    return f"newest commit of {at}"


def _models(found: Inspection) -> set[str]:
    """The models that are there, damaged or not."""
    keys = (key for key in found.there if key.startswith(MODELS) and key.endswith("/manifest.json"))
    return {key.split("/")[1] for key in keys}
