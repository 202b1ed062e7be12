"""Segments: what is written is read again, and names are used once."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lens.errors import ArtifactError, ConflictError, DamagedError, MissingError
from lens.gallery.rows import Kind, Row, Rows
from lens.gallery.segments import (
    Segment,
    check_vectors,
    concatenate,
    holds_waiting,
    parse_segment_key,
    read_segment,
    segment_key,
    take,
    write_segment,
)
from lens.gallery.versions import Version
from lens.storage import FileStorage, write_once
from lens.storage.formats import announce_format
from tests.histories.interrupting_storage import InterruptingStorage, Interruption, Step
from tests.support.small_galleries import (
    DIM,
    MODEL,
    NOW,
    gone,
    make_live,
    photo,
    segment,
    vector,
)

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


Arrays = dict[str, Any]


def _stored(storage: FileStorage, name: str) -> Arrays:
    with np.load(BytesIO(storage.read(segment_key(MODEL, name))[0])) as archive:
        return {each: archive[each] for each in archive.files}


def _store(storage: FileStorage, name: str, arrays: Arrays) -> None:
    out = BytesIO()
    np.savez(out, **arrays)
    storage.write(segment_key(MODEL, name), out.getvalue())


def test_what_was_merged_is_told_and_whose_it_is(tmp_path: Path) -> None:
    storage = FileStorage(tmp_path)
    merged = Segment(*_of(segment(photo("a", "1"))), merged_from=("1" * 32, "2" * 32))
    name = write_segment(storage, MODEL, merged)
    assert read_segment(storage, MODEL, name, 1).merged_from == ("1" * 32, "2" * 32)
    assert (_stored(storage, name)["model"], _stored(storage, name)["id"]) == (
        MODEL.encode(),
        name.encode(),
    )
    assert write_segment(storage, MODEL, merged) != name


def _of(given: Segment) -> tuple[Rows, Any]:
    return given.rows, given.vectors


@pytest.mark.parametrize("name", ["vectors", "key", "folded", "format", "model", "id", "n"])
def test_a_changed_array_does_not_match_the_checksum(tmp_path: Path, name: str) -> None:
    storage = FileStorage(tmp_path)
    written = write_segment(storage, MODEL, segment(photo("a", "1"), photo("b", "1")))
    arrays = _stored(storage, written)
    values = arrays[name].copy()
    raw = bytearray(values.tobytes()) or bytearray(1)
    if values.nbytes:
        raw[0] ^= 1
        arrays[name] = np.frombuffer(bytes(raw), values.dtype).reshape(values.shape)
    else:
        arrays[name] = np.array([b"x"], values.dtype)
    _store(storage, written, arrays)
    with pytest.raises(DamagedError, match="does not match its checksum"):
        read_segment(storage, MODEL, written)


def test_another_shape_of_the_same_bytes_does_not_match_the_checksum(tmp_path: Path) -> None:
    storage = FileStorage(tmp_path)
    written = write_segment(storage, MODEL, segment(photo("a", "1"), photo("b", "1")))
    arrays = _stored(storage, written)
    arrays["vectors"] = arrays["vectors"].reshape(1, -1)
    _store(storage, written, arrays)
    with pytest.raises(DamagedError, match="does not match its checksum"):
        read_segment(storage, MODEL, written)


@pytest.mark.parametrize(("model", "mine"), [("other", True), (MODEL, False)])
def test_a_segment_in_another_s_place_is_told(tmp_path: Path, model: str, mine: bool) -> None:
    storage = FileStorage(tmp_path)
    name = write_segment(storage, MODEL, segment(photo("a", "1")))
    elsewhere = name if mine else "0" * 32
    storage.write(segment_key(model, elsewhere), storage.read(segment_key(MODEL, name))[0])
    with pytest.raises(DamagedError, match=f"it is segment {name} of {MODEL}") as raised:
        read_segment(storage, model, elsewhere)
    assert raised.value.key == segment_key(model, elsewhere)


def test_a_segment_that_is_gone_is_missing_and_another_count_is_damage(tmp_path: Path) -> None:
    storage = FileStorage(tmp_path)
    with pytest.raises(MissingError) as raised:
        read_segment(storage, MODEL, "0" * 32)
    assert raised.value.key == segment_key(MODEL, "0" * 32)
    name = write_segment(storage, MODEL, segment(photo("a", "1")))
    assert len(read_segment(storage, MODEL, name, 1).rows) == 1
    for rows in (0, 2):
        with pytest.raises(DamagedError, match=f"1 rows instead of {rows}"):
            read_segment(storage, MODEL, name, rows)


OLDER: dict[str, tuple[Callable[[Arrays], Arrays], str]] = {
    "a vector too few": (lambda a: {"vectors": a["vectors"][:1]}, "2 photo rows, but 1 vectors"),
    "an odd row": (lambda a: {"kind": a["kind"] + np.uint8(9)}, "unknown kind"),
    "pickled": (lambda a: {"vectors": np.array([None, None])}, "not an array that"),
    "not of unit length": (lambda a: {"vectors": a["vectors"] * 2}, "not of unit length"),
    "a column gone": (lambda a: {"key": None}, "key"),
}


@pytest.mark.parametrize(("change", "message"), OLDER.values(), ids=OLDER)
def test_an_earlier_release_s_segment_is_checked_without_a_checksum(
    tmp_path: Path, change: Callable[[Arrays], Arrays], message: str
) -> None:
    storage = FileStorage(tmp_path)
    name = write_segment(storage, MODEL, segment(photo("a", "1"), photo("b", "1")))
    arrays = {k: v for k, v in _stored(storage, name).items() if k not in ("model", "id", "sha256")}
    _store(storage, name, arrays)
    assert len(read_segment(storage, MODEL, name).rows) == 2
    changed = {k: v for k, v in {**arrays, **change(arrays)}.items() if v is not None}
    out = BytesIO()
    np.savez(out, allow_pickle=True, **changed)
    storage.write(segment_key(MODEL, name), out.getvalue())
    with pytest.raises(DamagedError, match=message) as raised:
        read_segment(storage, MODEL, name)
    assert raised.value.key == segment_key(MODEL, name)


def test_a_segment_of_a_newer_release_is_not_taken_for_damaged(tmp_path: Path) -> None:
    storage = FileStorage(tmp_path)
    name = write_segment(storage, MODEL, segment(photo("a", "1")))
    arrays = {k: v for k, v in _stored(storage, name).items() if k != "sha256"}
    _store(storage, name, {**arrays, "format": np.array(9)})
    with pytest.raises(ArtifactError, match="install the newer release") as raised:
        read_segment(storage, MODEL, name)
    assert not isinstance(raised.value, DamagedError)


def test_only_what_waits_is_written_in_a_format_that_earlier_releases_refuse(
    tmp_path: Path,
) -> None:
    storage = FileStorage(tmp_path)
    waiting = Row("a", Version("1"), Kind.WAITING, 1.0, reason="locked")
    assert holds_waiting(storage, NOW) is False
    announce_format(storage, NOW * 2)  # in new artifacts
    assert holds_waiting(storage, NOW) is True
    formats = [
        int(_stored(storage, write_segment(storage, MODEL, segment(row)))["format"])
        for row in (photo("a", "1"), waiting)
    ]
    assert formats == [1, 2]
    old = FileStorage(tmp_path / "old")
    make_live(old)
    announce_format(old, NOW * 2)
    assert holds_waiting(old, NOW) is False


def _unit(*lengths: float) -> Any:
    vectors = np.zeros((len(lengths), DIM), np.float32)
    vectors[np.arange(len(lengths)), np.arange(len(lengths))] = lengths
    return vectors


def test_vectors_are_of_unit_length_or_zero() -> None:
    check_vectors(_unit(1.0, 1.009, 0.991, 0.0))
    check_vectors(_unit(1.0), DIM)
    check_vectors(np.empty((0, DIM), np.float32))
    for length in (1.011, 0.989, 0.5, 2.0):
        with pytest.raises(ValueError, match="not of unit length"):
            check_vectors(_unit(1.0, length))
    for value in (np.nan, np.inf):
        with pytest.raises(ValueError, match="not finite"):
            check_vectors(_unit(1.0, value))


@pytest.mark.parametrize(
    ("vectors", "dim"),
    [
        (np.eye(DIM, dtype=np.float64), None),
        (np.ones(DIM, np.float32) / np.sqrt(DIM).astype(np.float32), None),
        (np.eye(DIM, dtype=np.float32)[None], None),
        (np.eye(DIM, dtype=np.float32), DIM + 1),
    ],
    ids=["another kind", "one dimension", "three", "another dimension"],
)
def test_what_is_no_list_of_vectors_is_refused(vectors: Any, dim: int | None) -> None:
    with pytest.raises(ValueError, match="vectors float"):
        check_vectors(vectors, dim)


def test_vectors_of_rows_are_two_dimensional() -> None:
    rows = Rows.of([photo("a", "1")])
    for vectors in (np.zeros(1, np.float32), np.zeros((1, 1, 1), np.float32)):
        with pytest.raises(ArtifactError, match="1 photo rows"):
            Segment(rows, vectors)


def test_segments_of_one_dimension_are_concatenated() -> None:
    one, other = segment(photo("a", "1")), segment(gone("b", "1"), photo("c", "1"))
    both = concatenate([one, other])
    assert [both.rows[i].key for i in range(3)] == ["a", "b", "c"]
    np.testing.assert_array_equal(both.vectors, np.concatenate([one.vectors, other.vectors]))
    short = Segment(Rows.of([photo("d", "1")]), np.eye(1, 5, dtype=np.float32))
    with pytest.raises(ArtifactError, match=rf"vectors of \[5, {DIM}\] numbers: run `lens repair`"):
        concatenate([one, short])


def test_a_row_that_is_taken_twice_has_its_vector_twice() -> None:
    taken = take(segment(gone("b", "1"), photo("a", "1"), photo("c", "1")), np.array([1, 0, 1]))
    assert [taken.rows[i].key for i in range(3)] == ["a", "b", "a"]
    np.testing.assert_array_equal(taken.vectors, [vector("a 1"), vector("a 1")])


def test_a_segment_of_the_release_before_triggers_tells_none(tmp_path: Path) -> None:
    storage = FileStorage(tmp_path)
    name = write_segment(storage, MODEL, segment(photo("a", "1")))
    later = {"triggers", "triggered_at", "model", "id", "sha256"}
    _store(storage, name, {k: v for k, v in _stored(storage, name).items() if k not in later})
    assert read_segment(storage, MODEL, name).triggers == ()
