"""An S3 bucket, or a prefix in one, as a storage."""

import io
import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

from botocore.exceptions import (
    ClientError,
    FlexibleChecksumError,
    IncompleteReadError,
    ReadTimeoutError,
    ResponseStreamingError,
)

from lens import aws
from lens.errors import (
    ConflictError,
    LensError,
    NotFoundError,
    StorageError,
    UnreadableError,
)
from lens.storage.contract import ObjectInfo, check_conditions, check_key, check_path, is_key
from lens.storage.disk import replacing

if TYPE_CHECKING:
    from botocore.response import StreamingBody
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import (
        GetObjectOutputTypeDef,
        ObjectIdentifierTypeDef,
        PutObjectRequestTypeDef,
    )

_log = logging.getLogger(__name__)

# boto3 repeats a request that fails, but not a reply that breaks off in the middle.
_BROKEN_OFF = (FlexibleChecksumError, IncompleteReadError, ReadTimeoutError, ResponseStreamingError)
_TRIES = 3
# S3 gives one connection some 90 MB a second. What is larger than a part comes over several.
_PART = 8 << 20
_CONNECTIONS = 8
_CHUNK = 1 << 18
_AT_ONCE = 1_000  # objects or versions that one request deletes, at most
_CLOCK = "formats.json"  # asked for the time alone

_ADVICE = {
    "400": aws.LOG_IN,  # all that a HEAD says of an expired token
    "NoSuchBucket": "check the bucket's name and the account",
    "InvalidBucketName": "check the bucket's name",
}
_ABSENT = {"NoSuchKey", "404"}
_PERMISSIONS = {
    # Without s3:ListBucket S3 answers 403 for an object that is not there.
    "read": "s3:GetObject, and s3:ListBucket to tell a missing object from a forbidden one",
    "write": "s3:PutObject",
    "delete": "s3:DeleteObject",
    "list": "s3:ListBucket",
    "list the versions of": "s3:ListBucketVersions",
    "read every version of": "s3:GetObjectVersion",
    "erase": "s3:DeleteObjectVersion",
}


class _Version(NamedTuple):
    """A version of an object, or a marker that says it was deleted."""

    key: str
    id: str
    is_newest: bool
    is_marker: bool


@dataclass
class _Part:
    """A part of an object that is being read: what breaks off goes on where it did, because a
    function that is frozen between requests never reads a large object in one go."""

    at: int  # where the next byte lies
    end: int


class _ReplacedError(Exception):
    """There is another version than that of which the first part was read."""


