"""What a folder does beyond the contract: `lens.storage.folder` and `lens.storage.disk`.

Covers: disk.
"""

from __future__ import annotations

import errno
import logging
import os
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

import lens.storage
from lens.errors import ConflictError, NotFoundError, StorageError, UnreadableError, UsageError
from lens.storage import FileStorage, ObjectInfo, open_storage
from lens.storage.disk import explained, locked
from tests.lens.storage.helpers import keys, put, race

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
    assert [info.key for info in folder.readable()] == ["a/x"], "a catalog's costs itself alone"


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


def test_an_empty_folder_in_the_way_is_nothing(folder: FileStorage) -> None:
    for name in ("a", "b/c"):
        (folder.root / name).mkdir(parents=True)
        assert folder.head(name) is None
        folder.write(name, b"1", if_absent=True)
        assert folder.read(name)[0] == b"1"


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


HOLD = """
import sys
from pathlib import Path
from lens.storage.disk import replacing

with replacing(Path(sys.argv[1])) as sink:
    sink.write(b"half")
    sink.flush()
    print("writing", flush=True)
    sys.stdin.read()
"""


def test_what_a_killed_writer_left_goes_after_its_time_and_a_live_ones_stays(
    folder: FileStorage,
) -> None:
    folder.write("a/b", b"x")
    source = str(Path(lens.storage.__file__).parents[2])
    command = [sys.executable, "-c", HOLD, str(folder.root / "a/c")]
    with subprocess.Popen(
        command,
        env={**os.environ, "PYTHONPATH": source},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "writing\n"
        later = folder.now() + 60
        (part,) = (folder.root / "a").glob(".*.part")
        assert folder.remove_partial(later) == 0
        assert part.exists()
        writer.kill()
    assert part.exists()
    assert folder.remove_partial(part.stat().st_mtime) == 0
    assert folder.remove_partial(later) == 1
    assert not part.exists()
    assert keys(folder) == ["a/b"]


def test_only_names_of_half_written_files_are_removed(folder: FileStorage, tmp_path: Path) -> None:
    folder.write("a/b", b"x")
    others = [f".{'g' * 32}.part", f"{'0' * 32}.part", ".hidden", f".{'0' * 32}.part~"]
    for name in others:
        (folder.root / name).write_bytes(b"x")
    outside = tmp_path / "outside"
    outside.mkdir()
    elsewhere = outside / f".{'0' * 32}.part"
    elsewhere.write_bytes(b"x")
    (folder.root / "linked").symlink_to(outside)
    (folder.root / f".{'1' * 32}.part").symlink_to(elsewhere)
    assert folder.remove_partial(folder.now() + 60) == 0
    assert elsewhere.exists()
    assert all((folder.root / name).exists() for name in others)


def test_what_is_written_is_synced_with_its_new_folders_before_it_is_told(
    folder: FileStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[Path] = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: synced.append(_path_of(descriptor, folder)))
    folder.write("a/b/key", b"1")
    root = folder.root
    assert synced[0] == root.parent
    assert set(synced[1:3]) == {root, root / "a"}
    assert synced[3].suffix == ".part"
    assert synced[4:] == [root / "a/b"]
    synced.clear()
    folder.write("a/b/thumb", b"1", durable=False)
    assert synced == []


def _path_of(descriptor: int, folder: FileStorage) -> Path:
    status = os.fstat(descriptor)
    paths = (folder.root.parent, folder.root, *folder.root.rglob("*"))
    return next(path for path in paths if os.path.samestat(path.stat(), status))


@pytest.mark.parametrize("reason", [errno.EINVAL, errno.EOPNOTSUPP, errno.EACCES])
def test_a_disk_that_cannot_sync_is_written_to(
    folder: FileStorage, monkeypatch: pytest.MonkeyPatch, reason: int
) -> None:
    def refuse(descriptor: int) -> None:
        raise OSError(reason, os.strerror(reason))

    monkeypatch.setattr(os, "fsync", refuse)
    folder.write("a/key", b"1")
    assert folder.read("a/key")[0] == b"1"
    folder.delete("a/key")
    assert folder.head("a/key") is None


def test_a_folder_that_may_not_be_opened_is_written_to(
    folder: FileStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.open

    def refuse(path: Any, flags: int, *rest: int) -> int:
        if flags & os.O_DIRECTORY:
            raise PermissionError(errno.EACCES, "denied")
        return real(path, flags, *rest)

    monkeypatch.setattr(os, "open", refuse)
    folder.write("a/key", b"1")
    assert folder.read("a/key")[0] == b"1"


@pytest.mark.parametrize("reason", [errno.EIO, errno.ENOSPC])
def test_a_sync_that_fails_takes_nothing_for_written(
    folder: FileStorage, monkeypatch: pytest.MonkeyPatch, reason: int
) -> None:
    folder.write("key", b"old")

    def fail(descriptor: int) -> None:
        raise OSError(reason, os.strerror(reason))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(StorageError, match="cannot write"):
        folder.write("key", b"new")
    assert folder.read("key")[0] == b"old"
    assert [path.name for path in folder.root.iterdir() if path.suffix == ".part"] == []


def test_a_removal_that_may_not_last_is_not_told_as_done(
    folder: FileStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key in ("a/1", "a/2"):
        folder.write(key, b"1")

    def fail(descriptor: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(StorageError, match="cannot delete"):
        folder.delete("a/1")
    with pytest.raises(StorageError, match="cannot delete"):
        folder.delete_many(["a/2"])


def test_what_is_removed_is_synced_though_the_next_key_is_refused(
    folder: FileStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key in ("a/1", "a/2"):
        folder.write(key, b"1")
    synced: list[Path] = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: synced.append(_path_of(descriptor, folder)))
    with pytest.raises(UsageError):
        folder.delete_many(["a/1", "/absolute"])
    assert synced == [folder.root / "a"]
    folder.delete("a/1")  # it is gone already
    assert synced == [folder.root / "a"]


@pytest.mark.parametrize(
    ("action", "reason", "is_the_files"),
    [("read", errno.EIO, True), ("read", errno.EMFILE, False), ("write", errno.EIO, False)],
)
def test_what_ails_one_file_is_told_from_what_ails_the_disk(
    tmp_path: Path, action: str, reason: int, is_the_files: bool
) -> None:
    with pytest.raises(StorageError) as raised, explained(action, tmp_path):
        raise OSError(reason, os.strerror(reason))
    assert isinstance(raised.value, UnreadableError) == is_the_files
