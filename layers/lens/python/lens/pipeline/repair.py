"""Repair: sets what is damaged aside, and makes galleries of what is whole.

What only a damaged part knew is looked at again; nothing else is embedded. Each step can be
repeated: a repair that was stopped is finished by the next.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import numpy as np

from lens.errors import ArtifactError, ConflictError, LensError, NotFoundError, UnreadableError
from lens.gallery import retention
from lens.gallery.commits import HEADS, Commit, SegmentRef, commit_key, head_key, restore_head
from lens.gallery.condemned import read_condemned
from lens.gallery.current import KEY as CURRENT
from lens.gallery.current import Current, Pin, read_current, swap_current
from lens.gallery.loading import load_gallery
from lens.gallery.product_tables import is_manifest_key, parse_products_key
from lens.gallery.rows import Cause, Kind, Row, Rows, last_of_each_key
from lens.gallery.segments import Segment, read_segment, write_segment
from lens.gallery.snapshots import PREFIX as SNAPSHOTS
from lens.gallery.snapshots import load_rows
from lens.gallery.versions import UNSEEN, Look, Version
from lens.models.manifest import PREFIX as MODELS
from lens.models.manifest import list_models
from lens.photos.catalog import Catalog
from lens.photos.origin import check_origin
from lens.pipeline.disappearance import is_mass
from lens.pipeline.gallery_parts import Content, GalleryParts
from lens.pipeline.model_files import Source, restore_files
from lens.pipeline.reconcile import compare_newest
from lens.pipeline.verify import Inspection, inspect
from lens.pipeline.waiting import never
from lens.progress import Progress
from lens.storage import Storage, formats
from lens.storage.aside import aside_folder, keep_copy, set_aside
from lens.storage.documents import (
    parse_document,
    replace_document,
    speaks_newest,
    write_document,
)
from lens.storage.older import older_versions

_ATTEMPTS = 40
_COPY = "name artifacts that have it with `lens repair --from LOCATION`"

Versions = dict[str, Version]


@dataclass
class Repaired:
    """What was done, a line each; and the keys that are to be looked at again."""

    done: list[str] = field(default_factory=list)
    looks: list[Look] = field(default_factory=list)


def repair(
    storage: Storage,
    catalog: Catalog,
    *,
    sources: Sequence[Source] = (),
    model_id: str | None = None,
    clock: Callable[[], float] = time.time,
    progress: Progress = lambda done, total: None,
) -> Repaired:
    """Repair everything that `inspect` finds damaged; the looks are still to be done.

    `sources` may have what a model's files were; `model_id` chooses the live model where that
    cannot be told, or where it is lost. Raises LensError, with the choices, where nobody but the
    shop can say how to go on; what could be repaired until then is.
    """
    found = inspect(storage, progress)
    if found.whole:
        return Repaired()
    check_origin(storage, catalog)
    work = _Repair(storage, catalog, clock, aside_folder(clock()))
    if CURRENT in found.keys:
        work.rebuild_current(found, model_id)
        found = inspect(storage, progress)
    for each in found.kept:
        work.rebuild_gallery(found, each)
    work.move_pin(found)
    work.clear(found)
    work.restore_models(found, sources, model_id)
    work.look_again(found)
    return work.repaired


@dataclass
class _Repair:
    storage: Storage
    catalog: Catalog
    clock: Callable[[], float]
    folder: str  # for what is set aside
    repaired: Repaired = field(default_factory=Repaired)
    _seen: dict[str, Versions] = field(default_factory=dict)

    def rebuild_current(self, found: Inspection, chosen: str | None) -> None:
        """Write a `current.json` that says what the galleries say."""
        before = self.storage.head(CURRENT)
        current = self._older_current(found) if chosen is None else None
        current = current or _current_of(found, chosen)
        keep_copy(self.storage, CURRENT, self.folder)
        if current is None:
            set_aside(self.storage, CURRENT, self.folder)
            self._say(f"{CURRENT} is set aside: there is no gallery that it could have named")
            return
        replace_document(self.storage, CURRENT, current, before.etag if before else None)
        self._say(f"{CURRENT} is made anew: {current.live} is live")

    def _older_current(self, found: Inspection) -> Current | None:
        for data in older_versions(self.storage, CURRENT):
            try:
                current = parse_document(CURRENT, data, Current)
            except ArtifactError:
                continue
            if current.live in _models(found):
                return current
        return None

    def rebuild_gallery(self, found: Inspection, model_id: str) -> None:
        """Advance a head to what is whole, unless all that it names is."""
        parts, key = found.gallery(model_id), head_key(model_id)
        lost = key in found.keys
        if not lost and (parts.head is None or parts.is_whole(parts.head)):
            return
        # What a collector is about to remove may be gone in a moment.
        content = parts.without(_condemned(self.storage)).content()
        content = replace(
            content,
            segments=content.segments + self._tombstones(parts, content, found.dims.get(model_id)),
        )
        if lost:
            keep_copy(self.storage, key, self.folder)
        for _ in range(_ATTEMPTS):
            newest, etag = self._newest(model_id)
            if lost and newest and parts.commits.get(newest.id) == newest:
                return  # another repair was faster
            try:
                commit = _next(parts, content, None if lost else newest, self.clock())
                restore_head(self.storage, commit, etag)
            except ConflictError:
                continue
            self._say(f"{key} goes on with what is whole, as commit {commit.number}")
            return
        raise ConflictError(f"{key} kept changing; run `lens repair` again")

    def move_pin(self, found: Inspection) -> None:
        """Hold searches at an earlier commit where the pinned one is damaged; else end the pin."""
        pin = found.current.pin if found.current else None
        parts = found.gallery(pin.model_id) if pin else None
        if pin is None or parts is None:
            return
        pinned = parts.commits.get(pin.commit_id)
        if pinned and parts.is_whole(pinned):
            return
        since = self.clock() - retention.PIN
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

        swap_current(self.storage, put)
        where = (
            f"at commit {moved.commit}" if moved else "by nothing: they follow the newest commit"
        )
        self._say(f"commit {pin.commit} was pinned and is damaged: searches are held {where}")

    def clear(self, found: Inspection) -> None:
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
        moved = sum([self._set_aside(key) for key in sorted(keys)])
        for model_id in found.kept:
            self._write_entry(found.gallery(model_id))
        heads = [key for key in found.there if key.startswith(HEADS)]
        if formats.KEY in found.keys and speaks_newest(self.storage, [CURRENT, *heads]):
            formats.restore_announcement(self.storage, self.clock())
            self._say(f"{formats.KEY} is made anew")
        if moved:
            self._say(f"{moved} files are set aside")

    def restore_models(
        self, found: Inspection, sources: Sequence[Source], chosen: str | None
    ) -> None:
        """Bring models back as they were; LensError with the choices for a live one that cannot."""
        for model_id in found.models:
            back, left = restore_files(self.storage, model_id, sources, self.folder)
            self.repaired.done += [f"{key} is back as it was" for key in back]
            if not left:
                continue
            current = found.current
            if current and model_id == current.live:
                self._replace_live(current, left[0], chosen)
            elif current and model_id == current.candidate:
                swap_current(self.storage, _without_candidate(model_id))
                self._say(f"{left[0]} cannot be brought back: {model_id} is no candidate any more")
            else:
                self._say(f"{left[0]} cannot be brought back; {_COPY}")

    def look_again(self, found: Inspection) -> None:
        """Find the keys whose rows were lost, or that have changed since."""
        current = read_current(self.storage)
        for model_id in current.followed if current else ():
            looks = compare_newest(self.catalog, self.storage, model_id, self.clock, never).looks
            if looks:
                seen = self._greatest(found.gallery(model_id))
                self.repaired.looks += [_above(look, seen) for look in looks]

    def _tombstones(
        self, parts: GalleryParts, content: Content, dim: int | None
    ) -> tuple[SegmentRef, ...]:
        """A segment that keeps out of sight what the catalog has no more: the tombstones of such
        photos may have been in what was lost. A mass of them is left to reconciliation to hold."""
        at, seen = self.clock(), self._greatest(parts)
        trial = _commit(parts, replace(content, products=None), at)
        gallery = load_gallery(self.storage, trial)
        rows = {row.key: row for row in map(gallery.known.__getitem__, range(len(gallery.known)))}
        listed = {info.key for info in self.catalog.photos()}
        absent = [
            rows.get(key, Row(key, UNSEEN, Kind.TOMBSTONE, at))
            for key in sorted((rows.keys() | seen.keys()) - listed)
        ]
        shown = [row for row in absent if row.kind == Kind.PHOTO]
        if is_mass(len(shown), of=gallery.photo_count):
            self._say(
                f"{len(shown)} photos that the catalog does not list are left as they are: "
                "is its folder mounted?"
            )
            absent = [row for row in absent if row.kind != Kind.PHOTO]
        tombstones = [
            Row(
                row.key,
                max(row.version, seen.get(row.key, UNSEEN)).bumped(),
                Kind.TOMBSTONE,
                at,
                reason=Cause.LISTING,
            )
            for row in absent
            if row.kind in (Kind.PHOTO, Kind.REJECTION)
            or (row.kind == Kind.TOMBSTONE and row.version < seen.get(row.key, UNSEEN))
        ]
        if dim is None:  # the model is damaged, too
            dims = [each.vectors.shape[1] for each in gallery.tail.values()]
            dims += [gallery.snapshot.manifest.embedding_dim] if gallery.snapshot else []
            dim = next(iter(dims), None)
        if not tombstones or dim is None:
            return ()
        segment = Segment(Rows.of(tombstones), np.empty((0, dim), np.float32))
        name = write_segment(self.storage, parts.model_id, segment)
        return (SegmentRef(id=name, rows=len(tombstones)),)

    def _greatest(self, parts: GalleryParts) -> Versions:
        """The greatest version of each key in whatever whole part, a loose one too."""
        if parts.model_id not in self._seen:
            self._seen[parts.model_id] = _greatest_in(self.storage, parts)
        return self._seen[parts.model_id]

    def _newest(self, model_id: str) -> tuple[Commit | None, str | None]:
        """The head as it is now, None where it is damaged or lost, and the ETag of its bytes."""
        key = head_key(model_id)
        try:
            data, info = self.storage.read(key)
        except NotFoundError:
            return None, None
        try:
            return parse_document(key, data, Commit), info.etag
        except ArtifactError:
            return None, info.etag

    def _replace_live(self, current: Current, key: str, chosen: str | None) -> None:
        others = [each for each in list_models(self.storage) if each != current.live]
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

        swap_current(self.storage, put)
        self._say(f"{chosen} is live in the place of {current.live}")

    def _write_entry(self, parts: GalleryParts) -> None:
        """Let the history have a whole head's entry again."""
        head = parts.head
        if head and head.number and head.id not in parts.commits and parts.is_whole(head):
            key = commit_key(parts.model_id, head.name)
            write_document(self.storage, key, head)
            self._say(f"{key} is written again, from the head")

    def _set_aside(self, key: str) -> bool:
        try:
            return set_aside(self.storage, key, self.folder)
        except UnreadableError as error:
            self._say(f"{key} stays where it is: {error}")
            return False

    def _say(self, line: str) -> None:
        self.repaired.done.append(line)


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
            f"{CURRENT} is lost, and any of these models may have been live: {told}; "
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


