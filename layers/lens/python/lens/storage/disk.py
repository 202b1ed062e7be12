"""Disk: single local files, replaced whole, synced, locked, with unique times; explained errors."""

import errno
import fcntl
import os
import re
import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from lens.errors import StorageError, UnreadableError

# What the system answers for a path that no file has, or can have.
ABSENT = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG, errno.ENXIO})

_ADVICE = {
    errno.EACCES: "check its owner and mode",
    errno.EPERM: "check its owner and mode",
    errno.ENOSPC: "free some space (on AWS: raise search_disk or upkeep_disk)",
    errno.EDQUOT: "free some space",
    errno.EROFS: "choose a folder that can be written to",
    errno.EISDIR: "a folder has that name already: move it away, or choose another",
    errno.ENOTDIR: "a file is where a folder should be, choose another name",
    errno.EEXIST: "a file is where a folder should be, choose another name",
    errno.ENAMETOOLONG: "choose a shorter name",
    errno.EMFILE: "raise the limit of open files (ulimit -n)",
    errno.ENOLCK: "choose a folder on a local disk",
    errno.EOPNOTSUPP: "choose a folder on a local disk",
}

# What a file system answers where it cannot sync, or cannot sync a folder: some network mounts.
# What was written there is as safe as that file system makes it.
_NOT_SYNCED = frozenset(
    {errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EBADF, errno.EACCES, errno.EPERM}
)

# What ails one file, and says nothing of its neighbors.
_ONE_FILE = frozenset({errno.EACCES, errno.EPERM, errno.EIO, errno.EBUSY, errno.EUCLEAN})


@contextmanager
def explained(action: str, path: Path) -> Iterator[None]:
    """Turn an OSError into a StorageError that names the path and says what to do; UnreadableError
    where one file cannot be read."""
    try:
        yield
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        advice = _ADVICE.get(error.errno or 0, "check the disk and try again")
        message = f"cannot {action} {str(path)!r}: {reason.lower()}; {advice}"
        unreadable = action == "read" and error.errno in _ONE_FILE
        raise (UnreadableError if unreadable else StorageError)(message) from error


# The names of files that are being written.
_PART = re.compile(r"\.[0-9a-f]{32}\.part")


def hold(descriptor: int) -> None:
    """Show that this file is somebody's, as long as it is open here and the process lives."""
    with suppress(OSError):  # a disk without locks has no sign of life but the file's time
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def remove_part(path: Path, before: float) -> bool:
    """Remove a file that a killed writer left half written, if this is one, it was last written
    before this time (seconds since the epoch), and nobody holds it; whether it was removed."""
    if not _PART.fullmatch(path.name):
        return False
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        if os.fstat(descriptor).st_mtime >= before:
            return False
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        path.unlink(missing_ok=True)
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return True


@contextmanager
def replacing(path: Path, *, durable: bool = False) -> Iterator[BinaryIO]:
    """A new file that takes the place of `path`, whole, if the block ends well, or else is gone.

    A `durable` one is there, whole, after a power cut at any time after the block. Another may
    be missing then, empty or half.
    """
    with explained("write", path):
        _make_folder(path.parent)
        # Not derived from the name, which may already be as long as the disk allows.
        temporary = path.with_name(f".{uuid.uuid4().hex}.part")
        try:
            with temporary.open("xb") as sink:
                hold(sink.fileno())
                yield sink
                if durable:
                    # Before the rename, which could reach the disk before the content does.
                    sink.flush()
                    _sync(sink.fileno())
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        if durable:
            _sync_folder(path.parent)


def _make_folder(folder: Path) -> None:
    """Make a folder and those above it, if need be, so that they are there after a power cut."""
    made = []
    for each in (folder, *folder.parents):
        if each.is_dir():
            break
        made.append(each)
    folder.mkdir(parents=True, exist_ok=True)
    for each in made:
        _sync_folder(each.parent)


def sync_names(folders: Iterable[Path]) -> None:
    """Let what was removed from these folders be absent after a power cut, too; of a folder that is
    gone itself, the one above it tells."""
    for folder in {_nearest(each) for each in folders}:
        with explained("delete", folder), suppress(FileNotFoundError):  # removed just now
            _sync_folder(folder)


def _nearest(folder: Path) -> Path:
    """The folder, or the first above it that is there."""
    return next(each for each in (folder, *folder.parents) if each.is_dir())


def _sync_folder(folder: Path) -> None:
    """Let the names in a folder outlive a power cut."""
    try:
        descriptor = os.open(folder, os.O_DIRECTORY)  # to be read: O_RDONLY is 0
    except OSError as error:
        if error.errno not in _NOT_SYNCED:
            raise
        return
    try:
        _sync(descriptor)
    finally:
        os.close(descriptor)


def _sync(descriptor: int) -> None:
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _NOT_SYNCED:
            raise


@contextmanager
def locked(path: Path) -> Iterator[int]:
    """Hold the lock file at `path` against other threads and processes; yields its descriptor."""
    with explained("write", path):
        _make_folder(path.parent)
        descriptor = _lock(path)
    try:
        yield descriptor
    finally:
        # Closing is not enough: a child process forked meanwhile holds the descriptor too.
        fcntl.flock(descriptor, fcntl.LOCK_UN)
        os.close(descriptor)


def _lock(path: Path) -> int:
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if os.path.samestat(os.fstat(descriptor), path.stat()):
                return descriptor
        except FileNotFoundError:
            pass
        except BaseException:
            os.close(descriptor)
            raise
        # Someone removed the file while we waited: others lock its successor.
        os.close(descriptor)


def stamp(descriptor: int, lock: int, old: os.stat_result | None) -> os.stat_result:
    """Give an open file a modification time later than any given under this lock, and than `old`.

    The lock file's own modification time is the latest one given. An `old` file from the future
    does not move it, or every later write would be from the future too.
    """
    mark = os.fstat(lock).st_mtime_ns
    now = max(time.time_ns(), mark + 1)
    floor = mark if old is None else max(mark, old.st_mtime_ns)
    ahead = floor >= now
    wanted, step = max(now, floor + 1), 1
    os.utime(descriptor, ns=(wanted, wanted))
    # Some disks keep times to 10 ms or to 2 s only and round them down.
    while (status := os.fstat(descriptor)).st_mtime_ns <= floor and step < 10**11:
        step *= 10
        os.utime(descriptor, ns=(floor + step, floor + step))
    latest = now if ahead else status.st_mtime_ns
    os.utime(lock, ns=(latest, latest))
    return status
