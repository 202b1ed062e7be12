"""What every storage promises, tried on a folder and on S3 (moto), then what is theirs alone."""

import dataclasses
import errno
import hashlib
import io
import logging
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ResponseStreamingError
from botocore.response import StreamingBody
from botocore.stub import Stubber

import lens.aws
import lens.storage.s3
from lens.errors import ConflictError, NotFoundError, StorageError, UsageError
from lens.storage import FileStorage, ObjectInfo, Storage, open_storage
from lens.storage.disk import locked
from lens.storage.local import local_file, sha256_of
from lens.storage.s3 import S3Storage
from tests.support.s3_bucket import BUCKET, s3_bucket


@pytest.fixture(params=["file", "s3", "s3 with a prefix"])
def storage(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Storage]:
    if request.param == "file":
        yield open_storage(tmp_path / "root")
        return
    with s3_bucket(monkeypatch):
        prefix = "/some/pre fix+ü" if "prefix" in request.param else ""
        yield open_storage(f"s3://{BUCKET}{prefix}")


@pytest.fixture
def folder(tmp_path: Path) -> FileStorage:
    return FileStorage(tmp_path / "root")


def keys(storage: Storage, prefix: str = "") -> list[str]:
    return [info.key for info in storage.list(prefix)]


def put(path: Path, data: bytes = b"") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def race(runners: int, act: Callable[[int], Any]) -> list[Any]:
    """The results of as many threads, let go at the same moment."""
    start = threading.Barrier(runners)

    def run(number: int) -> Any:
        start.wait()
        return act(number)

    with ThreadPoolExecutor(runners) as pool:
        return list(pool.map(run, range(runners)))


def increment(storage: Storage, key: str) -> None:
    """Add one to the number that an object holds, however many others do so too."""
    while True:
        data, info = storage.read(key)
        try:
            storage.write(key, b"%d" % (int(data) + 1), if_match=info.etag)
        except ConflictError:
            continue
        return


# The contract


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


# A folder


COUNT_IN_A_PROCESS = """
import sys
from concurrent.futures import ThreadPoolExecutor
from lens.errors import ConflictError
from lens.storage import open_storage

storage = open_storage(sys.argv[1])

def increment(_):
    while True:
        data, info = storage.read("counter")
        try:
            return storage.write("counter", b"%d" % (int(data) + 1), if_match=info.etag)
        except ConflictError:
            pass

with ThreadPoolExecutor(4) as pool:
    etags = [info.etag for info in pool.map(increment, range(50))]
print(*etags)
assert "boto3" not in sys.modules
"""


def python(code: str, *arguments: str) -> subprocess.Popen[str]:
    source = str(Path(lens.storage.__file__).parents[2])
    environment = {**os.environ, "PYTHONPATH": source}
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)


def test_no_update_is_lost_among_processes_of_threads_and_no_etag_repeats(
    folder: FileStorage,
) -> None:
    folder.write("counter", b"0")
    processes = [python(COUNT_IN_A_PROCESS, folder.location) for _ in range(4)]
    outputs = [process.communicate(timeout=60)[0] for process in processes]
    assert [process.returncode for process in processes] == [0] * 4
    assert folder.read("counter")[0] == b"200"
    etags = " ".join(outputs).split()
    assert len(etags) == len(set(etags)) == 200


def test_an_etag_never_repeats_even_after_a_deletion(folder: FileStorage) -> None:
    etags = []
    for _ in range(200):
        etags.append(folder.write("key", b"1").etag)
        etags.append(folder.write("key", b"1").etag)
        folder.delete("key")
    assert len(set(etags)) == 400


