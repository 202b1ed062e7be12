"""Beside: what lies beside a model's networks is what its manifest names, also while it changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from lens.errors import DamagedError, MissingError
from lens.models.beside import (
    beside_key,
    forget_beside,
    is_named,
    read_beside,
    replace_beside,
    write_beside_once,
)
from lens.models.manifest import manifest_key, read_manifest
from lens.storage import FileStorage
from lens.storage.formats import announce_format
from tests.histories.interrupting_storage import (
    CrashError,
    InterruptingStorage,
    Interruption,
    Step,
)
from tests.support.small_galleries import NOW
from tests.support.tiny_model import write_tiny_model

NAME = "probes.npy"


@pytest.fixture
def storage(tmp_path: Path) -> FileStorage:
    """Artifacts that began with this release."""
    storage = FileStorage(tmp_path)
    announce_format(storage, NOW)
    return storage


@pytest.fixture
def model(storage: FileStorage) -> str:
    return write_tiny_model(storage).model_id


def damage(storage: FileStorage, model: str, data: bytes) -> None:
    (storage.root / beside_key(model, NAME)).write_bytes(data)


def test_a_file_is_read_as_it_was_written_or_not_at_all(storage: FileStorage, model: str) -> None:
    assert read_beside(storage, model, NAME) is None
    write_beside_once(storage, model, NAME, b"numbers")
    assert read_beside(storage, model, NAME) == b"numbers"
    damage(storage, model, b"numbert")
    with pytest.raises(DamagedError, match="does not match its checksum") as raised:
        read_beside(storage, model, NAME)
    assert raised.value.key == f"models/{model}/{NAME}"
    (storage.root / beside_key(model, NAME)).unlink()
    with pytest.raises(MissingError):
        read_beside(storage, model, NAME)
    forget_beside(storage, model, NAME)
    assert read_beside(storage, model, NAME) is None


def test_of_another_name_the_manifest_says_nothing(storage: FileStorage, model: str) -> None:
    replace_beside(storage, model, NAME, b"numbers")
    replace_beside(storage, model, "garment.npy", b"others")
    damage(storage, model, b"numbert")
    assert read_beside(storage, model, "garment.npy") == b"others"
    forget_beside(storage, model, "garment.npy")
    with pytest.raises(DamagedError):
        read_beside(storage, model, NAME)


def test_a_release_replaces_what_another_wrote(storage: FileStorage, model: str) -> None:
    for data in (b"one", b"two", b"three"):
        replace_beside(storage, model, NAME, data)
        assert read_beside(storage, model, NAME) == data
    damage(storage, model, b"one")
    with pytest.raises(DamagedError):
        read_beside(storage, model, NAME)


@pytest.mark.parametrize("before", [None, b"before"])
def test_at_every_moment_of_a_replacement_the_file_is_whole(
    storage: FileStorage, model: str, before: bytes | None
) -> None:
    """Read by others, and left so by one that was killed there."""
    if before is not None:
        replace_beside(storage, model, NAME, before)
    seen: set[bytes | None] = set()
    interrupting = InterruptingStorage(
        storage, lambda step: seen.add(read_beside(storage, model, NAME))
    )
    for at in range(1, 12):
        with interrupting.interrupted([Interruption(at, "meanwhile", Step("", 0))]):
            replace_beside(interrupting, model, NAME, b"after %d" % at)
        assert read_beside(storage, model, NAME) == b"after %d" % at
    assert {None if before is None else before, b"after 1"} <= seen
    for at in range(1, 12):
        try:
            with interrupting.interrupted([Interruption(at, "crash before", Step("", 0))]):
                replace_beside(interrupting, model, NAME, b"then %d" % at)
        except CrashError:
            pass
        read_beside(storage, model, NAME)
        replace_beside(storage, model, NAME, b"last")
        assert read_beside(storage, model, NAME) == b"last"


def test_a_manifest_of_an_earlier_release_names_nothing(tmp_path: Path) -> None:
    storage = FileStorage(tmp_path)
    model = write_tiny_model(storage)
    before = storage.read(manifest_key(model.model_id))
    replace_beside(storage, model.model_id, NAME, b"numbers")
    assert storage.read(manifest_key(model.model_id)) == before
    assert is_named(model, NAME, b"numbers") is None
    damage(storage, model.model_id, b"numbert")
    assert read_beside(storage, model.model_id, NAME) == b"numbert"


def test_what_lay_there_before_there_were_checksums_is_named_once_it_is_written_again(
    storage: FileStorage, model: str
) -> None:
    storage.write(beside_key(model, NAME), b"numbers")
    replace_beside(storage, model, NAME, b"numbers")
    manifest = read_manifest(storage, model)
    assert is_named(manifest, NAME, b"numbers") is True
    assert is_named(manifest, NAME, b"numbert") is False


@pytest.mark.parametrize("data", [None, b"{"])
def test_without_a_manifest_that_can_be_read_nothing_is_checked(
    storage: FileStorage, data: bytes | None
) -> None:
    """Its own damage is told of where the model is loaded."""
    if data is not None:
        storage.write(manifest_key("m"), data)
    replace_beside(storage, "m", NAME, b"numbers")
    assert read_beside(storage, "m", NAME) == b"numbers"
