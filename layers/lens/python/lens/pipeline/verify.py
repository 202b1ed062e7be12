"""Verify: reads everything in the artifacts and says what is damaged, and what that costs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from lens.errors import (
    ArtifactError,
    DamagedError,
    LensError,
    MissingError,
    NotFoundError,
    UnreadableError,
)
from lens.gallery.commits import (
    COMMITS,
    HEADS,
    Commit,
    CommitName,
    commit_key,
    head_key,
    headed_models,
    read_head,
)
from lens.gallery.current import KEY as CURRENT
from lens.gallery.current import Current, read_current
from lens.gallery.product_tables import PREFIX as PRODUCTS
from lens.gallery.product_tables import (
    check_fingerprints,
    is_fingerprints_key,
    is_manifest_key,
    load_shelf,
    parse_products_key,
    products_key,
    read_look,
)
from lens.gallery.segments import PREFIX as SEGMENTS
from lens.gallery.segments import parse_segment_key, read_segment, segment_key
from lens.gallery.snapshots import PREFIX as SNAPSHOTS
from lens.gallery.snapshots import load_snapshot, parse_snapshot_key, vectors_key
from lens.models.manifest import PREFIX as MODELS
from lens.models.manifest import read_manifest
from lens.pipeline.gallery_parts import GalleryParts, SegmentPart
from lens.pipeline.model_files import damaged_files
from lens.pipeline.part_names import PREFIXES, is_ours
from lens.pipeline.single_documents import DOCUMENTS
from lens.progress import Progress
from lens.storage import Storage, formats
from lens.storage.documents import read_document, speaks_newest


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
    dims: dict[str, int] = field(default_factory=dict)  # of models' vectors

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
    """Read and check everything. Raises StorageError when the artifacts cannot be read at all, and
    ArtifactError when they are a newer release's."""
    formats.refuse_newer(storage)
    found = Inspection()
    # First what is current, then the listing: what is written meanwhile is not looked for in it.
    with _noting(found, CURRENT, _NOTHING):
        found.current = read_current(storage)
    models = headed_models(storage)
    heads = [head_key(model_id) for model_id in models]
    for model_id in models:
        gallery = found.gallery(model_id)
        with _noting(found, head_key(model_id), _HEAD):
            gallery.head = read_head(storage, model_id)
            gallery.highest = gallery.head.number
    parts = (info for each in PREFIXES for info in storage.list(each) if is_ours(info.key))
    found.there = {info.key: info.size for info in (*parts, *storage.list(MODELS))}
    found.there |= dict.fromkeys(heads, 0)
    checks = list(_checks(storage, found, heads))
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
_ENTRY = "the head could not be made again, were it damaged too"
_NOBODY = "nothing: no gallery uses it"
_ANEW = "the next look at the product file reads every row of it"


def _checks(
    storage: Storage, found: Inspection, heads: Sequence[str]
) -> Iterator[tuple[str, str, Callable[[], object]]]:
    """What is to be read: its key, what its damage costs, and what reads it."""
    for key, (costs, check) in DOCUMENTS.items():
        if (info := storage.head(key)) is not None:
            found.there[key] = info.size
            yield key, costs, partial(check, storage)
    if formats.KEY not in found.there and speaks_newest(storage, [CURRENT, *heads]):
        found.add(formats.KEY, "it is missing", DOCUMENTS[formats.KEY][0])
    for model_id in _models_in(found.there):
        with suppress(LensError):
            found.dims[model_id] = read_manifest(storage, model_id).embedding_dim
    snapshots, looks, models = set(), set(), set()
    for key in list(found.there):
        folder, _, rest = key.partition("/")
        if f"{folder}/" == COMMITS:
            yield key, "it cannot be rolled back to", partial(_commit, storage, found, key)
        elif f"{folder}/" == SEGMENTS:
            yield key, _NOBODY, partial(_segment, storage, found, key)
        elif f"{folder}/" == SNAPSHOTS:
            snapshots.add(parse_snapshot_key(key))
        elif is_fingerprints_key(key):
            yield key, _ANEW, partial(check_fingerprints, storage, key)
        elif is_manifest_key(key):
            looks.add(parse_products_key(key))
        elif f"{folder}/" == MODELS:
            models.add(rest.partition("/")[0])
    for model_id, name in sorted(snapshots):
        key = f"{SNAPSHOTS}{model_id}/{name}/manifest.json"
        if key in found.there:  # without one it does not exist
            yield key, _NOBODY, partial(_snapshot, storage, found, model_id, name)
    for model_id, name in sorted(looks):
        key = products_key(model_id, name)
        yield key, _NOBODY, partial(_look, storage, found, model_id, name)
    needed = set(found.kept)
    for model_id in sorted(models | needed):
        key = f"{MODELS}{model_id}/manifest.json"
        if key in found.there or model_id in needed:
            yield key, "", partial(_model, storage, found, model_id)


