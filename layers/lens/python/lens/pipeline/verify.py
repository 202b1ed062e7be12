"""Verify: reads everything in the artifacts and says what is damaged, and what that costs."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from lens.errors import ArtifactError, LensError, NotFoundError, StorageError, UnreadableError
from lens.gallery import retention
from lens.gallery.commits import COMMITS, HEADS, Commit, CommitName, commit_key, head_key
from lens.gallery.current import KEY as CURRENT
from lens.gallery.current import Current
from lens.gallery.product_tables import PREFIX as PRODUCTS
from lens.gallery.product_tables import load_shelf, parse_products_key, read_look
from lens.gallery.rows import Kind, Rows
from lens.gallery.segments import PREFIX as SEGMENTS
from lens.gallery.segments import parse_segment_key, read_segment, segment_key
from lens.gallery.snapshots import PREFIX as SNAPSHOTS
from lens.gallery.snapshots import load_snapshot, parse_snapshot_key
from lens.models.manifest import PREFIX as MODELS
from lens.pipeline.gallery_parts import GalleryParts, SegmentPart
from lens.pipeline.model_files import damaged_files
from lens.pipeline.single_documents import DOCUMENTS
from lens.progress import Progress
from lens.storage import Storage
from lens.storage.documents import read_document

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Damage:
    """A part that is damaged or lost, what is wrong with it, and what that costs."""

    key: str
    what: str
    costs: str


@dataclass
class Inspection:
    """What was found in the artifacts. `there` are all keys; `loose` are segments in no commit: a
    process was stopped before it could commit them, which is no damage."""

    current: Current | None = None
    damages: list[Damage] = field(default_factory=list)
    galleries: dict[str, GalleryParts] = field(default_factory=dict)
    models: dict[str, list[str]] = field(default_factory=dict)  # damaged files by model
    there: dict[str, int] = field(default_factory=dict)  # sizes in bytes
    loose: list[str] = field(default_factory=list)

    @property
    def whole(self) -> bool:
        """Whether nothing is damaged."""
        return not self.damages

    @property
    def kept(self) -> tuple[str, ...]:
        """The models whose galleries must be there."""
        if self.current is None:
            return ()
        pinned = (self.current.pin.model_id,) if self.current.pin else ()
        return tuple(dict.fromkeys((*self.current.followed, *self.current.retained, *pinned)))

    @property
    def keys(self) -> set[str]:
        """The damaged keys."""
        return {damage.key for damage in self.damages}

    def gallery(self, model_id: str) -> GalleryParts:
        """A model's parts."""
        return self.galleries.setdefault(model_id, GalleryParts(model_id))

    def add(self, key: str, what: object, costs: str) -> None:
        """Take note of a damage, once."""
        if key not in self.keys:
            self.damages.append(Damage(key, " ".join(str(what).split()), costs))


def inspect(storage: Storage, progress: Progress = lambda done, total: None) -> Inspection:
    """Read and check everything. Raises StorageError when the artifacts cannot be read at all."""
    found = Inspection()
    # First what is current, then the listing: what is written meanwhile is not looked for in it.
    with _noting(found, CURRENT, _NOTHING):
        found.current = _document(storage, CURRENT, Current)
    heads = [info.key for info in storage.list(HEADS)]
    for key in heads:
        model_id = key.removeprefix(HEADS).removesuffix(".json")
        gallery = found.gallery(model_id)
        with _noting(found, key, _HEAD):
            head = read_document(storage, key, Commit)[0]
            if head.model_id != model_id:
                raise ArtifactError(f"it is the head of {head.model_id}")
            gallery.head = head
            gallery.highest = head.number
    prefixes = (COMMITS, SEGMENTS, SNAPSHOTS, PRODUCTS, MODELS)
    found.there = {info.key: info.size for each in prefixes for info in storage.list(each)}
    found.there |= dict.fromkeys(heads, 0)
    checks = list(_checks(storage, found))
    for number, (key, costs, check) in enumerate(checks):
        progress(number, len(checks))
        with _noting(found, key, costs):
            check()
    progress(len(checks), len(checks))
    _look_for_lost(found)
    return found


_HEAD = "nothing new is found with this model"
_NOTHING = "nothing is searched or indexed"
_PINNED = "searches are pinned to it"
_NOBODY = "nothing: no gallery uses it"


