"""Repair: sets what is damaged aside, and makes galleries of what is whole.

What only a damaged part knew is looked at again; nothing else is embedded. Each step can be
repeated: a repair that was stopped is finished by the next.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from lens.gallery import retention
from lens.gallery.commits import HEADS, head_key
from lens.gallery.current import KEY as CURRENT
from lens.gallery.current import Current, Pin, read_current, swap_current
from lens.gallery.product_tables import is_manifest_key, parse_products_key
from lens.gallery.snapshots import PREFIX as SNAPSHOTS
from lens.models.manifest import PREFIX as MODELS
from lens.photos.catalog import Catalog
from lens.photos.origin import check_origin
from lens.pipeline.greatest_versions import above, greatest_versions
from lens.pipeline.lost_current import rebuild_current
from lens.pipeline.lost_models import check_forgotten, restore_models
from lens.pipeline.model_files import Source
from lens.pipeline.reconcile import compare_newest
from lens.pipeline.repair_work import Repaired, RepairWork
from lens.pipeline.restored_head import rebuild_gallery, write_entry
from lens.pipeline.verify import Inspection, inspect
from lens.pipeline.waiting import never
from lens.progress import Progress
from lens.storage import Storage, formats
from lens.storage.aside import aside_folder
from lens.storage.documents import speaks_newest


def repair(
    storage: Storage,
    catalog: Catalog,
    *,
    sources: Sequence[Source] = (),
    model_id: str | None = None,
    forget: str | None = None,
    clock: Callable[[], float] = time.time,
    progress: Progress = lambda done, total: None,
) -> Repaired:
    """Repair everything that `inspect` finds damaged; the looks are still to be done.

    `sources` may have what a model's files were; `model_id` chooses the live model where that
    cannot be told, or where it is lost; `forget` is another model, which is let go where nothing
    brings it back. Raises LensError, with the choices, where nobody but the shop can say how to go
    on; what could be repaired until then is. UsageError for a model that is not to be let go.
    """
    found = inspect(storage, progress)
    if forget is not None:
        check_forgotten(found, forget)
    if found.whole:
        return Repaired()
    check_origin(storage, catalog)
    work = RepairWork(storage, catalog, clock, aside_folder(clock()))
    if CURRENT in found.keys:
        rebuild_current(work, found, model_id)
        found = inspect(storage, progress)
    for each in found.kept:
        rebuild_gallery(work, found, each)
    _move_pin(work, found)
    _clear(work, found)
    restore_models(work, found, sources, model_id, forget)
    _look_again(work, found)
    return work.repaired


def _move_pin(work: RepairWork, found: Inspection) -> None:
    """Hold searches at an earlier commit where the pinned one is damaged; else end the pin."""
    pin = found.current.pin if found.current else None
    parts = found.gallery(pin.model_id) if pin else None
    if pin is None or parts is None:
        return
    pinned = parts.commits.get(pin.commit_id)
    if pinned and parts.is_whole(pinned):
        return
    since = work.clock() - retention.PIN
    earlier = (
        Pin(model_id=pin.model_id, commit=each.number, commit_id=each.id, since=pin.since)
        for each in parts.ancestry()
        if each.id in parts.commits
        and parts.is_whole(each)
        and each.number < pin.commit
        and each.created_at >= since
    )
    moved = next(earlier, None)

    def put(current: Current | None) -> Current | None:
        if current is None or current.pin != pin:
            return None
        return current.model_copy(update={"pin": moved})

    swap_current(work.storage, put)
    where = f"at commit {moved.commit}" if moved else "by nothing: they follow the newest commit"
    work.say(f"commit {pin.commit} was pinned and is damaged: searches are held {where}")


def _clear(work: RepairWork, found: Inspection) -> None:
    """Set aside what is damaged and what is of no use without it."""
    keys = {
        key
        for key in found.keys
        if key != CURRENT
        and not key.startswith(MODELS)
        and not (key.startswith(HEADS) and key in map(head_key, found.kept))
    }
    folders = {key.rpartition("/")[0] for key in keys if key.startswith(SNAPSHOTS)}
    keys |= {key for key in found.there if key.rpartition("/")[0] in folders}
    for key in filter(is_manifest_key, found.there):
        model_id, look_id = parse_products_key(key)
        if look_id not in found.gallery(model_id).looks:
            keys.add(key)  # it goes on from what is damaged
    for model_id in found.kept:
        keys |= set(found.gallery(model_id).broken_commits())
    moved = sum([work.set_aside(key) for key in sorted(keys)])
    for model_id in found.kept:
        write_entry(work, found.gallery(model_id))
    heads = [key for key in found.there if key.startswith(HEADS)]
    if formats.KEY in found.keys and speaks_newest(work.storage, [CURRENT, *heads]):
        formats.restore_announcement(work.storage, work.clock())
        work.say(f"{formats.KEY} is made anew")
    if moved:
        work.say(f"{moved} files are set aside")


def _look_again(work: RepairWork, found: Inspection) -> None:
    """Find the keys whose rows were lost, or that have changed since."""
    current = read_current(work.storage)
    for model_id in current.followed if current else ():
        looks = compare_newest(work.catalog, work.storage, model_id, work.clock, never).looks
        if looks:
            seen = greatest_versions(work.storage, found.gallery(model_id))
            work.repaired.looks += [above(look, seen) for look in looks]
