"""What `lens.storage` promises, tried on a folder, on S3 (moto) and on S3 with a prefix.

Covers: contract, folder, s3.
"""

from __future__ import annotations

import dataclasses
import random
import time
from pathlib import Path

import pytest

from lens.errors import ConflictError, NotFoundError, UsageError
from lens.storage import ObjectInfo, Storage, open_storage, write_once
from tests.lens.storage.helpers import keys, put, race
from tests.support.s3_bucket import BUCKET


def increment(storage: Storage, key: str) -> None:
    """Add one to the number that an object holds, however many others do so too."""
    while True:
        data, info = storage.read(key)
        try:
            storage.write(key, b"%d" % (int(data) + 1), if_match=info.etag)
        except ConflictError:
            continue
        return


def test_what_was_written_is_read_back_with_its_info(storage: Storage) -> None:
    before = time.time()
    written = storage.write("a/b c+ü%41.jpg", b"abc")
    data, info = storage.read("a/b c+ü%41.jpg")
    assert data == b"abc"
    assert info == storage.head("a/b c+ü%41.jpg")
    assert [info] == list(storage.list())
    assert (info.key, info.size) == ("a/b c+ü%41.jpg", 3)
    assert (written.key, written.etag, written.size) == (info.key, info.etag, info.size)
    assert before - 2 <= info.modified <= time.time() + 2
    assert abs(written.modified - info.modified) <= 2
    assert '"' not in info.etag


def test_an_empty_object_is_an_object(storage: Storage) -> None:
    storage.write("empty", b"")
    data, info = storage.read("empty")
    assert (data, info.size) == (b"", 0)


