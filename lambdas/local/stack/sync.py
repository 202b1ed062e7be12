"""Synchronization: uploads a folder's photos into a catalog in S3, only those not there yet."""

from __future__ import annotations

import hashlib
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass

from lambdas.local.stack.removals import forget_removals, note_removal, removed_since
from lens.errors import UsageError
from lens.gallery.holds import hold_id
from lens.photos.catalog import PARTITION_KEY, is_feed, is_photo, media_type
from lens.photos.ignored import IGNORE_KEY
from lens.photos.system_folders import system_part
from lens.pipeline.disappearance import WINDOW, is_mass
from lens.progress import Progress
from lens.storage import FileStorage, ObjectInfo, Storage, open_storage

_SIDE_FILES = (IGNORE_KEY, PARTITION_KEY)
CATALOG = "catalog"  # where a deployed stack looks for photos in its bucket
_UPLOADS = 16


@dataclass(frozen=True)
class Synced:
    """How many files were, or would be, treated in each way."""

    uploaded: int
    skipped: int  # there already
    removed: int
    ignored: int  # no photos
    held: int = 0  # photos that are not removed, because they are so many at once
    hold: str = ""  # what lets them go


def catalog_in(location: str) -> Storage:
    """The catalog that `s3://bucket/prefix` means; a bucket alone means its `catalog/`."""
    if not location.lower().startswith("s3://"):
        raise UsageError(f"photos are synchronized into a bucket: give s3://bucket, not {location}")
    bare = not location[len("s3://") :].rstrip("/").count("/")
    return open_storage(f"{location.rstrip('/')}/{CATALOG}" if bare else location)


def synchronize(
    folder: str,
    catalog: Storage,
    *,
    delete: bool = False,
    dry_run: bool = False,
    progress: Progress | None = None,
    kept: Storage | None = None,
    allow: str = "",
    now: float | None = None,
) -> Synced:
    """Upload the folder's photos to the catalog; with `delete`, remove the catalog's other photos,
    but not so many at once, or within a day, that they look like an accident: then none is removed
    until `allow` names the hold. `kept` is where it is written down how many were removed.

    A file is there already when its MD5 is the object's ETag; one that was uploaded in parts or
    encrypted by KMS has another ETag and is uploaded again. Interrupted and run again, it goes on.
    Raises UsageError when the folder is missing or has no photos: nothing is removed then.
    """
    source = open_storage(folder)
    if not isinstance(source, FileStorage) or not source.root.is_dir():
        raise UsageError(f"there is no folder {folder}: name a folder of photos")
    files = list(source.list())
    if ignore := source.head(IGNORE_KEY):  # a listing leaves hidden files out
        files.append(ignore)
    mine = {info.key: info for info in files if _belongs(info.key)}
    if not any(map(is_photo, mine)):
        raise UsageError(f"no photos in {folder}: is the name right? Nothing was changed")
    there = {info.key: info for info in catalog.list() if _belongs(info.key)}
    gone = [key for key in there if key not in mine] if delete else []
    came: list[str] = []  # ETags of what is there under a new key

    def upload(key: str) -> bool:
        data, _ = source.read(key)
        old, etag = there.get(key), hashlib.md5(data, usedforsecurity=False).hexdigest()
        if old and old.etag == etag:
            return False
        if old is None:
            came.append(etag)
        if not dry_run:
            catalog.write(key, data, content_type=_content_type(key))
        return True

    wanted = len(mine)
    # Before the photos, because they say which item each of them shows and which are left out.
    uploaded = sum(upload(key) for key in _SIDE_FILES if mine.pop(key, None))
    failed = threading.Event()

    def upload_next(key: str) -> bool:
        if failed.is_set():  # this thread may be told of a failure long before the waiting one is
            return False
        try:
            return upload(key)
        except BaseException:
            failed.set()
            raise

    with ThreadPoolExecutor(_UPLOADS, "upload") as executor:
        try:
            tasks = [executor.submit(upload_next, key) for key in mine]
            for done, task in enumerate(as_completed(tasks), start=1):
                uploaded += task.result()
                if progress:
                    progress(done, len(tasks))
            gone, held, hold = _decided(gone, there, came, kept, allow, now or time.time(), dry_run)
            if not dry_run:
                list(executor.map(catalog.delete, gone))
        except BaseException:
            failed.set()
            executor.shutdown(cancel_futures=True)
            raise
    return Synced(uploaded, wanted - uploaded, len(gone), len(files) - wanted, held, hold)


def _decided(
    gone: list[str],
    there: Mapping[str, ObjectInfo],
    came: Sequence[str],
    kept: Storage | None,
    allow: str,
    now: float,
    dry_run: bool,
) -> tuple[list[str], int, str]:
    """What is removed of what is gone; how many photos are held, and the hold's name."""
    moved = Counter(came)
    photos = []
    for key in filter(is_photo, gone):
        if moved[there[key].etag] > 0:
            moved[there[key].etag] -= 1
        else:
            photos.append(key)
    before = removed_since(kept, now - WINDOW) if kept else 0
    hold = hold_id(photos)
    if allow and allow != hold:
        raise UsageError(f"there is no hold {allow!r}: what would be removed is {hold} now")
    if is_mass(len(photos) + before, sum(map(is_photo, there)) + before) and allow != hold:
        return [], len(photos), hold
    if kept and photos and not dry_run:
        if allow:
            forget_removals(kept)
        else:
            note_removal(kept, len(photos), now)
    return gone, 0, ""


def _belongs(key: str) -> bool:
    if key in _SIDE_FILES:
        return True
    return (is_photo(key) or is_feed(key)) and system_part(key) is None


def _content_type(key: str) -> str:
    return media_type(key) if is_photo(key) else "text/plain; charset=utf-8"
