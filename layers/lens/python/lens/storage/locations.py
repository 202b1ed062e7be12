"""Locations: parses what a person names a storage by, and opens that storage."""

import os
import re
from pathlib import Path
from urllib.parse import unquote_to_bytes

from lens.errors import StorageError, UsageError
from lens.storage.contract import Storage
from lens.storage.folder import FileStorage


def open_storage(location: str | Path) -> Storage:
    """The storage at a folder ("photos", "~/photos", "file:///abs/a%20b") or "s3://bucket/prefix".

    Neither the disk nor the network is touched: a location that is not there is found out by
    its first use. UsageError for any other kind of location; StorageError for S3 without boto3.
    """
    text = os.fspath(location)
    scheme, colon, rest = text.partition(":")
    scheme = scheme.lower()
    if not text or "\0" in text:
        raise _not_accepted(text)
    if scheme == "s3" and colon:
        match = re.fullmatch(r"//([A-Za-z0-9._-]+)(?:/(.*))?", rest, re.DOTALL)
        if match is None:
            raise _not_accepted(text)
        return _open_s3(match[1], (match[2] or "").strip("/"))
    if scheme == "file" and colon:
        match = re.fullmatch(r"//(?:localhost)?(/.*)", rest, re.DOTALL)
        if match is None:
            raise _not_accepted(text)
        text = os.fsdecode(unquote_to_bytes(match[1]))
        if "\0" in text:
            raise _not_accepted(str(location))
    elif re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", text):
        raise _not_accepted(text)
    # Links are kept as they are named: a folder reached by "current" keeps its location, and so
    # its artifacts, when the link is moved on.
    return FileStorage(Path(os.path.normpath(_home_expanded(text).absolute())))


def key_prefix(storage: Storage) -> str:
    """What precedes a storage's keys in its bucket's events; empty for a folder's."""
    scheme, _, rest = storage.location.partition("://")
    return rest.partition("/")[2] if scheme == "s3" else ""


def _home_expanded(text: str) -> Path:
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise UsageError(f"{text!r} names a home folder that does not exist") from error


def _open_s3(bucket: str, prefix: str) -> Storage:
    try:
        from lens.storage.s3 import S3Storage
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "botocore":
            raise
        message = f"s3://{bucket} needs boto3, which is missing: pip install 'image-lens[aws]'"
        raise StorageError(message) from error
    return S3Storage(bucket, prefix)


def _not_accepted(text: str) -> UsageError:
    return UsageError(f"{text!r} is not a location: give a folder, file:///path or s3://bucket/x")
