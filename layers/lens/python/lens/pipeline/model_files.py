"""Model files: which of a model's files are damaged, and whole ones in their place.

A model returns as exactly what it was: its id is made from the checksums of its networks and from
its preprocessing, so a manifest proves itself, and the networks are proven by it. What lies beside
them is proven by it too, since it names that; a model may do without.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from io import BytesIO
from typing import NamedTuple

import numpy as np

from lens.errors import ArtifactError, DamagedError, NotFoundError
from lens.models.beside import (
    beside_key,
    forget_beside,
    is_named,
    read_beside,
    replace_beside,
)
from lens.models.calibration import FILES, Calibration
from lens.models.embedder import load_embedder
from lens.models.manifest import (
    FP32,
    ModelManifest,
    is_its_own,
    manifest_key,
    network_file,
)
from lens.models.shares import FILE as SHARES
from lens.storage import Storage
from lens.storage.aside import set_aside
from lens.storage.documents import parse_document, read_document, write_document
from lens.storage.older import older_versions

# Gives the bytes that lie elsewhere under an artifact's key.
Source = Callable[[str], Iterable[bytes]]

_TRAINING = "training/"


class Restored(NamedTuple):
    """A model's files that were damaged, by their keys."""

    back: list[str] = []  # as they were
    replaced: list[str] = []  # by another release's
    aside: list[str] = []  # done without
    left: list[str] = []  # damaged still


def damaged_files(
    storage: Storage, model_id: str, *, load: bool = False
) -> Iterator[tuple[str, str]]:
    """The keys of a model's files that are damaged or lost, each with what is wrong; with `load`
    its network is loaded, too."""
    key = manifest_key(model_id)
    try:
        manifest = read_document(storage, key, ModelManifest)[0]
        if not _is(manifest, model_id):
            raise DamagedError(key, "it is not what the model's id was made from")
    except NotFoundError:
        yield key, "it is missing"
        return
    except ArtifactError as error:
        yield key, error.what if isinstance(error, DamagedError) else str(error)
        return
    whole = True
    for precision in manifest.variants:
        try:
            with network_file(storage, manifest, precision):
                pass
        except DamagedError as error:
            whole = False
            yield error.key, error.what
    for name in FILES:
        try:
            if (data := read_beside(storage, model_id, name)) is not None:
                _check_beside(beside_key(model_id, name), data)
        except DamagedError as error:
            yield error.key, error.what
    if whole and load:
        yield from _unloadable(storage, model_id)


def restore_files(
    storage: Storage, model_id: str, sources: Sequence[Source], folder: str
) -> Restored:
    """Put whole files in the place of a model's damaged ones, which are set aside in this folder. A
    file that is not a network may be that of another release, or be done without."""
    own: list[Source] = [
        lambda key: older_versions(storage, key),
        lambda key: _trained(storage, key),
    ]
    everywhere = [*own, *sources]
    found = Restored([], [], [], [])
    tried: set[str] = set()
    while damaged := [key for key, _ in damaged_files(storage, model_id) if key not in tried]:
        for key in damaged:
            tried.add(key)
            name = key.rpartition("/")[2]
            if _restore(storage, model_id, key, everywhere, folder):
                found.back.append(key)
            elif name in FILES:
                forget_beside(storage, model_id, name)
                if _restore(storage, model_id, key, everywhere, folder):
                    found.replaced.append(key)
                else:
                    set_aside(storage, key, folder)
                    found.aside.append(key)
    found.left.extend(key for key, _ in damaged_files(storage, model_id))
    return found


def _restore(
    storage: Storage, model_id: str, key: str, sources: Sequence[Source], folder: str
) -> bool:
    for source in sources:
        for data in source(key):
            if key == manifest_key(model_id):
                try:
                    manifest = parse_document(key, data, ModelManifest)
                except ArtifactError:
                    continue
                if _is(manifest, model_id):
                    set_aside(storage, key, folder)
                    write_document(storage, key, manifest)
                    return True
            elif _is_file(storage, model_id, key, data):
                set_aside(storage, key, folder)
                if (name := key.rpartition("/")[2]) in FILES:
                    replace_beside(storage, model_id, name, data)
                else:
                    storage.write(key, data)
                return True
    return False


def _is_file(storage: Storage, model_id: str, key: str, data: bytes) -> bool:
    """Whether these bytes are what the model has under this key."""
    name = key.rpartition("/")[2]
    manifest = read_document(storage, manifest_key(model_id), ModelManifest)[0]
    if name in FILES:
        if (named := is_named(manifest, name, data)) is not None:
            return named
        try:
            _check_beside(key, data)
        except ArtifactError:
            return False
        return name != SHARES
    wanted = next(each.sha256 for each in manifest.variants.values() if each.file == name)
    return hashlib.sha256(data).hexdigest() == wanted


def _is(manifest: ModelManifest, model_id: str) -> bool:
    return manifest.model_id == model_id and is_its_own(manifest)


def _check_beside(key: str, data: bytes) -> None:
    """ArtifactError unless this is a calibration, or an array of numbers."""
    if key.endswith(".json"):
        parse_document(key, data, Calibration)
    elif key.endswith(".npy"):
        try:
            array = np.load(BytesIO(data), allow_pickle=False)
            if array.dtype != np.float32 or not np.isfinite(array).all():
                raise ValueError(f"{array.dtype} {array.shape}")
        except Exception as error:  # damaged bytes end NumPy in many ways
            raise DamagedError(key, " ".join(str(error).split())) from error


def _unloadable(storage: Storage, model_id: str) -> Iterator[tuple[str, str]]:
    """The files that ONNX Runtime does not load."""
    try:
        lost = load_embedder(storage, model_id, FP32).damaged
    except DamagedError as error:
        lost = error
    if lost is not None:
        yield lost.key, lost.what


def _trained(storage: Storage, key: str) -> Iterator[bytes]:
    """What trainings left in these artifacts of a model's file."""
    for info in storage.list(_TRAINING):
        if info.key.endswith(f"/{key}"):
            yield storage.read(info.key)[0]