def _checks(storage: Storage, found: Inspection) -> Iterator[tuple[str, str, Callable[[], object]]]:
    """What is to be read: its key, what its damage costs, and what reads it."""
    for key, (costs, check) in DOCUMENTS.items():
        if (info := storage.head(key)) is not None:
            found.there[key] = info.size
            yield key, costs, lambda check=check: check(storage)
    snapshots, looks, models = set(), set(), set()
    for key in list(found.there):
        folder, _, rest = key.partition("/")
        if f"{folder}/" == COMMITS:
            yield key, "it cannot be rolled back to", lambda key=key: _commit(storage, found, key)
        elif f"{folder}/" == SEGMENTS:
            yield key, _NOBODY, lambda key=key: _segment(storage, found, key)
        elif f"{folder}/" == SNAPSHOTS and rest.count("/") == 2:
            snapshots.add(parse_snapshot_key(key))
        elif f"{folder}/" == PRODUCTS and rest.count("/") == 2:
            looks.add(parse_products_key(key))
        elif f"{folder}/" == MODELS:
            models.add(rest.partition("/")[0])
    for model_id, name in sorted(snapshots):
        key = f"{SNAPSHOTS}{model_id}/{name}/manifest.json"
        if key in found.there:  # without one it does not exist
            yield key, _NOBODY, lambda m=model_id, n=name: _snapshot(storage, found, m, n)
    for model_id, name in sorted(looks):
        key = f"{PRODUCTS}{model_id}/{name}/manifest.json"
        if key in found.there:
            yield key, _NOBODY, lambda m=model_id, n=name: _look(storage, found, m, n)
    needed = set(found.kept)
    for model_id in sorted(models | needed):
        key = f"{MODELS}{model_id}/manifest.json"
        if key in found.there or model_id in needed:
            yield key, "", lambda m=model_id: _model(storage, found, m)


def _commit(storage: Storage, found: Inspection, key: str) -> None:
    model_id, _, name = key.removeprefix(COMMITS).partition("/")
    gallery = found.gallery(model_id)
    number = name.partition("-")[0]
    if number.isdigit():
        gallery.highest = max(gallery.highest, int(number))
    commit = read_document(storage, key, Commit)[0]
    if commit_key(commit.model_id, commit.name) != key:
        raise ArtifactError(f"it is commit {commit.number} of {commit.model_id}")
    gallery.commits[commit.id] = commit


def _segment(storage: Storage, found: Inspection, key: str) -> None:
    model_id, name = parse_segment_key(key)
    segment = read_segment(storage, model_id, name)
    _check_rows(segment.rows)
    _check_vectors(segment.vectors)
    found.gallery(model_id).segments[name] = SegmentPart(len(segment.rows), segment.merged_from)


def _snapshot(storage: Storage, found: Inspection, model_id: str, name: str) -> None:
    folder = f"{SNAPSHOTS}{model_id}/{name}/"
    snapshot = load_snapshot(storage, model_id, name)
    manifest = snapshot.manifest
    for file, sha256 in manifest.sha256.items():
        # A large file in its place is loaded without reading it all.
        if hashlib.sha256(storage.read(folder + file)[0]).hexdigest() != sha256:
            found.add(folder + file, "it does not match its checksum", _NOBODY)
            return
    rows = snapshot.rows
    _check_rows(rows)
    _check_vectors(snapshot.index.vectors)
    if np.any(rows.key[1:] < rows.key[:-1]) or len(rows) != manifest.rows:
        raise ArtifactError("its rows are not sorted, or not all there")
    if len(snapshot.index.vectors) and snapshot.index.vectors.shape[1] != manifest.embedding_dim:
        raise ArtifactError("its vectors have another dimension")
    found.gallery(model_id).snapshots[name] = manifest


def _look(storage: Storage, found: Inspection, model_id: str, name: str) -> None:
    manifest = read_look(storage, model_id, name)
    _ = load_shelf(storage, manifest).assortment
    found.gallery(model_id).looks.add(name)


def _model(storage: Storage, found: Inspection, model_id: str) -> None:
    load = model_id in found.kept
    for key, what in damaged_files(storage, model_id, found.there, load=load):
        found.models.setdefault(model_id, []).append(key)
        if found.current and model_id == found.current.live:
            costs = "no photo can be embedded, neither the catalog's nor a shopper's"
        elif model_id in found.kept:
            costs = f"{model_id} cannot be searched or promoted"
        else:
            costs = f"{model_id} cannot be promoted"
        if not key.endswith((".onnx", "/manifest.json")) or key.endswith("/shares.onnx"):
            costs = "searches say less of how sure they are and why"
        found.add(key, what, costs)


def _check_rows(rows: Rows) -> None:
    """ArtifactError unless the columns fit each other and have values that a look can find."""
    if {len(column) for column in rows.columns().values()} != {len(rows)}:
        raise ArtifactError("its columns differ in length")
    if not np.isin(rows.kind, list(Kind)).all() or not np.isfinite(rows.looked_at).all():
        raise ArtifactError("a row is of no known kind, or was found at no time")
    for position in range(len(rows)):
        try:
            _ = rows[position]
        except UnicodeDecodeError as error:
            raise ArtifactError(f"row {position} is not text") from error


