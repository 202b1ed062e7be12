"""Decoded photos: each is decoded once, to a padded square of gray levels in a memory-mapped file.

Reading a batch is then a copy from the page cache, which all ranks of a machine share. So the
loader keeps up with a GPU, and no photo is decoded twice.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lens.errors import PhotoError, UsageError
from lens.models.manifest import Preprocessing
from lens.models.preprocessing import to_pixels
from lens.photos.decoding import decode
from lens.progress import Progress
from lens.settings import Limits


@dataclass(frozen=True)
class DecodedPhotos:
    """Photos as arrays of gray levels."""

    levels: NDArray[np.uint8]  # (N, S, S, 3)
    positions: dict[str, int]  # in `levels`, by key
    broken: dict[str, str]  # by key, why a photo cannot be decoded

    def rows(self, keys: Sequence[str]) -> NDArray[np.int64]:
        """Return the positions of these keys."""
        return np.array([self.positions[key] for key in keys], np.int64)


def build_decoded(
    cache: Path,
    root: Path,
    keys: Sequence[str],
    preprocessing: Preprocessing,
    progress: Progress | None = None,
) -> DecodedPhotos:
    """Decode photos exactly as serving does, or open them if the cache folder has them already.

    A photo that cannot be decoded is listed in `broken`, and its levels are 0.
    """
    levels_file, broken_file = _files(cache, root, keys, preprocessing)
    if not broken_file.exists():
        cache.mkdir(parents=True, exist_ok=True)
        broken = _decode_all(levels_file, root, keys, preprocessing, progress)
        # Written last: it marks the cache as complete.
        _write_atomically(broken_file, json.dumps(broken).encode())
    return open_decoded(cache, root, keys, preprocessing)


def open_decoded(
    cache: Path, root: Path, keys: Sequence[str], preprocessing: Preprocessing
) -> DecodedPhotos:
    """Open what another process of this machine has decoded."""
    levels_file, broken_file = _files(cache, root, keys, preprocessing)
    levels = np.load(levels_file, mmap_mode="r")
    return DecodedPhotos(
        levels, {key: i for i, key in enumerate(keys)}, json.loads(broken_file.read_text())
    )


def _files(
    cache: Path, root: Path, keys: Sequence[str], preprocessing: Preprocessing
) -> tuple[Path, Path]:
    digest = hashlib.sha256(preprocessing.model_dump_json().encode())
    for key in keys:
        info = (root / key).stat()
        digest.update(f"{key} {info.st_size} {info.st_mtime_ns}\n".encode())
    name = digest.hexdigest()[:24]
    return cache / f"{name}.npy", cache / f"{name}.json"


def _decode_all(
    file: Path,
    root: Path,
    keys: Sequence[str],
    preprocessing: Preprocessing,
    progress: Progress | None,
) -> dict[str, str]:
    side = preprocessing.size
    # With mean 0 and deviation 1, to_pixels gives the gray levels themselves.
    plain = preprocessing.model_copy(update={"mean": (0.0,) * 3, "std": (1.0,) * 3})
    partial = file.with_suffix(f".{os.getpid()}.partial")
    levels = np.lib.format.open_memmap(
        partial, mode="w+", dtype=np.uint8, shape=(len(keys), side, side, 3)
    )

    def fill(position: int) -> str | None:
        try:
            image = decode((root / keys[position]).read_bytes(), Limits())
        except (PhotoError, OSError) as error:
            return str(error)
        levels[position] = to_pixels(image, plain).transpose(1, 2, 0)
        return None

    broken = {}
    try:
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            for position, reason in enumerate(pool.map(fill, range(len(keys)))):
                if reason is not None:
                    broken[keys[position]] = reason
                if progress:
                    progress(position + 1, len(keys))
        levels.flush()
        partial.replace(file)
    except OSError as error:
        need = levels.nbytes / 1e9
        raise UsageError(f"cannot keep {need:.1f} GB of decoded photos: {error}") from error
    finally:
        partial.unlink(missing_ok=True)
    return broken


def _write_atomically(file: Path, data: bytes) -> None:
    partial = file.with_suffix(f".{os.getpid()}.partial")
    partial.write_bytes(data)
    partial.replace(file)
