"""Artifacts: each file that the gallery consists of, damaged, is read by what reads it."""

from __future__ import annotations

import atexit
import logging
import random
import shutil
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from lens.errors import LensError
from lens.gallery.holds import read_holds
from lens.photos.layouts.layout import Layout
from lens.photos.layouts.stored import read_layout, store_layout
from lens.pipeline.picture_state import PicturesState, read_state, write_state
from lens.storage import FileStorage
from lens.storage.formats import written_format
from tests.fuzz.files import damaged
from tests.fuzz.photos import one_line
from tests.lens.test_damaged_artifacts import KINDS, Artifacts, content, refused
from tests.support.small_galleries import NOW

Reader = Callable[[FileStorage], Any]
# They say nothing that cannot be found out anew, so none is refused.
_FORGIVING: dict[str, Reader] = {
    "layout.json": read_layout,
    "fetching.json": read_state,
    "formats.json": lambda storage: written_format(storage, NOW),
    "holds.json": read_holds,
}


def play(number: int) -> str:
    """How the reading of a damaged artifact ends. AssertionError where something else is read than
    was written, and whatever a reader raises that is none of ours."""
    rng = random.Random(number)
    artifacts = _artifacts()
    kinds = (*KINDS, *_FORGIVING)
    kind = kinds[number % len(kinds)]
    if kind in _FORGIVING:
        return _forgiving(rng, artifacts.storage, kind)
    data = content(artifacts, kind)
    for _ in range(rng.choice((1, 1, 2, 8))):
        data = damaged(rng, data, lambda: content(artifacts, rng.choice(KINDS)))
    return "the same" if refused(artifacts, kind, data) is None else "DamagedError"


def _forgiving(rng: random.Random, storage: FileStorage, name: str) -> str:
    path = storage.root / name
    data = path.read_bytes() if path.exists() else b'{"since": {}, "holds": [], "format": 1}'
    for _ in range(rng.choice((1, 2, 8))):
        data = damaged(rng, data, lambda: b"[]{}")
    return _read(path, data, _FORGIVING[name], storage)


def _read(path: Path, data: bytes, read: Reader, storage: FileStorage) -> str:
    whole = path.read_bytes() if path.exists() else None
    try:
        if path.exists():
            path.chmod(0o644)
        path.write_bytes(data)
        read(storage)
        return "read"
    except LensError as error:
        return one_line(error)
    finally:
        if whole is None:
            path.unlink()
        else:
            path.write_bytes(whole)


@cache
def _artifacts() -> Artifacts:
    logging.disable(logging.CRITICAL)
    folder = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    storage = FileStorage(Path(folder))
    artifacts = Artifacts(storage)
    store_layout(storage, Layout("{item}/{name}"))
    write_state(storage, PicturesState())
    return artifacts
