"""Embed: looks at catalog keys and writes what it finds as segments and thumbnails."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from lens.correlation import correlated, current_id
from lens.errors import (
    ArtifactError,
    LensError,
    NotFoundError,
    PhotoError,
    PhotoTooLargeError,
    StorageError,
    UnreadableError,
)
from lens.gallery.current import read_current
from lens.gallery.rows import Cause, Kind, Row, Rows
from lens.gallery.segments import Segment, holds_waiting, segment_key, write_segment
from lens.gallery.triggers import named
from lens.gallery.versions import Look, Version
from lens.measures import timed
from lens.models.embedder import Embedder
from lens.photos.catalog import Catalog, is_feed, is_photo
from lens.photos.decoding import decode, photo_id, thumbnail
from lens.photos.layouts.layout import Placed
from lens.photos.layouts.stored import read_layout
from lens.photos.origin import check_origin
from lens.photos.thumbnail_store import write_thumbnail
from lens.pipeline.feed import look_at_feed
from lens.pipeline.readings import Readings
from lens.settings import Limits
from lens.storage import Storage

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Finding:
    """What one look found, before it has a version: a row, and a vector per model for a photo, or
    why it could not be read now."""

    row: Row
    vectors: dict[str, NDArray[np.float32]] = field(default_factory=dict)
    unread: LensError | None = None

    @property
    def is_nothing(self) -> bool:
        """Whether nothing was there, and no rule of ours says so."""
        return self.row.kind == Kind.TOMBSTONE and self.row.reason != Cause.RULE


@dataclass(frozen=True)
class Embedding:
    """The stage between the catalog's events and the artifacts' segments."""

    catalog: Catalog
    artifacts: Storage
    thumbs: Storage
    embedder: Callable[[str], Embedder]  # by model id
    executor: Executor
    limits: Limits = field(default_factory=Limits)
    clock: Callable[[], float] = time.time
    # Called with each new segment's key, where the artifacts' storage sends no events itself.
    announce: Callable[[str], None] | None = None
    # Called between the parts of each look, where searches are answered beside.
    give_way: Callable[[], None] = lambda: None
    readings: Readings = field(default_factory=Readings)

    def run(self, looks: Iterable[Look], last: Collection[str] = ()) -> None:
        """Look at each key once and write one segment for every model that is followed.

        Any failure of ours raises; only whole segments have been written then, so trying again is
        safe. A photo that cannot be used is a rejected row, not a failure. One that cannot be read
        is a waiting row: at once where the photo itself is the matter, and whatever the matter is
        for the keys in `last`, which nobody will ask for again.

        Nothing is a tombstone only where the catalog itself is there after the looks: StorageError
        else. UsageError for another catalog than the one that the artifacts belong to.
        """
        check_origin(self.artifacts, self.catalog)
        # Read before the looks: a candidate that is nominated later finds these changes in the
        # catalog's listing.
        current = read_current(self.artifacts)
        if current is None:
            raise ArtifactError("there is no model yet: run `lens index` once to set one up")
        looks = list(looks)
        for look in looks:
            if not (is_photo(look.key) or is_feed(look.key)):
                log.warning(
                    "%r is nothing to look at: neither a photo nor a product file", look.key
                )
        self._look_at_feed(looks, current.followed)
        wanted = {model: _newest(looks, model) for model in current.followed}
        wanted = {model: newest for model, newest in wanted.items() if newest}
        embedders = {model: self.embedder(model) for model in wanted}
        partition, layout = self.catalog.partition(), read_layout(self.artifacts)
        ignored = self.catalog.ignored()

        asked_by = current_id()
        ids = {look.key: look.trigger.id for newest in wanted.values() for look in newest.values()}

        def look_at(key: str) -> _Finding:
            with correlated(ids[key] or asked_by), timed("look"):
                finding = look_for(key)
                log.info("looked at %r: %s", key, finding.row.kind.name.lower())
                return finding

        def look_for(key: str) -> _Finding:
            models = [embedders[model] for model in wanted if key in wanted[model]]
            if ignored.has(key):  # as if it were not there: a photo that was found is taken out
                row = Row(key, Version(""), Kind.TOMBSTONE, self.clock(), reason=Cause.RULE)
                return _Finding(row)
            return self._look(key, layout.place(key, partition), models, last=key in last)

        keys = list(dict.fromkeys(key for newest in wanted.values() for key in newest))
        findings = dict(zip(keys, self.executor.map(look_at, keys), strict=True))
        known = {(look.key, look.waits) for look in looks if look.waits}
        findings = {
            key: each
            for key, each in findings.items()
            if each.unread is None or (key, each.row.reason) not in known
        }
        self._count(findings.values())
        if any(each.is_nothing for each in findings.values()):
            self.catalog.check_there()
        for model, newest in wanted.items():
            found = [
                (findings[key], look)
                for key, look in newest.items()
                if key in findings and not (findings[key].is_nothing and _is_again(look))
            ]
            if not found:
                continue
            segment = _segment(found, embedders[model])
            segment_id = write_segment(self.artifacts, model, segment)
            rows, why = len(segment.rows), named(segment.triggers)
            log.info("segment %s has %d rows%s", segment_id, rows, why)
            if self.announce:
                self.announce(segment_key(model, segment_id))

    def _count(self, findings: Collection[_Finding]) -> None:
        """Raise what could not be read where it may not wait."""
        unread = [each.unread for each in findings if each.unread]
        if unread and not holds_waiting(self.artifacts, self.clock()):
            raise unread[0]
        at_once = [str(error) for error in unread if isinstance(error, UnreadableError)]
        self.readings.add(len(findings) - len(unread), at_once)

    def _look_at_feed(self, looks: Sequence[Look], models: Iterable[str]) -> None:
        """Look at the product file once for each model that is asked for."""
        asked = {look.model_id for look in looks if is_feed(look.key)}
        for model in models if asked else ():
            if None in asked or model in asked:
                written = look_at_feed(self.artifacts, self.catalog, model)
                if written and self.announce:
                    self.announce(written)

    def _look(
        self, key: str, placed: Placed, embedders: Sequence[Embedder], *, last: bool
    ) -> _Finding:
        self.give_way()
        row = Row(key, Version(""), Kind.TOMBSTONE, self.clock())
        try:
            info = self.catalog.head(key)
            if info is None:
                return _Finding(row)
            row = row._replace(etag=info.etag)
            if info.size > self.limits.photo_bytes:
                raise PhotoTooLargeError(
                    f"the photo has {info.size / 1e6:.1f} MB; at most "
                    f"{self.limits.photo_bytes / 1e6:.1f} MB are accepted"
                )
            data, info = self.catalog.read(key)
            row = row._replace(etag=info.etag)
            image = decode(data, self.limits)
        except NotFoundError:
            return _Finding(row._replace(etag=""))
        except PhotoError as error:
            return _Finding(row._replace(kind=Kind.REJECTION, reason=str(error)))
        except StorageError as error:
            if not (last or isinstance(error, UnreadableError)):
                raise
            return _Finding(row._replace(kind=Kind.WAITING, reason=str(error)), unread=error)
        name = photo_id(data)
        write_thumbnail(self.thumbs, name, thumbnail(image))
        self.give_way()
        row = row._replace(
            kind=Kind.PHOTO,
            photo_id=name,
            item_id=placed.item_id,
            category=placed.category,
        )
        return _Finding(row, {each.model_id: each.embed_main(image) for each in embedders})


def _newest(looks: Iterable[Look], model_id: str) -> dict[str, Look]:
    """The look of the highest version at each photo's key, for this model."""
    newest: dict[str, Look] = {}
    for look in looks:
        if look.model_id in (None, model_id) and is_photo(look.key):
            newest[look.key] = max(newest.get(look.key, look), look, key=_rank)
    return newest


def _rank(look: Look) -> tuple[Version, bool]:
    return look.version, not _is_again(look)


def _is_again(look: Look) -> bool:
    """Whether nobody says that the photo is gone: if it is, the next comparison decides."""
    return look.cause == Cause.AGAIN


def _row(finding: _Finding, look: Look) -> Row:
    row = finding.row._replace(version=look.version)
    return row._replace(reason=look.cause or Cause.EVENT) if finding.is_nothing else row


def _segment(found: Sequence[tuple[_Finding, Look]], embedder: Embedder) -> Segment:
    rows = Rows.of([_row(finding, look) for finding, look in found])
    vectors = [
        finding.vectors[embedder.model_id] for finding, _ in found if finding.row.kind == Kind.PHOTO
    ]
    dim = embedder.manifest.embedding_dim
    shaped = np.array(vectors, dtype=np.float32).reshape(len(vectors), dim)
    triggers = dict.fromkeys(look.trigger for _, look in found if look.trigger.id)
    return Segment(rows, shaped, triggers=tuple(triggers))
