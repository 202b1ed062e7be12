"""Verify: everything is read, and each damage is named with what it costs.

Covers: verify, gallery_parts, single_documents.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from lens.errors import ArtifactError
from lens.gallery.commits import Commit, CommitName, SegmentRef
from lens.gallery.current import swap_current
from lens.gallery.segments import Segment, segment_key, write_segment
from lens.gallery.snapshots import SnapshotRef
from lens.photos.catalog import Catalog
from lens.pipeline.commit import uncommitted_segments
from lens.pipeline.compact import fold
from lens.pipeline.gallery_parts import GalleryParts, SegmentPart
from lens.pipeline.repair import repair
from lens.pipeline.repair_work import Repaired
from lens.pipeline.single_documents import DOCUMENTS
from lens.pipeline.verify import inspect
from lens.storage import FileStorage
from lens.storage.formats import announce_format
from tests.support.small_galleries import NOW, add, head, make_live, photo, segment, write
from tests.support.tiny_model import write_tiny_model


@pytest.fixture
def storage(tmp_path: Path) -> FileStorage:
    return FileStorage(tmp_path)


@pytest.fixture
def model(storage: FileStorage) -> str:
    announce_format(storage, 0.0)
    model_id = write_tiny_model(storage).model_id
    make_live(storage, model_id)
    add(storage, photo("a", "1"), model_id=model_id)
    return model_id


def damages(storage: FileStorage) -> dict[str, str]:
    return {damage.key: damage.costs for damage in inspect(storage).damages}


def test_empty_artifacts_are_whole(storage: FileStorage) -> None:
    assert inspect(storage).whole


def test_a_gallery_is_read_whole(storage: FileStorage, model: str) -> None:
    reported: list[tuple[int, int]] = []
    found = inspect(storage, lambda done, total: reported.append((done, total)))
    assert found.damages == []
    assert found.loose == []
    assert reported[-1][0] == reported[-1][1] > 3


def test_a_damage_says_what_it_costs(storage: FileStorage, model: str) -> None:
    newest = add(storage, photo("b", "2"), photo("c", "2"), model_id=model)
    lost = segment_key(model, newest.segments[-1].id)
    (storage.root / lost).unlink()
    assert damages(storage) == {lost: "up to 2 photos"}


def test_a_damage_in_the_history_costs_a_rollback(storage: FileStorage, model: str) -> None:
    old = segment_key(model, head(storage, model).segments[0].id)
    assert fold(storage, head(storage, model), now=NOW)
    storage.write(old, b"spoiled")
    assert damages(storage) == {old: f"commit 1 of {model} cannot be rolled back to"}


def test_a_segment_in_no_commit_is_loose_and_no_damage(storage: FileStorage, model: str) -> None:
    loose = segment_key(model, write(storage, photo("b", "2"), model_id=model))
    found = inspect(storage)
    assert found.whole
    assert found.loose == [loose]


def test_a_shop_s_own_files_among_the_artifacts_are_no_damage_and_stay(
    storage: FileStorage, model: str, tmp_path: Path
) -> None:
    """In a bucket that the artifacts share."""
    others = (
        "heads/Thumbs.db",
        "commits/2026/minutes.json",
        f"segments/{model}/desktop.ini",
        "segments/customers.csv",
        "snapshots/vm/disk.img",
        f"snapshots/{model}/{'a' * 32}/data/0.bin",
        "products/list.csv",
        "models/readme.txt",
    )
    for key in others:
        storage.write(key, b"a shop's own")
    assert inspect(storage).damages == []
    assert repair(storage, Catalog(FileStorage(tmp_path / "photos"))) == Repaired()
    assert uncommitted_segments(storage, model) == []
    assert all(storage.head(key) for key in others)


def test_artifacts_of_a_newer_release_are_not_taken_for_damaged(
    storage: FileStorage, model: str, tmp_path: Path
) -> None:
    """By an earlier one, that somebody runs by mistake."""
    storage.write("current.json", b'{"format": 9, "live": "m", "more": 1}')
    storage.write("formats.json", b'{"newest": 9, "at": 0, "began": 1}')
    before = {info.key: info.etag for info in storage.list()}
    for act in (inspect, lambda s: repair(s, Catalog(FileStorage(tmp_path / "photos")))):
        with pytest.raises(ArtifactError, match="of a newer release"):
            act(storage)
    assert {info.key: info.etag for info in storage.list()} == before


def test_a_format_that_no_release_has_announced_is_damage(storage: FileStorage, model: str) -> None:
    key = f"models/{model}/manifest.json"
    fields = json.loads(storage.read(key)[0])
    storage.write(key, json.dumps({**fields, "format": 9, "sum": None}).encode())
    assert set(damages(storage)) == {key}


def test_a_segment_of_another_dimension_is_damaged(storage: FileStorage, model: str) -> None:
    rows, vectors = segment(photo("b", "2")).rows, np.eye(1, 5, dtype=np.float32)
    key = segment_key(model, write_segment(storage, model, Segment(rows, vectors)))
    assert set(damages(storage)) == {key}


@pytest.mark.parametrize("key", DOCUMENTS)
def test_each_document_is_read(storage: FileStorage, model: str, key: str) -> None:
    storage.write(key, b"{")
    assert damages(storage) == {key: DOCUMENTS[key][0]}


def test_a_live_model_that_never_was_is_a_damaged_current(storage: FileStorage, model: str) -> None:
    swap_current(storage, lambda c: c.model_copy(update={"live": "tiny-none"}) if c else None)
    assert set(damages(storage)) == {"current.json"}


# Gallery parts: which head the whole parts make.


def commit(number: int, *segments: str, snapshot: str = "", parent: str = "") -> Commit:
    return Commit(
        model_id="m",
        number=number,
        id=f"c{number}",
        parent=CommitName(number=number - 1, id=f"c{number - 1}") if number > 1 else None,
        created_at=float(number),
        snapshot=SnapshotRef(id=snapshot, rows=1, parent=parent or None) if snapshot else None,
        segments=tuple(SegmentRef(id=name, rows=1) for name in segments),
    )


def parts(*commits: Commit, segments: str = "", head: Commit | None = None) -> GalleryParts:
    return GalleryParts(
        "m",
        head=head,
        highest=max(each.number for each in commits),
        commits={each.id: each for each in commits},
        segments={name: SegmentPart(1, ()) for name in segments.split()},
    )


def test_a_lost_head_goes_on_from_the_newest_commit() -> None:
    known = parts(commit(1, "a"), commit(2, "a", "b"), segments="a b")
    assert [ref.id for ref in known.content().segments] == ["a", "b"]
    assert known.newest_whole() == CommitName(number=2, id="c2")


def test_a_lost_commit_does_not_end_what_is_known_but_what_a_rollback_reaches() -> None:
    first, third = commit(1, "a"), commit(3, "b", snapshot="gone")
    known = parts(first, third, segments="a b", head=third)
    assert known.history() == [third]
    assert known.ancestry() == [third, first]
    assert {ref.id for ref in known.content().segments} == {"a", "b"}
    assert known.newest_whole() == CommitName(number=1, id="c1")


def test_what_was_merged_is_not_taken_twice() -> None:
    known = parts(commit(1, "a", "b"), commit(2, "ab"), segments="a b")
    known.segments["ab"] = SegmentPart(2, ("a", "b"))
    assert [ref.id for ref in known.content().segments] == ["ab"]
