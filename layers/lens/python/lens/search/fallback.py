"""Fallback: what is served while the newest (model, commit) cannot be loaded.

A server that has something loaded goes on with it. Another one takes the newest whole commit of the
history, or else of an earlier retained model. Either shows it as under a pin: without what was
deleted since, as far as that can be read. Like a pin it may not reach back further than tombstones
are kept.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace

import numpy as np

from lens.errors import REPAIR, ArtifactError, NotFoundError, UnreadableError
from lens.gallery import retention
from lens.gallery.commits import (
    COMMITS,
    Commit,
    headed_models,
    listed_commits,
    read_commit,
    read_head,
)
from lens.gallery.current import Pin, read_current
from lens.gallery.loading import load_gallery, require_dimension
from lens.gallery.rows import EMPTY_ROWS, Kind, Rows
from lens.gallery.segments import PREFIX as SEGMENTS
from lens.gallery.segments import parse_segment_key, read_segment
from lens.gallery.snapshots import load_rows
from lens.search.serving import Serving, load_model
from lens.storage import Storage

log = logging.getLogger(__name__)

# What of an artifact can ail a reader of it. A storage that fails altogether is another matter.
AILMENTS = (ArtifactError, NotFoundError, UnreadableError)
_READERS = 16  # of segments, side by side


class Fallback:
    """Of one searcher; it keeps the tombstones that it has read."""

    def __init__(self, storage: Storage, precision: str) -> None:
        self._storage = storage
        self._precision = precision
        self._tombstones: dict[tuple[str, str], Rows] = {}  # by model and segment or snapshot

    def go_on(self, before: Serving) -> Serving:
        """What is served already, without what was deleted since."""
        models, _ = _models(self._storage)
        shown = before.gallery.hiding(self._deletions(before, models))
        if shown is before.gallery and before.stands_in:
            return before
        committed = before.committed or before.gallery
        return replace(before, gallery=shown, committed=committed, stands_in=True)

    def find(self, error: Exception, now: float) -> Serving:
        """The newest whole commit, without what was deleted since. Raises an ArtifactError, that
        nothing else can be served for this `error`, where there is none within the limit."""
        models, pin = _models(self._storage)
        searched = models
        if pin and pin.model_id in models:
            searched = models[models.index(pin.model_id) :]
        for model_id in searched:
            try:
                model = load_model(self._storage, model_id, self._precision)
            except Exception as ailing:
                log.warning("model %s cannot stand in: %s", model_id, ailing)
                continue
            newest = pin.commit if pin and pin.model_id == model_id else None
            for commit in _commits(self._storage, model_id, newest, now - retention.PIN):
                try:
                    gallery = load_gallery(self._storage, commit, eight_bits=True)
                    require_dimension(gallery, model.embedder.manifest.embedding_dim)
                except Exception as ailing:
                    log.warning("commit %d cannot stand in: %s", commit.number, ailing)
                    continue
                found = Serving(model, gallery, pin, gallery, stands_in=True)
                shown = gallery.hiding(self._deletions(found, models))
                log.error("commit %d of %s stands in", commit.number, model_id)
                return replace(found, gallery=shown)
        if isinstance(error, ArtifactError):
            raise error
        raise ArtifactError(f"the gallery cannot be loaded ({error}): {REPAIR}") from error

    def _deletions(self, serving: Serving, models: Iterable[str]) -> Iterable[Rows]:
        """The tombstones that the gallery may lack, of its model and of those that were live since;
        what is damaged is left out."""
        gallery = serving.committed or serving.gallery
        mine, have = gallery.commit.model_id, gallery.applied
        wanted: list[tuple[str, str]] = []
        for model_id in dict.fromkeys([*_until(models, mine), mine]):
            listed = self._storage.list(f"{SEGMENTS}{model_id}/")
            ids = [parse_segment_key(info.key)[1] for info in listed if info.key.endswith(".npz")]
            wanted += [(model_id, each) for each in ids if model_id != mine or each not in have]
        new = [each for each in wanted if each not in self._tombstones]
        with ThreadPoolExecutor(_READERS, "deletions") as pool:
            for each, rows in zip(new, pool.map(self._of_segment, new), strict=True):
                if rows is not None:
                    self._tombstones[each] = rows
        yield from (self._tombstones[each] for each in wanted if each in self._tombstones)
        for model_id in dict.fromkeys([*_until(models, mine), mine]):
            own = gallery.commit.snapshot.id if gallery.commit.snapshot else None
            yield self._of_newest_snapshot(model_id, own)

    def _of_segment(self, name: tuple[str, str]) -> Rows | None:
        try:
            return _tombstones_of(read_segment(self._storage, *name).rows)
        except NotFoundError:
            return None
        except ArtifactError as error:
            log.warning("deletions may be missed: %s", error)
            return EMPTY_ROWS
        except UnreadableError as error:
            log.warning("deletions may be missed: %s", error)
            return None

    def _of_newest_snapshot(self, model_id: str, own: str | None) -> Rows:
        """The newest readable snapshot of a model has all tombstones that older ones have."""
        for commit in _readable(self._storage, model_id):
            if commit.snapshot is None:
                continue
            if commit.snapshot.id == own:
                break
            name = model_id, commit.snapshot.id
            if name not in self._tombstones:
                try:
                    self._tombstones[name] = _tombstones_of(load_rows(self._storage, *name))
                except AILMENTS:
                    continue
            return self._tombstones[name]
        return EMPTY_ROWS


def _models(storage: Storage) -> tuple[tuple[str, ...], Pin | None]:
    """The models that may be served, the live one first, and the pin. Where nothing says which is
    live, the one with the newest commit: of those that lately had one, the one with most rows,
    since a candidate that is being filled has one too."""
    with suppress(*AILMENTS):
        current = read_current(storage)
        return (current.retained, current.pin) if current else ((), None)
    names = set(headed_models(storage))
    names |= {info.key.split("/")[1] for info in storage.list(COMMITS)}
    newest = [next(_readable(storage, name), None) for name in names]
    begun = [commit for commit in newest if commit and (commit.snapshot or commit.segments)]
    last = max((commit.created_at for commit in begun), default=0.0)

    def rank(commit: Commit) -> tuple[bool, int, float]:
        rows = commit.tail_rows + (commit.snapshot.rows if commit.snapshot else 0)
        lately = commit.created_at >= last - retention.GRACE
        return lately, rows if lately else 0, commit.created_at

    return tuple(commit.model_id for commit in sorted(begun, key=rank, reverse=True)), None


def _until(models: Iterable[str], model_id: str) -> Iterator[str]:
    """The models before this one."""
    for each in models:
        if each == model_id:
            return
        yield each


def _readable(storage: Storage, model_id: str) -> Iterator[Commit]:
    """A model's commits that can be read, the newest first: the head, and what is listed below it,
    because each may be damaged that names the one before."""
    head = None
    with suppress(*AILMENTS):
        head = read_head(storage, model_id)
    if head is not None and head.number:
        yield head
    for name in listed_commits(storage, model_id):
        if head is None or not head.number or name.number < head.number:
            try:
                commit = read_commit(storage, model_id, name)
            except AILMENTS:
                continue
            yield commit


def _commits(storage: Storage, model_id: str, newest: int | None, since: float) -> Iterator[Commit]:
    """A model's readable commits, from number `newest` on down, that were the newest after
    `since`."""
    until = math.inf  # of the first one: it is the head, or was
    for commit in _readable(storage, model_id):
        if until < since:
            return
        if newest is None or commit.number <= newest:
            yield commit
        until = commit.created_at


def _tombstones_of(rows: Rows) -> Rows:
    return rows.take(np.flatnonzero(rows.kind == Kind.TOMBSTONE))
