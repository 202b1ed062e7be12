"""Cleared galleries: heads, history and a pin without some photos, which are taken down."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lens.errors import ConflictError, DamagedError, NotFoundError
from lens.gallery import retention
from lens.gallery.commits import (
    COMMITS,
    Commit,
    SegmentRef,
    advance_head,
    commit_key,
    headed_models,
    read_head,
)
from lens.gallery.current import Current, read_current, swap_current
from lens.gallery.rows import Cause, Kind, Row, Rows
from lens.gallery.segments import PREFIX as SEGMENTS
from lens.gallery.segments import Segment, read_segment, write_segment
from lens.gallery.snapshots import read_snapshot_manifest
from lens.gallery.versions import UNSEEN
from lens.pipeline.compact import fold, snapshot_of
from lens.pipeline.named_parts import Found, NamedParts, Part, Say, count, parts_of
from lens.pipeline.part_names import is_ours
from lens.storage import Storage
from lens.storage.documents import read_document, write_document
from lens.storage.erasure import erase

_FOLDS = 20


@dataclass(frozen=True)
class Galleries:
    """The galleries of some artifacts, of which the old rows of `named` are to go."""

    artifacts: Storage
    named: NamedParts
    say: Say
    clock: Callable[[], float]

    def clear_heads(self, keys: Sequence[str], found: Found, dirty: set[Part]) -> None:
        """Let each model's head say that the photos are gone, and fold it without them."""
        current = read_current(self.artifacts)
        for model_id in headed_models(self.artifacts):
            head = read_head(self.artifacts, model_id)
            if head.snapshot is None and not head.segments:
                continue
            segments = self._loose(head, current, found, dirty)
            if tombstones := self._tombstones(head, keys, found):
                segments.append(self._write(head, tombstones))
            if segments:
                head = self._add(model_id, segments)
            if segments or any(part in dirty for part in parts_of(head)):
                self._fold(model_id)

    def _loose(
        self, head: Commit, current: Current | None, found: Found, dirty: set[Part]
    ) -> list[SegmentRef]:
        """Segments that wait to be committed and name the keys: committed here, they lose nothing
        else, and nobody commits them once they are erased. What is too old to be applied is not."""
        if current is None or head.model_id not in current.followed:
            return []
        known = set(head.tail_ids)
        if head.snapshot is not None:
            manifest = read_snapshot_manifest(self.artifacts, head.model_id, head.snapshot.id)
            known |= {each.id for each in manifest.folded}
        refs = []
        for part in dirty:
            mine = part.prefix == SEGMENTS and part.model_id == head.model_id
            if not mine or part.id in known or found[part] is None:
                continue
            try:
                segment = read_segment(self.artifacts, part.model_id, part.id)
            except NotFoundError:
                continue
            young = segment.rows.looked_at.min() >= self.clock() - retention.SEGMENT
            if young and not segment.merged_from:
                refs.append(SegmentRef(id=part.id, rows=len(segment.rows)))
        return refs

    def _tombstones(self, head: Commit, keys: Sequence[str], found: Found) -> list[Row]:
        """The rows that say so, above all that is known of a key in any part of the model, where
        the head does not say it yet."""
        mine = {part: rows for part, rows in found.items() if part.model_id == head.model_id}
        inside = set(parts_of(head))
        tombstones = []
        for key in keys:
            seen: list[Row] = []
            said = UNSEEN
            for part, rows in mine.items():
                for row in self.named.old_rows(rows, key):
                    seen.append(row)
                    if (
                        part in inside
                        and row.kind == Kind.TOMBSTONE
                        and row.reason == Cause.TAKEDOWN
                    ):
                        said = max(said, row.version)
            version = max((row.version for row in seen), default=UNSEEN)
            if said > UNSEEN and said >= version:
                continue
            at = max([self.clock(), *(row.looked_at for row in seen)])
            tombstones.append(Row(key, version.bumped(), Kind.TOMBSTONE, at, reason=Cause.TAKEDOWN))
        return tombstones

    def _write(self, head: Commit, tombstones: list[Row]) -> SegmentRef:
        if head.snapshot is not None:
            manifest = read_snapshot_manifest(self.artifacts, head.model_id, head.snapshot.id)
            dim = manifest.embedding_dim
        else:
            first = read_segment(self.artifacts, head.model_id, head.segments[0].id)
            dim = first.vectors.shape[1]
        segment = Segment(Rows.of(tombstones), np.empty((0, dim), np.float32))
        name = write_segment(self.artifacts, head.model_id, segment)
        return SegmentRef(id=name, rows=len(tombstones))

    def _add(self, model_id: str, refs: list[SegmentRef]) -> Commit:
        def add(newest: Commit) -> Commit | None:
            fresh = tuple(ref for ref in refs if ref.id not in newest.tail_ids)
            return newest.model_copy(update={"segments": newest.segments + fresh})

        return advance_head(self.artifacts, model_id, add, now=self.clock())

    def _fold(self, model_id: str) -> None:
        for _ in range(_FOLDS):
            head = read_head(self.artifacts, model_id)
            if fold(self.artifacts, head, now=self.clock(), forget=True):
                number = read_head(self.artifacts, model_id).number
                self.say(f"taken out of the gallery of {model_id}: commit {number}")
                return
        raise ConflictError(f"the gallery of {model_id} kept changing: run it again")

    def clear_history(self, dirty: set[Part]) -> None:
        """Move a pin to a copy of its commit without the photos, and remove other commits that have
        them. What is older than such a commit is out of reach then."""
        commits, unread = {}, []
        for info in self.artifacts.list(COMMITS):
            if not is_ours(info.key):
                continue
            try:
                commit = read_document(self.artifacts, info.key, Commit)[0]
            except NotFoundError:
                continue
            except DamagedError as error:
                unread.append(info.key)
                self.say(f"taken for one that names them: {error}")
                continue
            if not dirty.isdisjoint(parts_of(commit)):
                commits[info.key] = commit
        self._move_pin(commits)
        for key in sorted([*commits, *unread], reverse=True):
            erase(self.artifacts, key)
        self._move_pin(commits)  # to one of these, meanwhile
        if commits:
            self.say(f"{count(len(commits), 'earlier commit')} that named them removed")

    def _move_pin(self, commits: Mapping[str, Commit]) -> None:
        current = read_current(self.artifacts)
        pin = current.pin if current else None
        if pin is None:
            return
        old = next((each for each in commits.values() if each.id == pin.commit_id), None)
        if old is None:
            return
        snapshot = snapshot_of(self.artifacts, old, lambda rows: ~self.named.old(rows))
        new = old.model_copy(
            update={
                "id": uuid.uuid4().hex,
                "parent": None,
                "snapshot": snapshot,
                "segments": (),
            }
        )
        write_document(self.artifacts, commit_key(new.model_id, new.name), new)
        moved = pin.model_copy(update={"commit_id": new.id})
        swap_current(
            self.artifacts,
            lambda c: c.model_copy(update={"pin": moved}) if c and c.pin == pin else None,
        )
        self.say(f"the pin holds a copy of commit {pin.commit} without them")
        self._move_pin({key: each for key, each in commits.items() if each.id != old.id})