def _next(parts: GalleryParts, content: Content, newest: Commit | None, now: float) -> Commit:
    """The commit that names what is whole, and what a newer head than the one that was inspected
    has got since; ConflictError where that cannot be told."""
    if newest is None:
        return _commit(parts, content, now)
    if parts.head is None or newest.snapshot != parts.head.snapshot:
        raise ConflictError("another process has folded or repaired it")
    have = parts.head.tail_ids | {ref.id for ref in content.segments}
    fresh = tuple(ref for ref in newest.segments if ref.id not in have)
    products = content.products if newest.products == parts.head.products else newest.products
    more = replace(content, segments=content.segments + fresh, products=products)
    return _commit(parts, more, now, number=newest.number + 1)


def _commit(parts: GalleryParts, content: Content, now: float, number: int = 0) -> Commit:
    return Commit(
        model_id=parts.model_id,
        number=number or parts.highest + 1,
        id=uuid.uuid4().hex,
        parent=parts.newest_whole(),
        created_at=now,
        snapshot=content.snapshot,
        segments=content.segments,
        products=content.products,
    )


def _greatest_in(storage: Storage, parts: GalleryParts) -> Versions:
    found: list[Rows] = [
        read_segment(storage, parts.model_id, name).rows for name in parts.segments
    ]
    found += [load_rows(storage, parts.model_id, name) for name in parts.snapshots]
    greatest: Versions = {}
    for rows in found:
        order = np.lexsort((rows.n, rows.sequencer, rows.key))
        for position in order[last_of_each_key(rows.key[order])]:
            row = rows[position]
            greatest[row.key] = max(row.version, greatest.get(row.key, UNSEEN))
    return greatest


def _above(look: Look, seen: Versions) -> Look:
    """The look with a version above any that can be read."""
    if look.key not in seen:
        return look
    return replace(look, version=max(look.version, seen[look.key].bumped()))


def _condemned(storage: Storage) -> frozenset[str]:
    try:
        return read_condemned(storage)
    except ArtifactError:
        return frozenset()  # it is set aside, and what it named is condemned again


def _without_candidate(model_id: str) -> Callable[[Current | None], Current | None]:
    def change(current: Current | None) -> Current | None:
        if current is None or current.candidate != model_id:
            return None
        return current.model_copy(update={"candidate": None})

    return change