def _check_vectors(vectors: NDArray[np.float32]) -> None:
    """ArtifactError unless they are finite and of unit length."""
    lengths = np.linalg.norm(vectors, axis=1)
    if not np.all((np.abs(lengths - 1) < 1e-2) | (lengths == 0)):
        raise ArtifactError("a vector is not finite or not of unit length")


def _look_for_lost(found: Inspection) -> None:
    """Take note of what is lost, and say what the damages of galleries cost."""
    for gallery in found.galleries.values():
        _check_head(found, gallery)
        found.loose += [segment_key(gallery.model_id, name) for name in gallery.loose()]
    if CURRENT not in found.keys:
        _check_current(found)
    costs = _costs(found)
    for number, damage in enumerate(found.damages):
        cost = costs.get(_part(damage.key), damage.costs)
        found.damages[number] = replace(damage, costs=cost)
    damaged = {_part(key) for key in found.keys}
    for part, cost in costs.items():
        if part not in damaged:
            key = part if part.startswith(SEGMENTS) else f"{part}/manifest.json"
            what = "what it goes on from is damaged" if key in found.there else "it is missing"
            found.add(key, what, cost)


def _check_current(found: Inspection) -> None:
    current = found.current
    if current is None:
        if _has_begun(found):
            found.add(CURRENT, "it is missing", _NOTHING)
        return
    known = {key.removeprefix(MODELS).partition("/")[0] for key in found.there if MODELS in key}
    if current.live not in known | found.galleries.keys():
        found.add(CURRENT, f"it names {current.live!r}, which is no model here", _NOTHING)
        found.current = None
    elif pin := current.pin:
        gallery = found.gallery(pin.model_id)
        pinned = gallery.commits.get(pin.commit_id)
        if pinned is None:
            name = CommitName(number=pin.commit, id=pin.commit_id)
            found.add(commit_key(pin.model_id, name), "it is missing", _PINNED)
        elif not gallery.is_whole(pinned):
            found.add(commit_key(pin.model_id, pinned.name), "a part of it is damaged", _PINNED)


def _costs(found: Inspection) -> dict[str, str]:
    """What the parts cost that are not whole, of the galleries that are kept."""
    costs: dict[str, str] = {}
    for model_id in found.kept:
        gallery = found.gallery(model_id)
        for commit in reversed(gallery.history()[: retention.COMMITS]):
            rows = {segment_key(model_id, ref.id): ref.rows for ref in commit.segments}
            for part in gallery.lacks(commit):
                if gallery.head is not None and commit.id != gallery.head.id:
                    costs[part] = f"commit {commit.number} of {model_id} cannot be rolled back to"
                elif part.startswith(PRODUCTS):
                    costs[part] = "the shop's products are not known"
                elif part.startswith(SNAPSHOTS):
                    count = commit.snapshot.rows if commit.snapshot else 0
                    costs[part] = f"up to {count} photos, less what lies elsewhere"
                else:
                    costs[part] = f"up to {rows[part]} photos"
    return costs


def _part(key: str) -> str:
    """A segment's key, or the folder of a snapshot's or a look's file."""
    return key.rpartition("/")[0] if key.startswith((SNAPSHOTS, PRODUCTS)) else key


def _check_head(found: Inspection, gallery: GalleryParts) -> None:
    head, key = gallery.head, head_key(gallery.model_id)
    if gallery.model_id not in found.kept:
        return
    if head is None:
        if gallery.highest and key not in found.there:
            found.add(key, "it is missing", _HEAD)
        return
    entry = gallery.commits.get(head.id)
    # Written before the head. An earlier release may have written one of the two.
    if entry and _but_products(entry) != _but_products(head):
        found.add(key, "it differs from its entry in the history", _HEAD)
        gallery.head = None
    elif entry is None and any(each.number >= head.number for each in gallery.commits.values()):
        found.add(key, f"there is no commit {head.number} of this id", _HEAD)
        gallery.head = None


def _but_products(commit: Commit) -> Commit:
    return commit.model_copy(update={"products": None})


def _has_begun(found: Inspection) -> bool:
    """Whether there is a gallery that a lost `current.json` must have named."""
    return any(
        gallery.highest > 1 or (gallery.head and (gallery.head.segments or gallery.head.snapshot))
        for gallery in found.galleries.values()
    )


def _document(storage: Storage, key: str, kind: type[Current]) -> Current | None:
    try:
        return read_document(storage, key, kind)[0]
    except NotFoundError:
        return None


@contextmanager
def _noting(found: Inspection, key: str, costs: str) -> Iterator[None]:
    """Take note of what is wrong with a part. What is gone since it was listed is no damage: what
    is named is looked for at the end."""
    try:
        yield
    except NotFoundError:
        found.there.pop(key, None)
    except UnreadableError as error:
        found.add(key, error, costs)
    except StorageError:
        raise
    except LensError as error:
        found.add(getattr(error, "key", key), error, costs)