def test_a_large_object_survives_the_round_trip(storage: Storage, tmp_path: Path) -> None:
    data = random.Random(0).randbytes((3 << 20) + 7)
    storage.write("large", data)
    assert storage.read("large")[0] == data
    storage.fetch("large", tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == data


def test_reading_what_is_not_there_raises_not_found(storage: Storage, tmp_path: Path) -> None:
    storage.write("a/b", b"")
    for key in ("missing", "a", "a/b/c", "a/missing", "x" * 500):
        assert storage.head(key) is None
        with pytest.raises(NotFoundError, match="there is no object"):
            storage.read(key)
        with pytest.raises(NotFoundError, match="there is no object"):
            storage.fetch(key, tmp_path / "copy")
    assert [path.name for path in tmp_path.iterdir() if path.name != "root"] == []


def test_an_empty_storage_lists_nothing(storage: Storage) -> None:
    assert keys(storage) == keys(storage, "a/") == []


def test_a_write_replaces_the_whole_object(storage: Storage) -> None:
    first = storage.write("key", b"a long first version")
    second = storage.write("key", b"short")
    assert first.etag != second.etag
    assert storage.read("key")[0] == b"short"


def test_a_deleted_object_is_gone_and_may_be_deleted_again(storage: Storage) -> None:
    storage.write("a/b", b"1")
    storage.write("a/c", b"1")
    storage.delete("a/b")
    storage.delete("a/b")
    storage.delete("never/there")
    assert keys(storage) == ["a/c"]
    assert storage.head("a/b") is None


def test_a_write_if_absent_loses_to_an_existing_object(storage: Storage) -> None:
    storage.write("key", b"1", if_absent=True)
    with pytest.raises(ConflictError):
        storage.write("key", b"2", if_absent=True)
    assert storage.read("key")[0] == b"1"
    storage.delete("key")
    storage.write("key", b"3", if_absent=True)
    assert storage.read("key")[0] == b"3"


def test_a_write_if_match_loses_to_a_newer_version(storage: Storage) -> None:
    first = storage.write("key", b"1")
    second = storage.write("key", b"2", if_match=first.etag)
    with pytest.raises(ConflictError):
        storage.write("key", b"3", if_match=first.etag)
    assert storage.read("key") == (b"2", dataclasses.replace(second, modified=modified(storage)))


def modified(storage: Storage) -> float:
    info = storage.head("key")
    assert info is not None
    return info.modified


def test_a_write_if_match_loses_to_a_deletion(storage: Storage) -> None:
    etag = storage.write("key", b"1").etag
    storage.delete("key")
    with pytest.raises(ConflictError):
        storage.write("key", b"2", if_match=etag)
    assert storage.head("key") is None


def test_a_write_cannot_want_the_object_both_there_and_absent(storage: Storage) -> None:
    with pytest.raises(UsageError):
        storage.write("key", b"", if_match="etag", if_absent=True)


def test_a_listing_is_in_bytewise_key_order(storage: Storage) -> None:
    expected = [
        "Z",
        "a!",
        "a-b",
        "a/b",
        "a/b-c",
        "a/b0",
        "a/c/d",
        "a0",
        "é",
        "\uffff",
        "\U0001f457",
    ]
    for key in random.Random(1).sample(expected, len(expected)):
        storage.write(key, key.encode())
    assert keys(storage) == expected == sorted(expected, key=str.encode)


def test_a_listing_may_begin_behind_a_key(storage: Storage) -> None:
    for key in ("Z", "a-b", "a/b", "a/c", "a0", "é"):
        storage.write(key, b"")

    def behind(after: str, prefix: str = "") -> list[str]:
        return [info.key for info in storage.list(prefix, after)]

    assert behind("a-b") == ["a/b", "a/c", "a0", "é"]
    assert behind("a/") == ["a/b", "a/c", "a0", "é"], "the key need not be there"
    assert behind("a/b", "a/") == ["a/c"]
    assert behind("é") == []


def test_a_listing_agrees_with_a_naive_one_on_random_trees(storage: Storage) -> None:
    rng = random.Random(2)
    names = {"/".join(rng.choices("ab-0é", k=rng.randint(1, 4))) + ".x" for _ in range(60)}
    for name in names:
        storage.write(name, b"")
    for prefix in ["", *names, *(name[: rng.randint(0, 5)] for name in names)]:
        if not prefix.endswith("."):
            found = sorted((name for name in names if name.startswith(prefix)), key=str.encode)
            assert keys(storage, prefix) == found


def test_a_listing_of_a_prefix_need_not_end_at_a_folder(storage: Storage) -> None:
    for key in ("seg/1", "segments/1", "segments/2", "snap/1", "s"):
        storage.write(key, b"")
    assert keys(storage, "seg") == ["seg/1", "segments/1", "segments/2"]
    assert keys(storage, "segments/") == ["segments/1", "segments/2"]
    assert keys(storage, "segments/2") == ["segments/2"]
    assert keys(storage, "segments/2/") == []


def test_a_listing_goes_on_past_a_thousand_objects(s3: None, tmp_path: Path) -> None:
    for storage in (open_storage(tmp_path), open_storage(f"s3://{BUCKET}")):
        for number in range(1003):
            storage.write(f"{number:05}", b"")
        assert keys(storage) == [f"{number:05}" for number in range(1003)]


def test_a_fetched_file_appears_whole_and_replaces_what_was_there(
    storage: Storage, tmp_path: Path
) -> None:
    storage.write("key", b"new")
    target = put(tmp_path / "deep" / "copy", b"an older, longer copy")
    info = storage.fetch("key", target)
    assert target.read_bytes() == b"new"
    assert info == storage.head("key")
    assert [path.name for path in target.parent.iterdir()] == ["copy"]
    storage.fetch("key", tmp_path / "not" / "yet" / "there")
    assert (tmp_path / "not" / "yet" / "there").read_bytes() == b"new"


def test_a_key_that_is_no_path_within_the_storage_is_refused(
    storage: Storage, tmp_path: Path
) -> None:
    for key in [
        *("", ".", "..", "../x", "a/../../x", "a/..", "./a", "a/", "..\\x", "a\\..\\b"),
        *("a\0b", "\ud800"),
    ]:
        for act in (
            storage.read,
            storage.head,
            storage.delete,
            lambda key: storage.write(key, b""),
            lambda key: storage.fetch(key, tmp_path / "copy"),
        ):
            with pytest.raises(UsageError) as caught:
                act(key)
            assert "\n" not in str(caught.value)


def test_a_prefix_that_leads_out_of_the_storage_is_refused(storage: Storage) -> None:
    for prefix in ("../", "a/../b", "..\\x/"):
        with pytest.raises(UsageError):
            keys(storage, prefix)


def test_the_location_opens_the_same_storage_again(storage: Storage) -> None:
    storage.write("key", b"1")
    again = open_storage(storage.location)
    assert again.location == storage.location
    assert again.read("key")[0] == b"1"


def test_of_racing_creations_exactly_one_wins(storage: Storage) -> None:
    def create(number: int) -> bytes | None:
        try:
            storage.write(key, b"%d" % number, if_absent=True)
        except ConflictError:
            return None
        return b"%d" % number

    for key in ("first", "second", "third/one"):
        winners = [result for result in race(16, create) if result is not None]
        assert winners == [storage.read(key)[0]]


def test_no_update_is_lost_among_sixteen_threads(storage: Storage) -> None:
    storage.write("counter", b"0")

    def add(number: int) -> None:
        for _ in range(5):
            increment(storage, "counter")

    race(16, add)
    assert storage.read("counter")[0] == b"80"


def test_a_reader_never_sees_a_mix_of_versions(storage: Storage) -> None:
    sizes = [1, 20_000, 3]
    etags = {storage.write("key", b"x" * size).etag: size for size in sizes}

    def act(number: int) -> None:
        if number:
            seen.extend(storage.read("key") for _ in range(30))
        else:
            etags.update((storage.write("key", b"x" * size).etag, size) for size in sizes * 7)

    seen: list[tuple[bytes, ObjectInfo]] = []
    race(4, act)
    assert len(seen) == 90
    assert all(etags[info.etag] == len(data) == info.size for data, info in seen)


def test_many_are_deleted_at_once_those_that_are_not_there_too(storage: Storage) -> None:
    for key in ("a", "b c+ü", "d/e", "kept"):
        storage.write(key, b"x")
    storage.delete_many(key for key in ("a", "b c+ü", "d/e", "missing"))
    assert keys(storage) == ["kept"]
    storage.delete_many([])
    with pytest.raises(UsageError):
        storage.delete_many(["kept/"])
    assert keys(storage) == ["kept"]


def test_the_clock_is_the_one_that_modified_is_told_by(storage: Storage) -> None:
    written = storage.write("a", b"x")
    assert abs(storage.now() - written.modified) <= 2


def test_without_a_killed_writer_there_is_nothing_half_written(storage: Storage) -> None:
    storage.write("a", b"x")
    assert storage.remove_partial(storage.now() + 10) == 0
    assert keys(storage) == ["a"]


def test_a_name_is_used_once_though_its_writer_may_try_again(storage: Storage) -> None:
    for _ in range(2):
        write_once(storage, "a/name", b"1")
    with pytest.raises(ConflictError):
        write_once(storage, "a/name", b"2")
    assert storage.read("a/name")[0] == b"1"
