"""Quick: what is remembered is what was made of the very same bytes, so damage is seen all the
same, and nothing is remembered beyond the block."""

from __future__ import annotations

import time

import numpy as np
import pytest

from lens.errors import DamagedError
from lens.gallery.commits import Commit, read_head
from lens.gallery.rows import Kind, Row, Rows
from lens.gallery.segments import Segment, read_segment, segment_key, write_segment
from lens.gallery.versions import Version
from lens.models.embedder import load_embedder
from lens.models.manifest import network_key, read_manifest
from lens.storage.documents import write_document
from tests.histories.interrupting_storage import CrashError
from tests.histories.memory_storage import MemoryStorage
from tests.histories.quick import Inline, quick
from tests.support.tiny_model import write_tiny_model


def storage() -> MemoryStorage:
    return MemoryStorage("memory:///", time.time)


def damage(artifacts: MemoryStorage, key: str, at: int) -> None:
    """Change one bit."""
    data = bytearray(artifacts.read(key)[0])
    data[at] ^= 1
    artifacts.write(key, bytes(data))


def test_a_segment_is_parsed_once_and_its_damage_is_seen() -> None:
    artifacts = storage()
    row = Row("1.png", Version("01"), Kind.PHOTO, 1.0, photo_id="p")
    segment = Segment(Rows.of([row]), np.eye(1, 8, dtype=np.float32))
    with quick():
        name = write_segment(artifacts, "m", segment)
        read = read_segment(artifacts, "m", name)
        assert read_segment(artifacts, "m", name) is read
        key = segment_key("m", name)
        damage(artifacts, key, len(artifacts.read(key)[0]) // 2)
        with pytest.raises(DamagedError):
            read_segment(artifacts, "m", name)


def test_a_document_is_parsed_once_and_its_damage_is_seen() -> None:
    artifacts = storage()
    head = Commit(model_id="m", number=1, id="c", parent=None, created_at=1.0)
    write_document(artifacts, "heads/m.json", head)
    with quick():
        read = read_head(artifacts, "m")
        assert read == head
        assert read_head(artifacts, "m") is read
        damage(artifacts, "heads/m.json", artifacts.read("heads/m.json")[0].index(b'"m"') + 1)
        with pytest.raises(DamagedError):
            read_head(artifacts, "m")


def test_a_network_is_loaded_once_and_its_damage_is_seen() -> None:
    artifacts = storage()
    model_id = write_tiny_model(artifacts).model_id
    other = write_tiny_model(artifacts, seed=1).model_id
    with quick():
        network = load_embedder(artifacts, model_id, "fp32")._network
        assert load_embedder(artifacts, model_id, "fp32")._network is network
        assert load_embedder(artifacts, other, "fp32")._network is not network
        key = network_key(read_manifest(artifacts, model_id), "fp32")
        damage(artifacts, key, len(artifacts.read(key)[0]) // 2)
        with pytest.raises(DamagedError):
            load_embedder(artifacts, model_id, "fp32")


def test_nothing_is_remembered_after_the_block() -> None:
    artifacts = storage()
    write_document(
        artifacts,
        "heads/m.json",
        Commit(model_id="m", number=1, id="c", parent=None, created_at=1.0),
    )
    with quick():
        assert read_head(artifacts, "m") is read_head(artifacts, "m")
    assert read_head(artifacts, "m") is not read_head(artifacts, "m")


def test_a_failure_is_its_own_and_a_crash_is_that_of_all() -> None:
    def fail(error: BaseException) -> None:
        raise error

    failed = Inline().submit(fail, ValueError("no"))
    assert isinstance(failed.exception(), ValueError)
    with pytest.raises(CrashError):
        Inline().submit(fail, CrashError())