def test_an_etag_never_repeats_when_the_clock_stands_still_or_goes_back(
    folder: FileStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    etags = []
    for now in (10**18, 10**18, 10**18 - 10**12, 0):
        monkeypatch.setattr(time, "time_ns", lambda now=now: now)
        etags.append(FileStorage(folder.root).write("key", b"1").etag)
        folder.delete("key")
    assert len(set(etags)) == 4


def test_an_etag_never_repeats_on_a_disk_that_keeps_whole_seconds(
    folder: FileStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    utime = os.utime

    def coarse_utime(target: int, ns: tuple[int, int]) -> None:
        utime(target, ns=(ns[0], ns[1] // 10**9 * 10**9))

    monkeypatch.setattr(os, "utime", coarse_utime)
    etags = []
    for _ in range(5):
        etags.append(folder.write("key", b"1").etag)
        etags.append(folder.write("key", b"1").etag)
        folder.delete("key")
    assert len(set(etags)) == 10


def test_a_file_from_the_future_is_replaced_by_a_later_one_and_spoils_no_other(
    folder: FileStorage,
) -> None:
    future = time.time_ns() + 10**15
    os.utime(put(folder.root / "key", b"1"), ns=(future, future))
    before = folder.head("key")
    after = folder.write("key", b"2")
    assert before is not None
    assert before.etag != after.etag
    assert folder.write("other", b"3").modified <= time.time() + 1


def test_reading_and_listing_write_nothing(folder: FileStorage) -> None:
    folder.head("a")
    keys(folder)
    folder.delete("a")
    assert not folder.root.exists()
    put(folder.root / "a" / "b.jpg", b"1")
    folder.read("a/b.jpg")
    keys(folder)
    folder.delete("missing")
    assert [path.name for path in folder.root.rglob("*")] == ["a", "b.jpg"]


def test_a_write_leaves_nothing_but_its_file_and_the_lock(folder: FileStorage) -> None:
    folder.write("a/b", b"1")
    with pytest.raises(ConflictError):
        folder.write("a/b", b"2", if_absent=True)
    assert sorted(path.name for path in folder.root.rglob("*")) == [".lock", "a", "b"]
    folder.delete("a/b")
    assert [path.name for path in folder.root.rglob("*")] == [".lock"]


def test_a_copy_that_keeps_its_times_keeps_its_etags(folder: FileStorage, tmp_path: Path) -> None:
    folder.write("a/b", b"1")
    subprocess.run(["cp", "-Rp", folder.root, tmp_path / "copy"], check=True)
    assert list(FileStorage(tmp_path / "copy").list()) == list(folder.list())


def test_a_file_written_in_place_changes_its_etag(folder: FileStorage) -> None:
    before = folder.write("key", b"1")
    put(folder.root / "key", b"2")
    data, info = folder.read("key")
    assert data == b"2"
    assert info.etag != before.etag


def test_names_with_a_leading_dot_are_no_objects(folder: FileStorage, tmp_path: Path) -> None:
    put(folder.root / ".hidden")
    put(folder.root / ".folder" / "x")
    put(folder.root / "a" / ".DS_Store")
    folder.write("a/b", b"")
    assert keys(folder) == keys(folder, "a") == ["a/b"]
    assert keys(folder, ".") == keys(folder, ".folder/") == []
    for key in (".hidden", ".folder/x", "a/.DS_Store", ".lock"):
        assert folder.head(key) is None
        with pytest.raises(NotFoundError):
            folder.read(key)
        with pytest.raises(UsageError):
            folder.write(key, b"")
        folder.delete(key)
    assert (folder.root / ".lock").exists()


def test_an_absolute_key_is_refused(folder: FileStorage, tmp_path: Path) -> None:
    for key in ("/etc/hostname", "//x", "a//b"):
        with pytest.raises(UsageError):
            folder.read(key)
        with pytest.raises(UsageError):
            folder.write(key, b"")
    with pytest.raises(UsageError):
        keys(folder, "/")


def test_links_are_read_through_but_not_written_out_through(
    folder: FileStorage, tmp_path: Path
) -> None:
    put(tmp_path / "elsewhere" / "photo.jpg", b"1")
    put(folder.root / "own" / "x", b"2")
    (folder.root / "out").symlink_to(tmp_path / "elsewhere")
    (folder.root / "photo").symlink_to(tmp_path / "elsewhere" / "photo.jpg")
    (folder.root / "inside").symlink_to("own")
    assert keys(folder) == ["inside/x", "out/photo.jpg", "own/x", "photo"]
    assert folder.read("out/photo.jpg")[0] == folder.read("photo")[0] == b"1"
    for act in (
        lambda: folder.write("out/photo.jpg", b"3"),
        lambda: folder.write("out/new/photo.jpg", b"3"),
        lambda: folder.delete("out/photo.jpg"),
    ):
        with pytest.raises(UsageError, match="link"):
            act()
    folder.write("photo", b"4")
    folder.write("inside/x", b"5")
    assert (tmp_path / "elsewhere" / "photo.jpg").read_bytes() == b"1"
    assert (folder.root / "own" / "x").read_bytes() == b"5"
    assert [path.name for path in (tmp_path / "elsewhere").iterdir()] == ["photo.jpg"]


def test_a_root_that_is_a_link_works_like_any_other(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    storage = open_storage(tmp_path / "link")
    storage.write("a/b", b"1")
    storage.delete("a/b")
    assert (tmp_path / "real").is_dir()
    assert storage.location.endswith("/link")


def test_circles_of_links_end(folder: FileStorage) -> None:
    put(folder.root / "a" / "x")
    put(folder.root / "b" / "y")
    (folder.root / "a" / "root").symlink_to(folder.root)
    (folder.root / "a" / "b").symlink_to(folder.root / "b")
    (folder.root / "b" / "a").symlink_to(folder.root / "a")
    (folder.root / "self").symlink_to("self")
    (folder.root / "nowhere").symlink_to("missing")
    assert keys(folder) == ["a/b/y", "a/x", "b/a/x", "b/y"]
    assert keys(folder, "a/root/") == []
    assert folder.head("self") is None
    assert folder.head("nowhere") is None


def test_pipes_and_folders_are_no_objects(folder: FileStorage) -> None:
    (folder.root / "folder").mkdir(parents=True)
    os.mkfifo(folder.root / "pipe")
    assert keys(folder) == []
    for key in ("folder", "pipe"):
        assert folder.head(key) is None
        with pytest.raises(NotFoundError):
            folder.read(key)


def test_names_that_are_not_text_are_left_out_of_a_listing_and_logged(
    folder: FileStorage, caplog: pytest.LogCaptureFixture
) -> None:
    put(folder.root / "good")
    try:
        put(folder.root / os.fsdecode(b"bad\xff.jpg"))
    except OSError:
        pytest.skip("this disk keeps only names that are text")
    with caplog.at_level(logging.WARNING):
        assert keys(folder) == ["good"]
    assert "rename it" in caplog.text


def test_decomposed_and_composed_names_are_left_as_they_are(folder: FileStorage) -> None:
    put(folder.root / "cafe\u0301")
    assert keys(folder) == ["cafe\u0301"]


def test_files_that_vanish_during_a_listing_are_left_out(folder: FileStorage) -> None:
    for name in "abc":
        put(folder.root / name / "x")
    listing = folder.list()
    assert next(listing).key == "a/x"
    folder.delete("b/x")
    assert [info.key for info in listing] == ["c/x"]


def test_a_folder_that_cannot_be_read_stops_the_listing(
    folder: FileStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(folder.root / "a" / "x")
    put(folder.root / "b" / "x")
    scandir = os.scandir

    def denied(path: Path) -> Any:
        if path.name == "b":
            raise PermissionError(errno.EACCES, "denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", denied)
    with pytest.raises(StorageError, match=r"cannot list '.*/b'.*check its owner and mode"):
        keys(folder)


def test_a_root_that_is_a_file_cannot_be_listed(tmp_path: Path) -> None:
    storage = open_storage(put(tmp_path / "file"))
    with pytest.raises(StorageError, match="not a folder"):
        keys(storage)
    with pytest.raises(StorageError, match="a file is where a folder should be"):
        storage.write("a", b"")


def test_a_name_in_the_way_is_explained_and_leaves_no_trace(folder: FileStorage) -> None:
    folder.write("a/b", b"1")
    with pytest.raises(StorageError, match=r"cannot write '.*/a'.*a folder has that name"):
        folder.write("a", b"2")
    with pytest.raises(StorageError, match=r"cannot write '.*/a/b/c'.*a file is where a folder"):
        folder.write("a/b/c", b"2")
    assert sorted(path.name for path in folder.root.rglob("*")) == [".lock", "a", "b"]


def test_a_full_disk_is_explained_and_leaves_the_old_version(
    folder: FileStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.write("key", b"1")

    def full(self: Path, target: Path) -> None:
        raise OSError(errno.ENOSPC, "full")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", full)
        with pytest.raises(StorageError, match=r"cannot write '.*/key'.*free some space"):
            folder.write("key", b"2")
    assert folder.read("key")[0] == b"1"
    assert sorted(path.name for path in folder.root.iterdir()) == [".lock", "key"]


def test_a_file_that_is_done_growing_in_time_is_read_whole(folder: FileStorage) -> None:
    path = put(folder.root / "key", b"x" * 100)
    stop = time.monotonic() + 0.2

    def act(number: int) -> tuple[bytes, ObjectInfo] | None:
        if number:
            return folder.read("key")
        with path.open("ab", buffering=0) as file:
            while time.monotonic() < stop:
                file.write(b"x" * 100_000)
        return None

    data, info = race(2, act)[1]
    assert len(data) == info.size


def test_a_file_that_never_holds_still_is_not_passed_off_as_whole(
    folder: FileStorage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = put(folder.root / "key", b"x")
    fstat = os.fstat

    def growing(descriptor: int) -> os.stat_result:
        put(path, b"x" * (path.stat().st_size + 1))
        return fstat(descriptor)

    monkeypatch.setattr(os, "fstat", growing)
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    with pytest.raises(StorageError, match="is being written to"):
        folder.read("key")
    with pytest.raises(StorageError, match="is being written to"):
        folder.fetch("key", tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


def test_a_lock_file_that_is_removed_is_made_again_and_excludes_those_who_waited(
    folder: FileStorage,
) -> None:
    lock, entered = folder.root / ".lock", threading.Event()

    def wait() -> None:
        with locked(lock):
            entered.set()

    waiting = threading.Thread(target=wait)
    with ExitStack() as first, ExitStack() as second:
        first.enter_context(locked(lock))
        waiting.start()
        time.sleep(0.1)
        lock.unlink()
        second.enter_context(locked(lock))
        first.close()
        time.sleep(0.1)
        assert not entered.is_set()
    waiting.join(10)
    assert entered.is_set()


# S3


def client_of(storage: Storage) -> Any:
    assert isinstance(storage, S3Storage)
    return storage._client


def test_a_prefix_keeps_to_its_own_keys(s3: None) -> None:
    whole, part = open_storage(f"s3://{BUCKET}"), open_storage(f"s3://{BUCKET}/cat/")
    whole.write("cat.jpg", b"")
    whole.write("catalog/1", b"")
    part.write("1", b"")
    assert keys(part) == ["1"]
    assert keys(whole) == ["cat.jpg", "cat/1", "catalog/1"]
    part.delete("1")
    assert keys(whole) == ["cat.jpg", "catalog/1"]


def test_folder_markers_are_left_out_and_odd_keys_are_not(s3: None) -> None:
    storage = open_storage(f"s3://{BUCKET}/cat")
    for key in ("cat/", "cat/a/", "cat/a/../b", "cat/a//b", "cat//a", "cat/.c", "cat/d\\e"):
        client_of(storage).put_object(Bucket=BUCKET, Key=key, Body=b"1")
    assert keys(storage) == [".c", "/a", "a//b", "d\\e"]
    for key in keys(storage):
        assert storage.read(key)[0] == b"1"


def test_the_headers_a_browser_needs_are_kept(s3: None) -> None:
    storage = open_storage(f"s3://{BUCKET}")
    storage.write("a.jpg", b"1", content_type="image/jpeg", cache_control="max-age=1")
    reply = client_of(storage).head_object(Bucket=BUCKET, Key="a.jpg")
    assert (reply["ContentType"], reply["CacheControl"]) == ("image/jpeg", "max-age=1")


def test_conditions_travel_in_the_request_and_every_refusal_is_a_conflict(s3: None) -> None:
    storage = open_storage(f"s3://{BUCKET}")
    wanted = {"Bucket": BUCKET, "Key": "key", "Body": b""}
    with Stubber(client_of(storage)) as stub:
        for code, status, condition, keywords in (
            ("PreconditionFailed", 412, {"IfMatch": '"e"'}, {"if_match": "e"}),
            ("ConditionalRequestConflict", 409, {"IfMatch": '"e"'}, {"if_match": "e"}),
            ("NoSuchKey", 404, {"IfMatch": '"e"'}, {"if_match": "e"}),
            ("PreconditionFailed", 412, {"IfNoneMatch": "*"}, {"if_absent": True}),
            ("ConditionalRequestConflict", 409, {"IfNoneMatch": "*"}, {"if_absent": True}),
        ):
            stub.add_client_error(
                "put_object",
                service_error_code=code,
                http_status_code=status,
                expected_params={**wanted, **condition},
            )
            with pytest.raises(ConflictError):
                storage.write("key", b"", **keywords)


@pytest.mark.parametrize(
    ("code", "status", "says"),
    [
        ("AccessDenied", 403, r"denied; grant s3:GetObject, and s3:ListBucket"),
        ("403", 403, r"denied; grant s3:GetObject"),
        ("ExpiredToken", 400, r"log in to AWS"),
        ("SlowDown", 503, r"SlowDown \(503\).*try again later"),
        ("Odd", 418, r"Odd \(418\) on two lines"),
    ],
)
def test_what_s3_refuses_is_explained_in_one_line(
    s3: None, code: str, status: int, says: str
) -> None:
    storage = open_storage(f"s3://{BUCKET}/p")
    with Stubber(client_of(storage)) as stub:
        stub.add_client_error("get_object", code, "on two\n lines.", status)
        with pytest.raises(StorageError, match=says) as caught:
            storage.read("key")
    assert f"cannot read s3://{BUCKET}/p/key" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_bucket_is_no_missing_object(s3: None) -> None:
    storage = open_storage("s3://no-such-bucket")
    for act in (
        lambda: storage.read("key"),
        lambda: storage.write("key", b""),
        lambda: storage.write("key", b"", if_match="etag"),
        lambda: storage.delete("key"),
        lambda: keys(storage),
    ):
        with pytest.raises(StorageError, match=r"no-such-bucket.*check the bucket's name"):
            act()


def test_missing_credentials_are_explained(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    with pytest.raises(StorageError, match="log in to AWS"):
        open_storage(f"s3://{BUCKET}").read("key")
    monkeypatch.setenv("AWS_PROFILE", "missing")
    with pytest.raises(StorageError, match="AWS_PROFILE"):
        open_storage(f"s3://{BUCKET}").read("key")


class BrokenOff(io.BytesIO):
    """A reply of which only the beginning arrives."""


def body(data: bytes, length: int) -> StreamingBody:
    return StreamingBody(BrokenOff(data), length)


def test_a_reply_that_breaks_off_is_asked_for_again(s3: None, tmp_path: Path) -> None:
    storage = open_storage(f"s3://{BUCKET}")
    info = storage.write("key", b"whole")
    reply = {"ETag": f'"{info.etag}"', "LastModified": datetime.now(UTC)}
    whole, half = (
        {**reply, "ContentLength": 5, "Body": body(data, 5)} for data in (b"whole", b"wh")
    )
    with Stubber(client_of(storage)) as stub:
        stub.add_response("get_object", half)
        stub.add_response("get_object", whole)
        assert storage.read("key")[0] == b"whole"
    with Stubber(client_of(storage)) as stub:
        for _ in range(3):
            stub.add_response("get_object", {**reply, "ContentLength": 5, "Body": body(b"wh", 5)})
        with pytest.raises(StorageError, match="check the network"):
            storage.fetch("key", tmp_path / "copy")
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> int:
    """The size of parts, small enough for moto to serve many."""
    monkeypatch.setattr(lens.storage.s3, "_PART", 1000)
    monkeypatch.setattr(lens.storage.s3, "_CHUNK", 300)
    return 1000


@pytest.mark.parametrize("size", [0, 1, 999, 1000, 1001, 1999, 2000, 2001, 37_123])
def test_an_object_read_in_parts_is_the_object(
    s3: None, small_parts: int, tmp_path: Path, size: int
) -> None:
    storage = open_storage(f"s3://{BUCKET}/p")
    data = random.Random(size).randbytes(size)
    written = storage.write("key", data)
    found, info = storage.read("key")
    assert (found, info.etag, info.size) == (data, written.etag, size)
    assert storage.fetch("key", tmp_path / "copy") == info
    assert (tmp_path / "copy").read_bytes() == data


class Meddler:
    """Does something before the second ranged request of a client; counts them all."""

    def __init__(self, storage: Storage, act: Callable[[], object]) -> None:
        self.asked: list[str] = []
        self.lock = threading.Lock()
        self.act = act
        client_of(storage).meta.events.register("before-send.s3.GetObject", self)

    def __call__(self, request: Any, **_: Any) -> None:
        with self.lock:
            self.asked.append(request.headers["Range"].decode())
            if len(self.asked) == 2:
                self.act()


def test_an_object_replaced_while_it_is_read_in_parts_is_read_anew_and_never_mixed(
    s3: None, small_parts: int
) -> None:
    storage, other = open_storage(f"s3://{BUCKET}"), open_storage(f"s3://{BUCKET}")
    storage.write("key", b"a" * 5_500)
    meddler = Meddler(storage, lambda: other.write("key", b"b" * 5_500))
    data, info = storage.read("key")
    assert data == b"b" * 5_500
    assert info == storage.head("key")
    assert meddler.asked.count("bytes=0-999") == 2


def test_an_object_deleted_while_it_is_read_in_parts_is_not_there(
    s3: None, small_parts: int, tmp_path: Path
) -> None:
    storage, other = open_storage(f"s3://{BUCKET}"), open_storage(f"s3://{BUCKET}")
    storage.write("key", b"a" * 5_500)
    Meddler(storage, lambda: other.delete("key"))
    with pytest.raises(NotFoundError):
        storage.fetch("key", tmp_path / "copy")
    assert list(tmp_path.iterdir()) == []


def test_parts_of_two_versions_are_told_apart_where_if_match_is_not_heeded(
    s3: None, small_parts: int
) -> None:
    storage, other = open_storage(f"s3://{BUCKET}"), open_storage(f"s3://{BUCKET}")
    storage.write("key", b"a" * 5_500)

    def forget(params: dict[str, Any], **_: Any) -> None:
        params["headers"].pop("If-Match", None)

    client_of(storage).meta.events.register("before-call.s3.GetObject", forget)
    Meddler(storage, lambda: other.write("key", b"b" * 7_500))
    assert storage.read("key")[0] == b"b" * 7_500


def test_an_object_that_is_replaced_again_and_again_is_not_passed_off_as_whole(
    s3: None, small_parts: int
) -> None:
    storage, other = open_storage(f"s3://{BUCKET}"), open_storage(f"s3://{BUCKET}")
    storage.write("key", b"0" * 1_500)
    meddler = Meddler(storage, lambda: None)

    def replace(params: dict[str, Any], **_: Any) -> None:
        if params["headers"]["Range"] != "bytes=0-999":
            other.write("key", b"%d" % len(meddler.asked) * 1_500)

    client_of(storage).meta.events.register("before-call.s3.GetObject", replace)
    with pytest.raises(StorageError, match="is being replaced: try again"):
        storage.read("key")


def test_a_server_that_knows_no_parts_is_read_whole(s3: None, small_parts: int) -> None:
    storage = open_storage(f"s3://{BUCKET}")
    storage.write("key", b"a" * 5_500)

    def forget(params: dict[str, Any], **_: Any) -> None:
        params["headers"].pop("Range", None)

    client_of(storage).meta.events.register("before-call.s3.GetObject", forget)
    assert storage.read("key")[0] == b"a" * 5_500


def test_a_part_that_breaks_off_is_asked_for_again(
    s3: None, small_parts: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = open_storage(f"s3://{BUCKET}")
    data = random.Random(0).randbytes(5_500)
    storage.write("key", data)
    whole = StreamingBody.iter_chunks
    broken: list[bytes] = []

    def break_off(self: StreamingBody, size: int) -> Iterator[bytes]:
        for number, chunk in enumerate(whole(self, size)):
            if number == 2 and not broken:
                broken.append(chunk)
                raise ResponseStreamingError(error="the connection broke off")
            yield chunk

    monkeypatch.setattr(StreamingBody, "iter_chunks", break_off)
    assert storage.read("key")[0] == data
    assert broken


def test_a_storage_that_is_only_opened_makes_no_client(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lens.aws, "client", lambda service: pytest.fail("it was made"))
    assert open_storage(f"s3://{BUCKET}/p").location == f"s3://{BUCKET}/p/"


# Files of this machine


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


# Locations


def test_a_location_is_normalized(
    s3: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/someone")
    here = tmp_path.as_uri()
    locations: dict[str | Path, str] = {
        "photos": f"{here}/photos",
        "./photos/../other/": f"{here}/other",
        Path("photos"): f"{here}/photos",
        "/a b/100%": "file:///a%20b/100%25",
        "file:///a%20b/100%25": "file:///a%20b/100%25",
        "FILE://localhost/x/": "file:///x",
        "~/photos": "file:///home/someone/photos",
        "odd:name": f"{here}/odd%3Aname",
        "s3://bucket": "s3://bucket/",
        "S3://bucket//a/b//": "s3://bucket/a/b/",
    }
    for location, expected in locations.items():
        assert open_storage(location).location == expected
        assert open_storage(expected).location == expected
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "location",
    [
        *("", "a\0b", "file:///a%00b", "file://host/x", "file:x", "s3://", "s3:///x", "s3:bucket"),
        *("s3://bu cket/x", "gs://bucket", "https://example.com/x", Path("s3://bucket/x")),
    ],
)
def test_any_other_location_is_refused_in_one_line(location: str | Path) -> None:
    with pytest.raises(UsageError, match="is not a location: give a folder") as caught:
        open_storage(location)
    assert "\n" not in str(caught.value)


def test_without_boto3_folders_work_and_s3_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("lens.aws", "lens.storage.s3"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.delattr(lens, "aws", raising=False)
    for name in ("botocore", "botocore.session"):
        monkeypatch.setitem(sys.modules, name, None)
    open_storage(tmp_path).write("key", b"1")
    with pytest.raises(StorageError, match=r"pip install 'image-lens\[aws\]'"):
        open_storage("s3://bucket")
