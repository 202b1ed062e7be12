"""Objects as files of this machine: `lens.storage.local_file`."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path

import pytest

from lens.errors import NotFoundError
from lens.storage import FileStorage, Storage
from lens.storage import local_file as local_file_module
from lens.storage.local_file import local_file, sha256_of


def test_an_object_is_a_local_file_for_as_long_as_it_is_needed(storage: Storage) -> None:
    storage.write("folder/key", b"abc")
    with local_file(storage, "folder/key") as path:
        assert path.read_bytes() == b"abc"
        assert sha256_of(path) == hashlib.sha256(b"abc").hexdigest()
        file = path.open("rb")
        fetched = not isinstance(storage, FileStorage)
    with file:
        assert file.read() == b"abc"
    assert path.exists() != fetched
    assert storage.read("folder/key")[0] == b"abc"
    with pytest.raises(NotFoundError), local_file(storage, "folder/other"):
        pass


def test_what_a_killed_process_fetched_goes_after_a_day_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local_file_module, "gettempdir", lambda: str(tmp_path))
    old = time.time() - 2 * 86_400

    def folder(name: str, *files: str, age: float) -> Path:
        made = tmp_path / name
        made.mkdir()
        for file in files:
            (made / file).write_bytes(b"x")
            os.utime(made / file, (age, age))
        os.utime(made, (age, age))
        return made

    left = folder("image-lens-1", "object", age=old)
    half = folder("image-lens-2", f".{'0' * 32}.part", age=old)
    alive = folder("image-lens-3", "object", age=time.time())
    others = folder("image-lens-notes", "diary.txt", age=old)
    elses = folder("lens-cleaning", "object", age=old)
    local_file_module._remove_left.cache_clear()
    local_file_module._remove_left()
    assert not left.exists()
    assert not half.exists()
    assert (alive / "object").exists()
    assert (others / "diary.txt").exists()
    assert (elses / "object").exists()