def _commit(storage: Storage, found: Inspection, key: str) -> None:
    model_id, _, name = key.removeprefix(COMMITS).partition("/")
    gallery = found.gallery(model_id)
    number = name.partition("-")[0]
    if number.isdigit():
        gallery.highest = max(gallery.highest, int(number))
    commit = read_document(storage, key, Commit)[0]
    if commit_key(commit.model_id, commit.name) != key:
        raise DamagedError(key, f"it is commit {commit.number} of {commit.model_id}")
    gallery.commits[commit.id] = commit


def _segment(storage: Storage, found: Inspection, key: str) -> None:
    model_id, name = parse_segment_key(key)
    segment = read_segment(storage, model_id, name)
    _check_dimension(found, model_id, key, segment.vectors)
    found.gallery(model_id).segments[name] = SegmentPart(len(segment.rows), segment.merged_from)


def _snapshot(storage: Storage, found: Inspection, model_id: str, name: str) -> None:
    snapshot = load_snapshot(storage, model_id, name, whole=True)
    _check_dimension(found, model_id, vectors_key(model_id, name), snapshot.index.vectors)
    found.gallery(model_id).snapshots[name] = snapshot.manifest


def _look(storage: Storage, found: Inspection, model_id: str, name: str) -> None:
    manifest = read_look(storage, model_id, name)
    load_shelf(storage, manifest, whole=True)
    found.gallery(model_id).looks.add(name)


def _check_dimension(
    found: Inspection, model_id: str, key: str, vectors: NDArray[np.float32]
) -> None:
    """DamagedError unless vectors have the dimension of the model's."""
    dim = found.dims.get(model_id)
    if dim not in (None, vectors.shape[1]):
        raise DamagedError(key, f"vectors of {vectors.shape[1]} numbers instead of {dim}")


def _model(storage: Storage, found: Inspection, model_id: str) -> None:
    load = model_id in found.kept
    for key, what in damaged_files(storage, model_id, load=load):
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
    if current.live not in _models_in(found.there) | found.galleries.keys():
        found.add(CURRENT, f"it names {current.live!r}, which is no model here", _NOTHING)
        found.current = None
        found.models.pop(current.live, None)
        folder = f"{MODELS}{current.live}/"
        found.damages = [each for each in found.damages if not each.key.startswith(folder)]
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
        for commit in reversed(gallery.history() or gallery.ancestry()[:1]):
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
    elif entry is None and head.number:
        found.add(commit_key(gallery.model_id, head.name), "it is missing", _ENTRY)


def _but_products(commit: Commit) -> Commit:
    return commit.model_copy(update={"products": None})


def _models_in(keys: Iterable[str]) -> set[str]:
    """The models of which there is any file."""
    return {key.split("/")[1] for key in keys if key.startswith(MODELS)}


def _has_begun(found: Inspection) -> bool:
    """Whether there is a gallery that a lost `current.json` must have named."""
    heads = any(key.startswith(HEADS) for key in found.there)
    return heads or any(gallery.highest > 1 for gallery in found.galleries.values())


@contextmanager
def _noting(found: Inspection, key: str, costs: str) -> Iterator[None]:
    """Take note of what is wrong with a part. What is gone since it was listed is no damage: what
    is named is looked for at the end."""
    try:
        yield
    except MissingError as error:
        if error.key == key:
            found.there.pop(key, None)
        else:
            found.add(error.key, error.what, costs)
    except NotFoundError:
        found.there.pop(key, None)
    except DamagedError as error:
        found.add(error.key, error.what, costs)
    except (ArtifactError, UnreadableError) as error:
        found.add(key, error, costs)
