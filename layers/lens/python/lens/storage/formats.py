"""Formats: which formats of the artifacts' files this release reads, and which one it writes.

For minutes a deployment runs two releases side by side. So a release reads its own format and the
one before, and goes on writing the one before until its own was announced so long ago that no
process of an earlier release is left. Upgrade one release at a time: a release that is skipped
leaves files that the next one does not read.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

from pydantic import BaseModel

from lens.errors import ArtifactError, ConflictError, NotFoundError
from lens.storage.contract import Storage

log = logging.getLogger(__name__)

NEWEST = 2
KEY = "formats.json"
_CURRENT = "current.json"  # artifacts that no release has set up lack it
# A Lambda function runs for 15 minutes at most, and a deployment updates all of them in less.
SETTLED = 3_600.0


@dataclass(frozen=True)
class Since:
    """Marks a field, in its `Annotated` type, that files of earlier formats do not have."""

    format: int
    # Artifacts that began with this format have had no earlier release, so the field can be
    # written at once. Without it, an earlier release can still read them.
    at_once: bool = False


class _Announced(BaseModel):
    """The newest format that a release announced; readers of any release understand this file, what
    later ones add to it aside."""

    newest: int
    at: float  # seconds since the epoch
    began: int = 1  # the newest format of the release that wrote the first file


def oldest() -> int:
    """The format before the newest."""
    return max(1, NEWEST - 1)


def check_format(key: str, found: int) -> None:
    """ArtifactError when this release does not read a file of this format."""
    if not oldest() <= found <= NEWEST:
        read = f"{oldest()} and {NEWEST}" if oldest() < NEWEST else f"{NEWEST}"
        todo = "install the newer release" if found > NEWEST else "index again with this release"
        raise ArtifactError(f"{key} has format {found}, this release reads {read}; {todo}")


def written_format(storage: Storage, now: float, *, at_once: bool = False) -> int:
    """The format that files of these artifacts are to be written in; `at_once` for a file that says
    something new, which is not to wait where no earlier release has been."""
    since = newest_from(storage, now, at_once=at_once)
    return NEWEST if since is not None and since <= now else oldest()


def newest_from(storage: Storage, now: float, *, at_once: bool) -> float | None:
    """From when the newest format is written, in seconds since the epoch: `now` where it is; None
    until it is announced."""
    if oldest() == NEWEST:
        return now
    announced = _read(storage)
    if announced is None or announced.newest < NEWEST:
        return None
    new = at_once and announced.began >= NEWEST
    return now if new else max(now, announced.at + SETTLED)


def announce_format(storage: Storage, now: float) -> None:
    """Announce that this release runs; its newest format is written once that has settled."""
    announced = _read(storage)
    if oldest() == NEWEST or (announced and announced.newest >= NEWEST):
        return
    etag = storage.head(KEY)
    began = NEWEST if storage.head(_CURRENT) is None else 1
    data = _Announced(newest=NEWEST, at=now, began=began).model_dump_json().encode()
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


def restore_announcement(storage: Storage, now: float) -> None:
    """Announce again what was announced long ago, where that is damaged or lost though files of
    the newest format are there: no earlier release can have been running since."""
    data = _Announced(newest=NEWEST, at=now - SETTLED, began=NEWEST).model_dump_json().encode()
    storage.write(KEY, data, content_type="application/json")


def refuse_newer(storage: Storage) -> None:
    """ArtifactError where a newer release has been at work: what this one cannot read is not
    damaged then. Without its word, a format that nobody knows is damage."""
    announced = _read(storage)
    if announced is not None and announced.newest > NEWEST:
        raise ArtifactError(
            f"these artifacts are those of a newer release ({KEY} names format {announced.newest}, "
            f"this one knows {NEWEST}): install that; nothing was changed"
        )


def is_announced(storage: Storage) -> bool:
    """Whether a release has announced a format, and that can be read."""
    return _read(storage) is not None


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
