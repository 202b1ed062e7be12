"""Serving: the (model, commit) pair that searches are answered from, loaded whole."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lens.errors import ArtifactError, NotFoundError
from lens.gallery.commits import Commit, CommitName, read_commit, read_head
from lens.gallery.current import Current, Pin, read_current
from lens.gallery.gallery import Gallery
from lens.gallery.loading import load_gallery
from lens.models.calibration import Calibration, read_calibration, read_garment_direction
from lens.models.embedder import Embedder, load_embedder
from lens.storage import Storage

_LOAD_ATTEMPTS = 3


@dataclass(frozen=True)
class Serving:
    """A model and a whole commit of its gallery.

    `guards` are loaded only under a pin, which they keep free of deleted photos: the newest commits
    of the live model, of the pinned one, and of those that were live in between.
    """

    embedder: Embedder
    gallery: Gallery
    pin: Pin | None = None
    pinned: Gallery | None = None  # as committed, before deletions are hidden
    guards: tuple[Gallery, ...] = ()
    calibration: Calibration | None = None  # the model's
    garment: NDArray[np.float32] | None = None  # the model's garment direction
    undoes_deletions: bool = False  # of listings, under the pin

    @property
    def identity(self) -> tuple[str, str, str]:
        """Changes whenever an answer could."""
        commit = self.gallery.commit
        guards = "".join(guard.commit.id for guard in self.guards)
        return commit.model_id, commit.id, guards + "undo" * self.undoes_deletions


def load_serving(storage: Storage, before: Serving | None, precision: str) -> Serving | None:
    """The live model's newest commit, or the pinned one; None before the first model.

    What `before` has already is not loaded again; it is returned itself when nothing has changed.
    """
    for attempt in range(_LOAD_ATTEMPTS):
        current = read_current(storage)
        if current is None:
            return None
        try:
            if current.pin is None:
                return _load_newest(storage, current, before, precision)
            return _load_pinned(storage, current, current.pin, before, precision)
        except NotFoundError as error:
            # The collector may have removed a part between two of our reads. Read the head again,
            # and report damage only if that fails too.
            if attempt == _LOAD_ATTEMPTS - 1:
                raise ArtifactError(f"the gallery lacks a part ({error}); index again") from error
    raise AssertionError("unreachable")


def _load_newest(
    storage: Storage, current: Current, before: Serving | None, precision: str
) -> Serving:
    known = [before.gallery, *before.guards] if before else []
    if before and before.embedder.model_id == current.live:
        head = read_head(storage, current.live)
        if before.pin is None and before.gallery.commit == head:
            return before
        gallery = _gallery(storage, head, known)
        return Serving(
            before.embedder, gallery, calibration=before.calibration, garment=before.garment
        )
    # Most of a start is waiting for the model's bytes, so the gallery is loaded meanwhile.
    with ThreadPoolExecutor(1, "model") as beside:
        embedder = beside.submit(load_embedder, storage, current.live, precision)
        gallery = _gallery(storage, read_head(storage, current.live), known)
        calibration = read_calibration(storage, current.live)
        loaded = embedder.result()
        garment = _garment(storage, loaded)
        return Serving(loaded, gallery, calibration=calibration, garment=garment)


def _load_pinned(
    storage: Storage, current: Current, pin: Pin, before: Serving | None, precision: str
) -> Serving:
    # Only a model that was live in between may have the tombstone of a deleted photo.
    models = current.retained[: current.retained.index(pin.model_id) + 1]
    heads = [read_head(storage, model_id) for model_id in models]
    undo = current.undoes_deletions
    if (
        before
        and (before.pin, before.undoes_deletions) == (pin, undo)
        and [guard.commit for guard in before.guards] == heads
    ):
        return before
    embedder = _embedder(storage, pin.model_id, before, precision)
    known = [before.pinned, *before.guards, before.gallery] if before else []
    guards = tuple(_gallery(storage, head, known) for head in heads)
    name = CommitName(number=pin.commit, id=pin.commit_id)
    pinned = _gallery(storage, read_commit(storage, pin.model_id, name), [*guards, *known])
    calibration = read_calibration(storage, pin.model_id)
    shown = pinned.hiding_deleted(guards, undo=undo)
    garment = _garment(storage, embedder)
    return Serving(embedder, shown, pin, pinned, guards, calibration, garment, undo)


def _garment(storage: Storage, embedder: Embedder) -> NDArray[np.float32] | None:
    return read_garment_direction(storage, embedder.model_id, embedder.manifest.embedding_dim)


def _embedder(storage: Storage, model_id: str, before: Serving | None, precision: str) -> Embedder:
    if before and before.embedder.model_id == model_id:
        return before.embedder
    return load_embedder(storage, model_id, precision)


def _gallery(storage: Storage, commit: Commit, known: Sequence[Gallery | None]) -> Gallery:
    """A commit's gallery: a known one if it is the same, else loaded with what it can take over."""
    whole = [gallery for gallery in known if gallery is not None and not gallery.hidden]
    for gallery in whole:
        if gallery.commit == commit:
            return gallery
    same_model = (g for g in whole if g.commit.model_id == commit.model_id)
    return load_gallery(storage, commit, next(same_model, None))