class S3Storage:
    """The objects of a bucket whose keys start with "{prefix}/", or all if the prefix is empty.

    A key follows the prefix literally: it may start with "/" or have "//" in it, as S3 allows.
    An etag is S3's own: a second write of the same bytes does not change it.
    """

    def __init__(self, bucket: str, prefix: str = "") -> None:
        self.bucket = bucket
        self.prefix = f"{prefix}/" if prefix else ""
        self.location = f"s3://{bucket}/{self.prefix}"

    def __repr__(self) -> str:
        return f"S3Storage({self.location!r})"

    @cached_property
    def _client(self) -> "S3Client":
        """Made by the first use: it takes 70 ms and 12 MiB, and many storages are only named."""
        with self._explained("open", ""):
            client: S3Client = aws.client("s3")
            return client

    def read(self, key: str) -> tuple[bytes, ObjectInfo]:
        sink = io.BytesIO()
        info = self._copy(key, sink)
        return sink.getvalue(), info

    def fetch(self, key: str, path: Path) -> ObjectInfo:
        with replacing(path) as sink:
            return self._copy(key, sink)

    def head(self, key: str) -> ObjectInfo | None:
        """As for every storage, but S3 does not say whether it is the bucket that is missing."""
        check_key(key)
        try:
            with self._explained("read", key):
                reply = self._client.head_object(Bucket=self.bucket, Key=self.prefix + key)
        except NotFoundError:
            return None
        return ObjectInfo(
            key=key,
            etag=reply["ETag"].strip('"'),
            size=reply["ContentLength"],
            modified=reply["LastModified"].timestamp(),
        )

    def write(
        self,
        key: str,
        data: bytes,
        *,
        if_match: str | None = None,
        if_absent: bool = False,
        content_type: str | None = None,
        cache_control: str | None = None,
        durable: bool = True,
    ) -> ObjectInfo:
        """As for every storage, but all that S3 has taken in is durable; `modified` is the reply's
        time, within a second of S3's."""
        check_key(key)
        check_conditions(if_match, if_absent)
        request: PutObjectRequestTypeDef = {
            "Bucket": self.bucket,
            "Key": self.prefix + key,
            "Body": data,
        }
        if if_match is not None:
            request["IfMatch"] = f'"{if_match}"'
        if if_absent:
            request["IfNoneMatch"] = "*"
        if content_type is not None:
            request["ContentType"] = content_type
        if cache_control is not None:
            request["CacheControl"] = cache_control
        with self._explained("write", key):
            reply = self._client.put_object(**request)
        date = reply["ResponseMetadata"]["HTTPHeaders"].get("date")
        return ObjectInfo(
            key=key,
            etag=reply["ETag"].strip('"'),
            size=len(data),
            modified=parsedate_to_datetime(date).timestamp() if date else time.time(),
        )

    def delete(self, key: str) -> None:
        check_key(key)
        with self._explained("delete", key):
            self._client.delete_object(Bucket=self.bucket, Key=self.prefix + key)

    def delete_many(self, keys: Iterable[str]) -> None:
        """As for every storage: a thousand in a request."""
        left = iter(keys)
        while part := list(islice(left, _AT_ONCE)):
            for key in part:
                check_key(key)
            with self._explained("delete", part[0]):
                reply = self._client.delete_objects(
                    Bucket=self.bucket,
                    Delete={"Objects": [{"Key": self.prefix + key} for key in part], "Quiet": True},
                )
                if errors := reply.get("Errors"):
                    # One of them speaks for all, as if it had been deleted alone.
                    first = errors[0]
                    told: Any = {"Code": first.get("Code", ""), "Message": first.get("Message", "")}
                    raise ClientError({"Error": told}, "DeleteObjects")

    def remove_partial(self, before: float) -> int:
        """Nothing: an object appears whole, and a rule of the bucket ends uploads in parts."""
        return 0

    def now(self) -> float:
        """As for every storage: any reply tells S3's time, also that there is no such object."""
        with self._explained("read", _CLOCK):
            try:
                reply: Mapping[str, Any] = self._client.head_object(
                    Bucket=self.bucket, Key=self.prefix + _CLOCK
                )
            except ClientError as error:
                reply = error.response
            date = reply.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date")
        return parsedate_to_datetime(date).timestamp() if date else time.time()

    def list(self, prefix: str = "", after: str = "") -> Iterator[ObjectInfo]:
        """As for every storage. Folder markers (keys that end in "/") are left out.

        A key with "." or ".." in its path is left out and logged.
        """
        check_path(prefix.rpartition("/")[0])
        behind: dict[str, Any] = {"StartAfter": self.prefix + after} if after else {}
        pages = iter(
            self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self.bucket,
                Prefix=self.prefix + prefix,
                **behind,
            )
        )
        while True:
            with self._explained("list", prefix):
                page = next(pages, None)
            if page is None:
                return
            for item in page.get("Contents", []):
                key = item["Key"].removeprefix(self.prefix)
                if is_key(key):
                    yield ObjectInfo(
                        key=key,
                        etag=item["ETag"].strip('"'),
                        size=item["Size"],
                        modified=item["LastModified"].timestamp(),
                    )
                elif key and not key.endswith("/"):
                    _log.warning("left out %r in %s: rename it", key, self.location)

    def versions(self, key: str) -> Iterator[bytes]:
        """The bytes of every version of an object that is still kept."""
        check_key(key)
        for each in self._versions(key):
            if each.key == key and not each.is_marker:
                yield self._read_version(each)

    def older_versions(self, key: str) -> Iterator[bytes]:
        """What the object was before it was replaced or deleted, the newest first; nothing where
        its bucket keeps no versions."""
        check_key(key)
        for each in self._versions(key):
            if each.key == key and not each.is_marker and not each.is_newest:
                yield self._read_version(each)

    def erase(self, key: str) -> int:
        """Remove every version of an object; how many there were.

        A marker hides them first, so that no reader meets an older version meanwhile.
        """
        check_key(key)
        there = [each for each in self._versions(key) if each.key == key]
        if there:
            self.delete(key)
            left = [each for each in self._versions(key) if each.key == key]
            self._erase_all([each for each in left if not each.is_marker])
            self._erase_all([each for each in left if each.is_marker])
        return len(there)

    def erase_replaced(self, prefix: str, wanted: Callable[[str], bool]) -> int:
        """Remove the versions that were replaced or deleted, of keys that are wanted; how many."""
        listed = [each for each in self._versions(prefix) if wanted(each.key)]
        replaced = [each for each in listed if not each.is_newest]
        self._erase_all(replaced)
        self._erase_all([each for each in listed if each.is_newest and each.is_marker])
        return sum(not each.is_marker for each in replaced)

    def _read_version(self, version: _Version) -> bytes:
        with self._explained("read every version of", version.key):
            reply = self._client.get_object(
                Bucket=self.bucket, Key=self.prefix + version.key, VersionId=version.id
            )
            with closing(reply["Body"]) as body:
                return body.read()

    def _versions(self, prefix: str) -> Iterator[_Version]:
        pages = iter(
            self._client.get_paginator("list_object_versions").paginate(
                Bucket=self.bucket, Prefix=self.prefix + prefix
            )
        )
        while True:
            with self._explained("list the versions of", prefix):
                page = next(pages, None)
            if page is None:
                return
            for item in page.get("Versions", []):
                key = item["Key"].removeprefix(self.prefix)
                yield _Version(key, item["VersionId"], item["IsLatest"], is_marker=False)
            for marker in page.get("DeleteMarkers", []):
                key = marker["Key"].removeprefix(self.prefix)
                yield _Version(key, marker["VersionId"], marker["IsLatest"], is_marker=True)

    def _erase_all(self, versions: Sequence[_Version]) -> None:
        for start in range(0, len(versions), _AT_ONCE):
            batch = versions[start : start + _AT_ONCE]
            names: list[ObjectIdentifierTypeDef] = [
                {"Key": self.prefix + each.key, "VersionId": each.id} for each in batch
            ]
            with self._explained("erase", batch[0].key):
                reply = self._client.delete_objects(
                    Bucket=self.bucket, Delete={"Objects": names, "Quiet": True}
                )
            for refused in reply.get("Errors", []):
                raise StorageError(
                    f"cannot erase {refused.get('Key')} in {self.bucket}: {refused.get('Code')}; "
                    f"grant {_PERMISSIONS['erase']}, or wait for its lock to end"
                )

    def _copy(self, key: str, sink: BinaryIO) -> ObjectInfo:
        """Write one version into the empty sink."""
        check_key(key)
        with self._explained("read", key):
            for tries_left in reversed(range(_TRIES)):
                sink.seek(0)
                sink.truncate()
                first = self._first_part(key)
                try:
                    size = self._copy_parts(key, first, sink)
                except _ReplacedError:
                    continue
                except _BROKEN_OFF:
                    if not tries_left:
                        raise
                    continue
                return ObjectInfo(
                    key=key,
                    etag=first["ETag"].strip('"'),
                    size=size,
                    modified=first["LastModified"].timestamp(),
                )
        raise StorageError(f"{self.location}{key} is being replaced: try again when that is done")

    def _copy_parts(self, key: str, first: "GetObjectOutputTypeDef", sink: BinaryIO) -> int:
        """Write the object whose first part arrives, the others side by side; its size."""
        lock = threading.Lock()

        def copy(body: "StreamingBody", part: _Part) -> None:
            with closing(body):
                for chunk in body.iter_chunks(_CHUNK):
                    with lock:
                        sink.seek(part.at)
                        sink.write(chunk)
                    part.at += len(chunk)

        def copy_part(start: int) -> None:
            part, tries_left = _Part(start, min(start + _PART, size)), _TRIES
            while True:
                began = part.at
                reply = self._part(key, part, size, first["ETag"]) if began else first
                try:
                    return copy(reply["Body"], part)
                except _BROKEN_OFF as error:
                    if isinstance(error, FlexibleChecksumError):
                        part.at = start
                    tries_left = _TRIES if part.at > began else tries_left - 1
                    if part.at == part.end:
                        return None
                    if not tries_left or not part.at:
                        raise

        range_ = first.get("ContentRange")
        size = int(range_.rpartition("/")[2]) if range_ else first["ContentLength"]
        if size == first["ContentLength"]:
            copy(first["Body"], _Part(0, size))
            return size
        starts = range(0, size, _PART)
        with ThreadPoolExecutor(min(len(starts), _CONNECTIONS), "read") as pool:
            for _ in pool.map(copy_part, starts):
                pass
        return size

    def _first_part(self, key: str) -> "GetObjectOutputTypeDef":
        """The beginning of an object: all of it where it is small, or parts are not known."""
        try:
            return self._client.get_object(
                Bucket=self.bucket, Key=self.prefix + key, Range=f"bytes=0-{_PART - 1}"
            )
        except ClientError as error:
            if _status(error) != 416:
                raise
            # An empty object has no first byte.
            return self._client.get_object(Bucket=self.bucket, Key=self.prefix + key)

    def _part(self, key: str, part: _Part, size: int, etag: str) -> "GetObjectOutputTypeDef":
        """What lacks of a part of one version; _ReplacedError where there is another.

        The reply is looked at too: not all that speak S3 heed `If-Match`.
        """
        start, end = part.at, part.end - 1
        try:
            reply = self._client.get_object(
                Bucket=self.bucket,
                Key=self.prefix + key,
                Range=f"bytes={start}-{end}",
                IfMatch=etag,
            )
        except ClientError as error:
            if _status(error) in {404, 412, 416}:
                raise _ReplacedError from error
            raise
        if (reply["ETag"], reply.get("ContentRange")) != (etag, f"bytes {start}-{end}/{size}"):
            reply["Body"].close()
            raise _ReplacedError
        return reply

    def _explained(self, action: str, key: str) -> AbstractContextManager[None]:
        """Turn botocore's errors into ours, each one line that says what to do."""
        place = self.location + key

        def meaning(code: str, status: int, message: str) -> LensError | None:
            if action == "write" and status in {409, 412}:
                return ConflictError(f"{place} changed in the meantime ({code})")
            if action == "write" and code in _ABSENT:  # an If-Match for what is not there
                return ConflictError(f"{place} was deleted in the meantime")
            if action == "read" and code in _ABSENT:
                return NotFoundError(f"there is no object {key!r} in {self.location}")
            return _unreadable(place, code, message) if action == "read" else None

        return aws.explained(
            f"{action} {place}",
            StorageError,
            grant=_PERMISSIONS.get(action, "access"),
            advice=_ADVICE,
            meaning=meaning,
        )


def _unreadable(place: str, code: str, message: str) -> UnreadableError | None:
    """What ails one object, and says nothing of its neighbors."""
    if code == "InvalidObjectState":
        return UnreadableError(f"cannot read {place}: it is archived; restore it")
    if code.startswith("KMS") or (code == "AccessDenied" and "kms" in message.lower()):
        return UnreadableError(f"cannot read {place}: its KMS key refuses; grant kms:Decrypt")
    if code in {"AccessDenied", "403"}:
        return UnreadableError(f"cannot read {place}: denied; grant {_PERMISSIONS['read']}")
    return None


def _status(error: ClientError) -> int:
    return int(error.response["ResponseMetadata"]["HTTPStatusCode"])
