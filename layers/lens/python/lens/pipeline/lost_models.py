"""Lost models: damaged ones return as they were, or another is live, or they are let go."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from lens.errors import LensError, NotFoundError, UsageError
from lens.gallery.current import Current, swap_current
from lens.models.manifest import PREFIX as MODELS
from lens.models.manifest import list_models
from lens.pipeline.model_files import Source, restore_files
from lens.pipeline.repair_work import RepairWork
from lens.pipeline.verify import Inspection

_COPY = "name artifacts that have it with `lens repair --from LOCATION`"
_DONE_WITHOUT = "is set aside: searches say less of how sure they are and why"


def restore_models(
    work: RepairWork,
    found: Inspection,
    sources: Sequence[Source],
    chosen: str | None,
    forget: str | None,
) -> None:
    """Bring models back as they were; LensError with the choices for a live one that cannot."""
    for model_id in found.models:
        restored = restore_files(work.storage, model_id, sources, work.folder)
        work.repaired.done += [f"{key} is back as it was" for key in restored.back]
        work.repaired.done += [f"{key} is that of another release" for key in restored.replaced]
        work.repaired.done += [f"{key} {_DONE_WITHOUT}" for key in restored.aside]
        left = restored.left
        if not left:
            continue
        current = found.current
        if current and model_id == current.live:
            _replace_live(work, current, left[0], chosen)
        elif model_id == forget:
            _let_go(work, model_id)
        elif current and model_id == current.candidate:
            swap_current(work.storage, _without_candidate(model_id))
            work.say(f"{left[0]} cannot be brought back: {model_id} is no candidate any more")
        else:
            work.say(
                f"{left[0]} cannot be brought back; {_COPY}, or let the model go with "
                f"`lens repair --forget {model_id}`"
            )


def check_forgotten(found: Inspection, model_id: str) -> None:
    """UsageError unless this is a damaged model that may be let go."""
    current = found.current
    if model_id not in found.models:
        damaged = ", ".join(found.models) or "none"
        raise UsageError(f"{model_id} is no damaged model, so it stays; damaged are: {damaged}")
    if current and current.live == model_id:
        raise UsageError(f"{model_id} is live: let another be so with `lens repair --model ID`")
    if current and current.pin and current.pin.model_id == model_id:
        raise UsageError(f"searches are pinned to {model_id}: end that with `lens release` first")


def _replace_live(work: RepairWork, current: Current, key: str, chosen: str | None) -> None:
    others = [each for each in list_models(work.storage) if each != current.live]
    if chosen is None or chosen == current.live:
        raise LensError(
            f"{key} was not found anywhere as it was; {_COPY}, or let another model be live "
            f"with `lens repair --model ID` (there are: {', '.join(others) or 'none'}; "
            "`--model default`: this release's), or train one again and promote it"
        )
    if chosen not in others:
        raise NotFoundError(f"there is no model {chosen!r}; there are: {', '.join(others)}")

    def put(newest: Current | None) -> Current | None:
        if newest is None or newest.live != current.live:
            return None
        earlier = (newest.live, *newest.previous)
        candidate = newest.candidate if newest.candidate != chosen else None
        previous = tuple(each for each in earlier if each != chosen)
        update = {"live": chosen, "candidate": candidate, "previous": previous, "pin": None}
        return newest.model_copy(update=update)

    swap_current(work.storage, put)
    work.say(f"{chosen} is live in the place of {current.live}")


def _let_go(work: RepairWork, model_id: str) -> None:
    """Let searches never go back to a model; the collector removes its gallery."""

    def put(current: Current | None) -> Current | None:
        if current is None or model_id not in {*current.previous, current.candidate}:
            return None
        previous = tuple(each for each in current.previous if each != model_id)
        candidate = current.candidate if current.candidate != model_id else None
        return current.model_copy(update={"previous": previous, "candidate": candidate})

    swap_current(work.storage, put)
    for info in list(work.storage.list(f"{MODELS}{model_id}/")):
        work.set_aside(info.key)
    work.say(f"{model_id} is let go: it cannot be searched or promoted any more")


def _without_candidate(model_id: str) -> Callable[[Current | None], Current | None]:
    def change(current: Current | None) -> Current | None:
        if current is None or current.candidate != model_id:
            return None
        return current.model_copy(update={"candidate": None})

    return change
