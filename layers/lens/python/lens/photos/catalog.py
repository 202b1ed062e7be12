"""The catalog: the shop's photos in their folder or bucket, and what a key says about its photo."""

from __future__ import annotations

import logging
import stat
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from heapq import merge
from pathlib import Path, PurePosixPath
from typing import Protocol
from unicodedata import normalize

from lens.errors import NotFoundError, StorageError, UnreadableError
from lens.photos.ignored import IGNORE_KEY, NOTHING, Ignored, parse_ignored
from lens.settings import Settings
from lens.storage import FileStorage, ObjectInfo, Storage, open_storage
from lens.storage.disk import ABSENT, explained

log = logging.getLogger(__name__)

MEDIA_TYPES = {
    ".avif": "image/avif",
    ".heic": "image/heic",
    ".heif": "image/heif",
    ".hif": "image/heif",  # Canon's and Sony's cameras
    ".jfif": "image/jpeg",  # Windows, for what browsers save
    ".jpe": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".webp": "image/webp",
}
# The shop's product file, in the catalog's root: the first of these that is there.
FEED_KEYS = ("products.csv", "products.tsv", "products.jsonl")
PARTITION_KEY = "list_eval_partition.txt"
_PARTITION_HEADER = ["image_name", "item_id", "evaluation_status"]


@dataclass(frozen=True)
class PartitionEntry:
    """One line of DeepFashion In-Shop's partition file."""

    item_id: str
    status: str  # "train", "query" or "gallery"


class Files(Protocol):
    """Where a file can be looked at: a storage, or an address."""

    def head(self, key: str) -> ObjectInfo | None:
        """As a storage's."""
        ...

    def read(self, key: str) -> tuple[bytes, ObjectInfo]:
        """As a storage's."""
        ...


class Catalog:
    """Photos under a storage location; keys are relative to it, so a catalog can be moved."""

    def __init__(
        self,
        storage: Storage,
        feed: tuple[Files, str] | None = None,
        pictures: Storage | None = None,
        *,
        moved: bool = False,
    ) -> None:
        """`feed` is where the product file lies, and its key there, if not in the root. `pictures`
        has photos that were fetched, beside the shop's own; of two with one key the shop's counts.
        `moved`: its owner has named it as what artifacts of another catalog belong to from now on.
        """
        self.moved = moved
        self._folder: tuple[int, int] | None = None  # the root in which photos were seen last
        self.storage = storage
        self.pictures = pictures
        self._feed = feed
        self._partition: dict[str, PartitionEntry] = {}
        self._partition_etag: str | None = None
        self._ignored = NOTHING
        self._ignored_etag: str | None = None

    def photos(self) -> Iterator[ObjectInfo]:
        """Every photo that the catalog does not ignore, in key order, fetched ones too. Raises as
        `own_photos`."""
        own = self.own_photos()
        if self.pictures is None:
            return own
        return _once(merge(own, self._photos_in(self.pictures), key=_key))

    def own_photos(self) -> Iterator[ObjectInfo]:
        """The same without those that were fetched, and without those in local folders that cannot
        be read: looked at, these cannot be read either, so none is taken for gone.

        Raises StorageError when a local folder is missing: that is a drive that is not mounted,
        or a slip in the name, and not a shop that has removed all its photos.
        """
        if not isinstance(self.storage, FileStorage):
            return self._photos_in(self.storage)
        return self._photos_in_folder(_identity(self.storage.root))

    def _photos_in_folder(self, folder: tuple[int, int]) -> Iterator[ObjectInfo]:
        """What a drive held that went while it was listed is not gone."""
        for info in self._photos_in(self.storage):
            self._folder = folder
            yield info
        assert isinstance(self.storage, FileStorage)
        if _identity(self.storage.root) != folder:
            raise StorageError(f"{self.storage.root} became another folder while it was listed")

    def check_there(self) -> None:
        """StorageError unless the catalog is there, so that what was not found in it is gone. S3
        says of a listing alone that it is the bucket that is missing; a folder must be the one in
        which photos were listed last."""
        if not isinstance(self.storage, FileStorage):
            next(iter(self.storage.list()), None)
        elif self._folder not in (None, _identity(self.storage.root)):
            raise StorageError(
                f"{self.storage.root} is another folder than before: is its drive mounted?"
            )

    def _photos_in(self, storage: Storage) -> Iterator[ObjectInfo]:
        wanted = self.wanted()
        return (info for info in _listed(storage) if wanted(info.key))

    def wanted(self) -> Callable[[str], bool]:
        """Tells a photo's key that the catalog does not ignore."""
        ignored = self.ignored()
        return lambda key: is_photo(key) and not ignored.has(key)

    def files_after(self, key: str) -> Iterator[ObjectInfo]:
        """Every file whose key comes after this one, photo or not, fetched ones too, in key order:
        with `wanted` what `photos` has, for who lists it in parts."""
        own = _listed(self.storage, key)
        if self.pictures is None:
            return own
        return _once(merge(own, _listed(self.pictures, key), key=_key))

    def files(self) -> Iterator[ObjectInfo]:
        """Every file in the catalog's folders that can be read, photo or not."""
        return _listed(self.storage)

    def left_out(self) -> dict[str, int]:
        """How many photos the catalog leaves out, by why."""
        ignored = self.ignored()
        why = (ignored.why(info.key) for info in self.files() if is_photo(info.key))
        return dict(sorted(Counter(filter(None, why)).items()))

    def head(self, key: str) -> ObjectInfo | None:
        """A photo's info; None where there is none."""
        own = self.storage.head(key)
        return own or (self.pictures.head(key) if self.pictures else None)

    def read(self, key: str) -> tuple[bytes, ObjectInfo]:
        """A photo's bytes and info; NotFoundError where there is none."""
        if self.pictures is None:
            return self.storage.read(key)
        with suppress(NotFoundError):
            return self.storage.read(key)
        return self.pictures.read(key)

    def ignored(self) -> Ignored:
        """What `.lensignore` in the root leaves out, read again when it changes."""
        info = self.storage.head(IGNORE_KEY)
        if info is None:
            self._ignored, self._ignored_etag = NOTHING, None
        elif info.etag != self._ignored_etag:
            try:
                data, info = self.storage.read(IGNORE_KEY)
            except NotFoundError:  # it went between the two
                self._ignored, self._ignored_etag = NOTHING, None
            else:
                self._ignored = parse_ignored(data.decode("utf-8", "replace"))
                self._ignored_etag = info.etag
        return self._ignored

    def feed(self) -> ObjectInfo | None:
        """The shop's product file; None where there is none."""
        storage, keys = self._feed_at
        return next((info for info in map(storage.head, keys) if info), None)

    def read_feed(self, key: str) -> tuple[bytes, ObjectInfo]:
        """The product file's bytes; NotFoundError when it is gone."""
        return self._feed_at[0].read(key)

    @property
    def feed_is_elsewhere(self) -> bool:
        """Whether the product file was named: then it is not gone when it cannot be seen."""
        return self._feed is not None

    @property
    def _feed_at(self) -> tuple[Files, tuple[str, ...]]:
        return (self._feed[0], (self._feed[1],)) if self._feed else (self.storage, FEED_KEYS)

    def partition(self) -> dict[str, PartitionEntry]:
        """The partition file's entries by key, read again when the file changes; empty without one.
        Lines that cannot be understood are left out, and logged. Of a file that cannot be read now,
        those that were read last."""
        info = self.storage.head(PARTITION_KEY)
        if info is None:
            self._partition, self._partition_etag = {}, None
        elif info.etag != self._partition_etag:
            try:
                data, info = self.storage.read(PARTITION_KEY)
            except NotFoundError:  # it went between the two
                self._partition, self._partition_etag = {}, None
                return self._partition
            except UnreadableError as error:  # what is placed otherwise is put right later
                log.warning("photos are placed without it: %s", error)
                return self._partition
            odd: list[str] = []
            self._partition = parse_partition(data.decode("utf-8-sig", "replace"), odd.append)
            self._partition_etag = info.etag
            if odd:
                log.warning(
                    "%s: %d lines are left out, the first: %s", PARTITION_KEY, len(odd), odd[0]
                )
        return self._partition


