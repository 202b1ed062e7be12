"""Segments: what is written is read again, and names are used once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lens.errors import ArtifactError, ConflictError
from lens.gallery.rows import Rows
from lens.gallery.segments import (
    Segment,
    parse_segment_key,
    read_segment,
    segment_key,
    take,
    write_segment,
)
from lens.storage import FileStorage, write_once
from tests.histories.interrupting_storage import InterruptingStorage, Interruption, Step
from tests.support.small_galleries import DIM, MODEL, gone, photo, segment, vector

LOST = Interruption(1, "lost answer", Step("", 0))


def test_a_segment_is_read_as_it_was_written(tmp_path: Path) -> None:
    storage = FileStorage(tmp_path)
    rows = [photo("ü x/1.png", "1", category="c"), gone("b", "2"), photo("c", "3")]
    written = segment(*rows)
    read = read_segment(storage, MODEL, write_segment(storage, MODEL, written))
    assert [read.rows[i] for i in range(3)] == rows
    np.testing.assert_array_equal(read.vectors, written.vectors)


def test_a_write_whose_answer_was_lost_is_no_failure(tmp_path: Path) -> None:
    storage = InterruptingStorage(FileStorage(tmp_path), lambda step: None)
    with storage.interrupted([LOST]):
        name = write_segment(storage, MODEL, segment(photo("a", "1")))
    assert len(read_segment(storage, MODEL, name).rows) == 1


def test_a_name_that_another_took_is_refused(tmp_path: Path) -> None:
    storage = FileStorage(tmp_path)
    write_once(storage, "name", b"theirs")
    write_once(storage, "name", b"theirs")
    with pytest.raises(ConflictError):
        write_once(storage, "name", b"mine")
    assert storage.read("name")[0] == b"theirs"


def test_a_damaged_segment_is_an_artifact_error_that_names_it(tmp_path: Path) -> None:
    storage = FileStorage(tmp_path)
    name = write_segment(storage, MODEL, segment(photo("a", "1")))
    data, _ = storage.read(segment_key(MODEL, name))
    for damaged in (b"", b"PK", data[: len(data) // 2], data[:-9]):
        storage.write(segment_key(MODEL, name), damaged)
        with pytest.raises(ArtifactError, match=name):
            read_segment(storage, MODEL, name)


@pytest.mark.parametrize("key", ["segments/m/a.json", "segments/m/x/a.npz", "snapshots/m/a.npz"])
def test_only_a_segments_key_is_parsed(key: str) -> None:
    with pytest.raises(ArtifactError, match="not a segment"):
        parse_segment_key(key)


def test_a_vector_too_many_is_refused() -> None:
    with pytest.raises(ArtifactError, match="1 photo rows"):
        Segment(Rows.of([photo("a", "1")]), np.zeros((2, DIM), np.float32))


def test_taken_rows_keep_their_own_vectors() -> None:
    taken = take(segment(photo("a", "1"), gone("b", "1"), photo("c", "1")), np.array([2, 1]))
    assert [taken.rows[i].key for i in range(2)] == ["c", "b"]
    np.testing.assert_array_equal(taken.vectors, [vector("c 1")])


def test_a_segment_s_key_tells_its_model_and_itself() -> None:
    assert parse_segment_key(segment_key("m", "1")) == ("m", "1")
    for key in ("snapshots/m/1.npz", "segments/m/1.json", "segments/m/1/2.npz"):
        with pytest.raises(ArtifactError, match="not a segment's name"):
            parse_segment_key(key)
