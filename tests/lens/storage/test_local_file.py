"""Objects as files of this machine: `lens.storage.local_file`."""

from __future__ import annotations

import hashlib

import pytest

from lens.errors import NotFoundError
from lens.storage import FileStorage, Storage
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
