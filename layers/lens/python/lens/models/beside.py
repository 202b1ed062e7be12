"""Beside: the files that lie beside a model's networks, each with its checksum in the manifest.

A release may replace such a file. The manifest names the new one before it is written, beside the
one that is there, and is read after the file: so nobody takes a file for damaged because it is
being replaced. A manifest of an earlier release names none, and nothing is checked then.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from contextlib import suppress

from lens.errors import ArtifactError, DamagedError, MissingError, NotFoundError
from lens.models.manifest import BESIDE_SINCE, PREFIX, ModelManifest, manifest_key
from lens.storage import Storage, write_once
from lens.storage.documents import read_document, swap_document
from lens.storage.formats import written_format

_KEPT = 2  # the newest, and what may lie there while that is written


def beside_key(model_id: str, name: str) -> str:
    """Where a file that lies beside a model's networks lies in the artifacts."""
    return f"{PREFIX}{model_id}/{name}"


def read_beside(storage: Storage, model_id: str, name: str) -> bytes | None:
    """A file's bytes; None for a model without it. DamagedError when they are not those that the
    manifest names, MissingError when it names some and there are none."""
    key = beside_key(model_id, name)
    data = _read(storage, key)
    sums = _sums(storage, model_id).get(name, ())
    if data is None:
        if sums:
            raise MissingError(key)
    elif sums and _sum(data) not in sums:
        raise DamagedError(key, "it does not match its checksum")
    return data


def replace_beside(storage: Storage, model_id: str, name: str, data: bytes) -> None:
    """Write a file in the place of another, or of nothing, unless it is there."""
    key = beside_key(model_id, name)
    there = _read(storage, key)
    if there is None:
        storage.write(key, data)  # first: nobody misses what the manifest does not name
    name_beside(storage, model_id, name, data, there=there)
    if there not in (None, data):
        storage.write(key, data)


def write_beside_once(storage: Storage, model_id: str, name: str, data: bytes) -> None:
    """Write a file of a new model; ConflictError if other bytes lie there."""
    write_once(storage, beside_key(model_id, name), data)
    name_beside(storage, model_id, name, data)


def name_beside(
    storage: Storage, model_id: str, name: str, data: bytes, *, there: bytes | None = None
) -> None:
    """Let the manifest name these bytes; `there` are those that lie there now, if others do. Where
    there is no manifest yet, or an earlier release may read it, nothing happens."""
    if written_format(storage, time.time(), at_once=True) < BESIDE_SINCE:
        return
    unnamed = () if there is None else (_sum(there),)

    def put(manifest: ModelManifest | None) -> ModelManifest | None:
        if manifest is None:
            return None
        before = manifest.beside.get(name, unnamed)
        sums = tuple(dict.fromkeys((_sum(data), *before)))[:_KEPT]
        return _changed(manifest, {**manifest.beside, name: sums})

    with suppress(DamagedError):  # the manifest is told of where the model is loaded
        swap_document(storage, manifest_key(model_id), ModelManifest, put)


def forget_beside(storage: Storage, model_id: str, name: str) -> None:
    """Let the manifest name no such file any more: the model does without."""

    def put(manifest: ModelManifest | None) -> ModelManifest | None:
        if manifest is None:
            return None
        return _changed(manifest, {k: v for k, v in manifest.beside.items() if k != name})

    swap_document(storage, manifest_key(model_id), ModelManifest, put)


def is_named(manifest: ModelManifest, name: str, data: bytes) -> bool | None:
    """Whether a manifest names these bytes; None where it names none under this name."""
    sums = manifest.beside.get(name)
    return None if sums is None else _sum(data) in sums


def _changed(
    manifest: ModelManifest, beside: Mapping[str, tuple[str, ...]]
) -> ModelManifest | None:
    if beside == manifest.beside:
        return None
    return manifest.model_copy(update={"beside": beside})


def _sums(storage: Storage, model_id: str) -> Mapping[str, tuple[str, ...]]:
    try:
        return read_document(storage, manifest_key(model_id), ModelManifest)[0].beside
    except (NotFoundError, ArtifactError):  # told of where the model is loaded
        return {}


def _read(storage: Storage, key: str) -> bytes | None:
    try:
        return storage.read(key)[0]
    except NotFoundError:
        return None


def _sum(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
