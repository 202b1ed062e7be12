"""Serving: the (model, commit) pair that searches are answered from, loaded whole."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lens.errors import ArtifactError, MissingError, NotFoundError
from lens.gallery.commits import Commit, CommitName, read_commit, read_head
from lens.gallery.current import Current, Pin, read_current
from lens.gallery.gallery import Gallery
from lens.gallery.loading import load_gallery, require_dimension
from lens.gallery.segments import Segment
from lens.gallery.triggers import named
from lens.models.calibration import (
    Calibration,
    read_calibration,
    read_garment_direction,
    unless_damaged,
)
from lens.models.embedder import Embedder, load_embedder
from lens.models.manifest import manifest_key
from lens.storage import Storage
from lens.traces import mark

log = logging.getLogger(__name__)

_LOAD_ATTEMPTS = 3


@dataclass(frozen=True)
class Model:
    """A model, and what lies beside it, of which `damaged` is done without."""

    embedder: Embedder
    calibration: Calibration | None = None
    garment: NDArray[np.float32] | None = None  # its garment direction
    damaged: tuple[ArtifactError, ...] = ()


@dataclass(frozen=True)
class Serving:
    """A model and a whole commit of its gallery.

    `guards` are loaded only under a pin, which they keep free of deleted photos: the newest commits
    of the live model, of the pinned one, and of those that were live in between.
    """

    model: Model
    gallery: Gallery
    pin: Pin | None = None
    committed: Gallery | None = None  # the gallery before deletions are hidden, where they are
    guards: tuple[Gallery, ...] = ()
    undoes_deletions: bool = False  # of listings, under the pin
    stands_in: bool = False  # for what cannot be loaded; see lens.search.fallback

    @property
    def embedder(self) -> Embedder:
        """The model's."""
        return self.model.embedder

    @property
    def calibration(self) -> Calibration | None:
        """The model's."""
        return self.model.calibration

    @property
    def garment(self) -> NDArray[np.float32] | None:
        """The model's garment direction."""
        return self.model.garment

    @property
    def damaged(self) -> tuple[ArtifactError, ...]:
        """What it does without."""
        return (*self.model.damaged, *self.gallery.damaged)

    @property
    def identity(self) -> tuple[str, str, str]:
        """Changes whenever an answer could."""
        commit = self.gallery.commit
        guards = "".join(guard.commit.id for guard in self.guards)
        hidden = f"{len(self.gallery.hidden)} hidden" if self.stands_in else ""
        return commit.model_id, commit.id, guards + hidden + "undo" * self.undoes_deletions


def load_serving(storage: Storage, before: Serving | None, precision: str) -> Serving | None:
    """The live model's newest commit, or the pinned one; None before the first model.

    What `before` has already is not loaded again; it is returned itself when nothing has changed.
    Raises DamagedError when what is to be served is damaged.
    """
    for attempt in range(_LOAD_ATTEMPTS):
        current = read_current(storage)
        if current is None:
            return None
        try:
            if current.pin is None:
                return _load_newest(storage, current, before, precision)
            return _load_pinned(storage, current, current.pin, before, precision)
        except NotFoundError:
            # The collector may have removed a part between two of our reads. Read the head again,
            # and report damage only if that fails too.
            if attempt == _LOAD_ATTEMPTS - 1:
                raise
    raise AssertionError("unreachable")


def tell_found(before: Serving | None, serving: Serving) -> None:
    """Which uploads can be found here from now on: those of the tail that was not there before."""
    known = {each for segment in _tail(before) for each in segment.triggers}
    fresh = [each for segment in _tail(serving) for each in segment.triggers if each not in known]
    number, why = serving.gallery.commit.number, named(dict.fromkeys(fresh))
    log.info("commit %d of %s is searched%s", number, serving.embedder.model_id, why)
    for each in dict.fromkeys(fresh):
        mark("searched", each.id)


def _tail(serving: Serving | None) -> list[Segment]:
    return [*serving.gallery.tail.values()] if serving else []


def load_model(storage: Storage, model_id: str, precision: str) -> Model:
    """A model and what lies beside it. MissingError when it is gone, DamagedError when it is
    damaged; what lies beside it costs itself alone."""
    try:
        embedder = load_embedder(storage, model_id, precision)
    except MissingError:
        raise
    except NotFoundError as error:
        raise MissingError(manifest_key(model_id)) from error
    damaged: list[ArtifactError] = [embedder.damaged] if embedder.damaged else []
    calibration = unless_damaged(lambda: read_calibration(storage, model_id), damaged)
    dim = embedder.manifest.embedding_dim
    garment = unless_damaged(lambda: read_garment_direction(storage, model_id, dim), damaged)
    return Model(embedder, calibration, garment, tuple(damaged))


def _load_newest(
    storage: Storage, current: Current, before: Serving | None, precision: str
) -> Serving:
    known = [before.gallery, before.committed, *before.guards] if before else []
    if before and before.embedder.model_id == current.live:
        head = read_head(storage, current.live)
        same = before.gallery.commit == head and not before.gallery.damaged
        if before.pin is None and same and not before.stands_in:
            return before
        return _fitting(Serving(before.model, _gallery(storage, head, known)))
    # Most of a start is waiting for the model's bytes, so the gallery is loaded meanwhile.
    with ThreadPoolExecutor(1, "model") as beside:
        model = beside.submit(load_model, storage, current.live, precision)
        gallery = _gallery(storage, read_head(storage, current.live), known)
        return _fitting(Serving(model.result(), gallery))


def _load_pinned(
    storage: Storage, current: Current, pin: Pin, before: Serving | None, precision: str
) -> Serving:
    # Only a model that was live in between may have the tombstone of a deleted photo.
    models = current.retained[: current.retained.index(pin.model_id) + 1]
    heads = [read_head(storage, model_id) for model_id in models]
    undo = current.undoes_deletions
    same = (
        before
        and (before.pin, before.undoes_deletions) == (pin, undo)
        and [guard.commit for guard in before.guards] == heads
    )
    if before and same and not before.gallery.damaged and not before.stands_in:
        return before
    if before and before.embedder.model_id == pin.model_id:
        model = before.model
    else:
        model = load_model(storage, pin.model_id, precision)
    known = [before.committed, *before.guards, before.gallery] if before else []
    guards = tuple(_gallery(storage, head, known) for head in heads)
    name = CommitName(number=pin.commit, id=pin.commit_id)
    pinned = _gallery(storage, read_commit(storage, pin.model_id, name), [*guards, *known])
    shown = pinned.hiding_deleted(guards, undo=undo)
    return _fitting(Serving(model, shown, pin, pinned, guards, undo))


def _fitting(serving: Serving) -> Serving:
    """DamagedError unless model and gallery fit."""
    require_dimension(serving.gallery, serving.embedder.manifest.embedding_dim)
    return serving


def _gallery(storage: Storage, commit: Commit, known: Sequence[Gallery | None]) -> Gallery:
    """A commit's gallery: a known one if it is the same, else loaded with what it can take over."""
    whole = [gallery for gallery in known if gallery is not None and not gallery.hidden]
    for gallery in whole:
        if gallery.commit == commit and not gallery.damaged:
            return gallery
    same_model = (g for g in whole if g.commit.model_id == commit.model_id)
    return load_gallery(storage, commit, next(same_model, None), eight_bits=True)