def is_photo(key: str) -> bool:
    """Whether the key's suffix is one of a photo's; other files in a catalog are not errors."""
    return PurePosixPath(key).suffix.lower() in MEDIA_TYPES


def is_feed(key: str) -> bool:
    """Whether the key is one of the product file's names."""
    return key in FEED_KEYS


def media_type(key: str) -> str:
    """The media type that a photo's suffix promises."""
    return MEDIA_TYPES[PurePosixPath(key).suffix.lower()]


def item_id(key: str, partition: dict[str, PartitionEntry]) -> str:
    """The item a photo shows: the partition file's word, else its folder, else the photo itself."""
    if key in partition:
        return partition[key].item_id
    folder = _folder(key)
    return folder if folder else key


def category(key: str) -> str:
    """The folder above the item's folder; empty where there is none."""
    return _folder(key).rpartition("/")[0]


def open_pictures(settings: Settings) -> Storage | None:
    """Where fetched pictures lie; None where none are to be fetched."""
    if not settings.feed_pictures:
        return None
    return open_storage(f"{(settings.pictures or settings.artifacts).rstrip('/')}/pictures")


def parse_partition(
    text: str, leave_out: Callable[[str], object] = lambda line: None
) -> dict[str, PartitionEntry]:
    """Read DeepFashion In-Shop's `list_eval_partition.txt`: a count, a header, then three columns.

    What a line is is told by what it says. Those that do not fit are left out, and told.
    """
    entries: dict[str, PartitionEntry] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        fields = line.split()
        if not fields or fields == _PARTITION_HEADER or (len(fields) == 1 and fields[0].isdigit()):
            continue
        if len(fields) == 3 and fields[2] in {"train", "query", "gallery"}:
            # A Mac writes names in another form of Unicode than others.
            for name in {fields[0], *(normalize(form, fields[0]) for form in ("NFC", "NFD"))}:
                entries[name] = PartitionEntry(fields[1], fields[2])
        else:
            leave_out(
                f"line {number}: expected 'image_name item_id train|query|gallery', found "
                f"{line.strip()[:80]!r}"
            )
    return entries


def _listed(storage: Storage, after: str = "") -> Iterator[ObjectInfo]:
    if isinstance(storage, FileStorage):
        return storage.readable(after)
    return storage.list(after=after)


def _identity(root: Path) -> tuple[int, int]:
    """What tells a folder from another at its place; StorageError where there is none."""
    with explained("read", root):
        try:
            status = root.stat()
        except OSError as error:
            if error.errno not in ABSENT:
                raise
            status = None
    if status is None or not stat.S_ISDIR(status.st_mode):
        raise StorageError(f"there is no folder {root}: is the name right?")
    return status.st_dev, status.st_ino


def _key(info: ObjectInfo) -> bytes:
    return info.key.encode()


def _once(listed: Iterator[ObjectInfo]) -> Iterator[ObjectInfo]:
    """Of neighbors with one key the first."""
    last = None
    for info in listed:
        if info.key != last:
            yield info
        last = info.key


def _folder(key: str) -> str:
    return key.removeprefix("img/").rpartition("/")[0]
