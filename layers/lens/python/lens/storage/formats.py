"""Formats: which formats of the artifacts' files this release reads, and which one it writes.

For minutes a deployment runs two releases side by side. So a release reads its own format and the
one before, and goes on writing the one before until its own was announced so long ago that no
process of an earlier release is left. Upgrade one release at a time: a release that is skipped
leaves files that the next one does not read.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from lens.errors import ArtifactError, ConflictError, NotFoundError
from lens.storage.contract import Storage

log = logging.getLogger(__name__)

NEWEST = 2
KEY = "formats.json"
# A Lambda function runs for 15 minutes at most, and a deployment updates all of them in less.
SETTLED = 3_600.0


@dataclass(frozen=True)
class Since:
    """Marks a field, in its `Annotated` type, that files of earlier formats do not have."""

    format: int


class _Announced(BaseModel):
    """The newest format that a release announced; readers of any release understand this file."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    newest: int
    at: float  # seconds since the epoch


def oldest() -> int:
    """The format before the newest."""
    return max(1, NEWEST - 1)


def check_format(key: str, found: int) -> None:
    """ArtifactError when this release does not read a file of this format."""
    if not oldest() <= found <= NEWEST:
        read = f"{oldest()} and {NEWEST}" if oldest() < NEWEST else f"{NEWEST}"
        todo = "install the newer release" if found > NEWEST else "index again with this release"
        raise ArtifactError(f"{key} has format {found}, this release reads {read}; {todo}")


def written_format(storage: Storage, now: float) -> int:
    """The format that files of these artifacts are to be written in."""
    if oldest() == NEWEST:
        return NEWEST
    announced = _read(storage)
    settled = announced and announced.newest >= NEWEST and announced.at <= now - SETTLED
    return NEWEST if settled else oldest()


def announce_format(storage: Storage, now: float) -> None:
    """Announce that this release runs; its newest format is written once that has settled."""
    announced = _read(storage)
    if oldest() == NEWEST or (announced and announced.newest >= NEWEST):
        return
    etag = storage.head(KEY)
    data = _Announced(newest=NEWEST, at=now).model_dump_json().encode()
    try:
        storage.write(
            KEY,
            data,
            if_match=etag.etag if etag else None,
            if_absent=etag is None,
            content_type="application/json",
        )
    except ConflictError:
        return  # another process announced it at the same moment


def _read(storage: Storage) -> _Announced | None:
    """None also when the file is damaged: the older format is always safe to write, and the next
    announcement replaces the file."""
    try:
        return _Announced.model_validate_json(storage.read(KEY)[0])
    except NotFoundError:
        return None
    except ValueError as error:
        log.warning("%s is damaged and will be replaced: %s", KEY, " ".join(str(error).split()))
        return None
