"""Shards: a catalog's photos as a few large tar files, so that they travel in few requests.

A member's name is its photo's key, and the members are in the keys' order, so WebDataset and every
other reader of tar files can read them. `shards.json` is written last and says which there are:
without it, or with a shard that is not as it was written, nothing is unpacked.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tarfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from lens.errors import ArtifactError, StorageError, UsageError
from lens.photos.catalog import PARTITION_KEY, Catalog
from lens.progress import Progress
from lens.storage import Storage
from lens.storage.contract import check_key

INDEX = "shards.json"
# S3 is as fast as it gets from some 100 MB an object on, and one of them is held in memory.
_BYTES = 256 << 20


class Shard(BaseModel):
    """One tar file."""

    model_config = ConfigDict(frozen=True)

    name: str
    photos: int
    size: int
    sha256: str


class Shards(BaseModel):
    """All of them; `left_out` are the photos that could not be read, with the reasons."""

    model_config = ConfigDict(frozen=True)

    shards: tuple[Shard, ...]
    left_out: dict[str, str] = {}

    @property
    def photos(self) -> int:
        """How many photos they have."""
        return sum(shard.photos for shard in self.shards)


def listing_name(catalog: Catalog) -> str:
    """A name for the catalog as it is listed now: the same photos have the same name."""
    digest = hashlib.sha256()
    partition = catalog.storage.head(PARTITION_KEY)
    for info in (*catalog.photos(), *([partition] if partition else [])):
        digest.update(f"{info.key}\0{info.size}\0{info.etag}\n".encode())
    return digest.hexdigest()[:16]


def write_shards(
    catalog: Catalog, target: Storage, progress: Progress | None = None, *, size: int = _BYTES
) -> Shards:
    """Write the catalog's photos, and the partition file if there is one, to `target`; a shard ends
    once it has `size` bytes. The same photos give the same bytes. UsageError without a photo."""
    keys = [info.key for info in catalog.photos()]
    left_out: dict[str, str] = {}
    shards: list[Shard] = []
    out, count = _Tar(), 0
    if partition := catalog.storage.head(PARTITION_KEY):
        out.add(PARTITION_KEY, catalog.storage.read(partition.key)[0])
    for done, key in enumerate(keys, 1):
        try:
            out.add(key, catalog.read(key)[0])
            count += 1
        except StorageError as error:
            left_out[key] = str(error)
        if count and (out.size >= size or done == len(keys)):
            shards.append(_write(target, f"photos-{len(shards):05}.tar", out.close(), count))
            out, count = _Tar(), 0
        if progress:
            progress(done, len(keys))
    if not shards:
        raise UsageError(f"no photo of {catalog.storage.location} can be read: name another folder")
    index = Shards(shards=tuple(shards), left_out=left_out)
    target.write(INDEX, index.model_dump_json(indent=1).encode(), content_type="application/json")
    return index


def unpack(folder: Path, into: Path) -> Path:
    """The folder of the photos that travelled in `folder`, unpacked below `into` unless they are
    there already; `folder` itself where it has no shards.

    Raises ArtifactError when a shard is missing or is not as it was written.
    """
    try:
        data = (folder / INDEX).read_bytes()
    except FileNotFoundError:
        return folder
    try:
        index = Shards.model_validate_json(data)
    except ValidationError as error:
        raise ArtifactError(f"{folder / INDEX} is damaged: pack the photos again") from error
    root = into / f"photos-{hashlib.sha256(data).hexdigest()[:16]}"
    if root.is_dir():
        return root
    partial = into / f"{root.name}.{os.getpid()}.partial"
    shutil.rmtree(partial, ignore_errors=True)
    try:
        for shard in index.shards:
            for name, photo in _members(folder / shard.name, shard):
                file = partial / name
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(photo)
        partial.rename(root)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return root


class _Tar:
    """A tar file in memory."""

    def __init__(self) -> None:
        self._raw = BytesIO()
        self._archive = tarfile.TarFile(fileobj=self._raw, mode="w", format=tarfile.PAX_FORMAT)

    @property
    def size(self) -> int:
        return self._raw.tell()

    def add(self, name: str, data: bytes) -> None:
        info = tarfile.TarInfo(
            name
        )  # nobody's, and of no time: the same photos give the same bytes
        info.size, info.mode = len(data), 0o644
        self._archive.addfile(info, BytesIO(data))

    def close(self) -> bytes:
        self._archive.close()
        return self._raw.getvalue()


def _write(target: Storage, name: str, data: bytes, photos: int) -> Shard:
    target.write(name, data, content_type="application/x-tar")
    return Shard(name=name, photos=photos, size=len(data), sha256=hashlib.sha256(data).hexdigest())


def _members(file: Path, shard: Shard) -> Iterator[tuple[str, bytes]]:
    """A shard's names and bytes; nothing before all of it is checked."""
    try:
        data = file.read_bytes()
    except FileNotFoundError:
        raise ArtifactError(f"{file} is missing: pack the photos again") from None
    if (len(data), hashlib.sha256(data).hexdigest()) != (shard.size, shard.sha256):
        raise ArtifactError(f"{file} is not as it was written: pack the photos again")
    with tarfile.open(fileobj=BytesIO(data)) as archive:
        for member in archive:
            content = archive.extractfile(member) if member.isfile() else None
            if content is None:
                raise ArtifactError(f"{file} has {member.name}, which is no file: pack it again")
            if member.name.startswith("/"):
                raise ArtifactError(
                    f"{file} has {member.name}, which leads elsewhere: pack it again"
                )
            check_key(member.name)
            yield member.name, content.read()
