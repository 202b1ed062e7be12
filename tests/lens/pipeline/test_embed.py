"""Embed: what a look at a key finds becomes a row, in a segment of each followed model."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from lens.errors import ArtifactError, StorageError, UnreadableError, UsageError
from lens.gallery.current import Current, swap_current
from lens.gallery.product_tables import is_manifest_key
from lens.gallery.rows import Cause, Kind, Row
from lens.gallery.segments import Segment, parse_segment_key, read_segment
from lens.gallery.versions import Look, Version
from lens.models.embedder import Embedder, load_embedder
from lens.photos.catalog import Catalog
from lens.photos.decoding import decode, photo_id
from lens.photos.origin import claim_origin
from lens.photos.thumbnail_store import thumb_key
from lens.pipeline.embed import Embedding
from lens.settings import Limits
from lens.storage import FileStorage, ObjectInfo
from lens.storage.formats import SETTLED, announce_format
from tests.support.region_model import QUARTERS, UPPER, scene, scene_png, write_region_model
from tests.support.tiny_model import DIM, png, write_tiny_model

NOW = 1_000.0


class Stage:
    """An embed stage over folders, and the segments that it announced."""

    def __init__(self, folder: Path, executor: ThreadPoolExecutor) -> None:
        self.photos = FileStorage(folder / "photos")
        self.photos.root.mkdir()
        self.artifacts = FileStorage(folder / "artifacts")
        self.announced: list[str] = []
        self.models = [write_tiny_model(self.artifacts, seed).model_id for seed in (1, 2)]
        self.embedding = Embedding(
            Catalog(self.photos),
            self.artifacts,
            self.artifacts,
            lambda model_id: load_embedder(self.artifacts, model_id, ""),
            executor,
            clock=lambda: NOW,
            announce=self.announced.append,
        )

    def follow(self, *models: str) -> None:
        live, *candidate = models
        current = Current(live=live, candidate=candidate[0] if candidate else None)
        swap_current(self.artifacts, lambda _: current)

    def run(self, *looks: Look) -> dict[str, Segment]:
        """The segments written, by model."""
        self.embedding.run(looks)
        names = [parse_segment_key(key) for key in self.announced]
        self.announced.clear()
        return {model: read_segment(self.artifacts, model, name) for model, name in names}

    def row(self, key: str) -> Row:
        """What a look at the key finds."""
        return self.run(look(key))[self.models[0]].rows[0]


def look(key: str, sequencer: str = "1", model_id: str | None = None) -> Look:
    return Look(key, Version.of_event(sequencer), model_id)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with ThreadPoolExecutor(2) as executor:
        stage = Stage(tmp_path, executor)
        stage.follow(stage.models[0])
        yield stage


def test_a_photo_becomes_a_row_its_vector_and_a_thumbnail(stage: Stage) -> None:
    info = stage.photos.write("WOMEN/Tops/shirt/1.png", png(1))
    (segment,) = stage.run(look("WOMEN/Tops/shirt/1.png", "a5")).values()
    assert segment.rows[0] == Row(
        "WOMEN/Tops/shirt/1.png",
        Version.of_event("A5"),
        Kind.PHOTO,
        NOW,
        etag=info.etag,
        photo_id=photo_id(png(1)),
        item_id="WOMEN/Tops/shirt",
        category="WOMEN/Tops",
    )
    expected = load_embedder(stage.artifacts, stage.models[0], "").embed(decode(png(1), Limits()))
    np.testing.assert_array_equal(segment.vectors, expected[None])
    assert stage.artifacts.head(thumb_key(photo_id(png(1)))) is not None


def test_a_key_without_a_photo_becomes_a_tombstone(stage: Stage) -> None:
    assert stage.row("gone.png").kind == Kind.TOMBSTONE


def test_a_tombstone_says_what_caused_it(stage: Stage) -> None:
    stage.photos.write(".lensignore", b"left out.png\n")
    stage.photos.write("left out.png", png(1))
    looks = [look("a.png"), replace(look("b.png"), cause=Cause.LISTING), look("left out.png")]
    rows = stage.run(*looks)[stage.models[0]].rows
    assert rows.reason.tolist() == [b"event", b"listing", b"rule"]


def test_where_the_folder_is_gone_or_another_nothing_is_a_tombstone(stage: Stage) -> None:
    stage.photos.write("a.png", png(1))
    list(stage.embedding.catalog.photos())
    away = stage.photos.root.rename(stage.photos.root.with_name("away"))
    with pytest.raises(StorageError, match="there is no folder"):
        stage.run(look("a.png"))
    stage.photos.root.mkdir()
    with pytest.raises(StorageError, match="another folder than before"):
        stage.run(look("a.png"))
    stage.photos.root.rmdir()
    away.rename(stage.photos.root)
    assert stage.row("a.png").kind == Kind.PHOTO
    assert stage.row("gone.png").kind == Kind.TOMBSTONE


def test_a_look_that_nobody_asked_for_finds_photos_and_takes_none_out(stage: Stage) -> None:
    stage.photos.write("a.png", png(1))
    again = [replace(look(key), cause=Cause.AGAIN) for key in ("a.png", "gone.png")]
    assert stage.run(*again)[stage.models[0]].rows.key.tolist() == [b"a.png"]
    assert stage.run(again[1]) == {}
    rows = stage.run(again[1], look("gone.png"))[stage.models[0]].rows
    assert rows.reason.tolist() == [b"event"]


def test_looks_at_another_catalog_fail(stage: Stage, tmp_path: Path) -> None:
    claim_origin(stage.artifacts, Catalog(FileStorage(tmp_path / "another")))
    with pytest.raises(UsageError, match="belong to"):
        stage.run(look("gone.png"))


@pytest.mark.parametrize(
    ("data", "reason"),
    [(b"", "is empty"), (b"%PDF-1.7", "PDF files are not accepted"), (png(1)[:40], "truncat")],
)
def test_a_photo_that_cannot_be_used_becomes_a_rejection_with_its_reason(
    stage: Stage, data: bytes, reason: str
) -> None:
    info = stage.photos.write("bad.png", data)
    row = stage.row("bad.png")
    assert (row.kind, row.etag) == (Kind.REJECTION, info.etag)
    assert reason in row.reason
    assert list(stage.artifacts.list("thumbs/")) == []


def test_a_file_over_the_limit_is_rejected_without_being_read(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.photos.write("large.png", png(1))

    def read(key: str) -> tuple[bytes, ObjectInfo]:
        raise AssertionError(f"{key} was read")

    stage.embedding = replace(stage.embedding, limits=Limits(photo_bytes=10))
    monkeypatch.setattr(stage.photos, "read", read)
    row = stage.row("large.png")
    assert row.kind == Kind.REJECTION
    assert "MB" in row.reason


def test_each_followed_model_gets_a_segment_of_its_own(stage: Stage) -> None:
    live, candidate = stage.models
    stage.follow(live, candidate)
    for key, seed in (("a.png", 1), ("b.png", 2)):
        stage.photos.write(key, png(seed))
    found = stage.run(look("a.png"), look("b.png", model_id=candidate))
    keys = {m: [s.rows[i].key for i in range(len(s.rows))] for m, s in found.items()}
    assert keys == {live: ["a.png"], candidate: ["a.png", "b.png"]}
    assert not np.allclose(found[live].vectors[0], found[candidate].vectors[0])


def test_each_model_embeds_what_it_sees_in_a_photo(stage: Stage) -> None:
    live, candidate = stage.models[0], write_region_model(stage.artifacts).model_id
    stage.follow(live, candidate)
    stage.photos.write("shirt.png", scene_png(1, {0: UPPER}))
    stage.photos.write("pattern.png", scene_png(2, {}))
    found = stage.run(look("shirt.png"), look("pattern.png"))
    for model, box in ((live, None), (candidate, QUARTERS[0])):
        embedder = load_embedder(stage.artifacts, model, "")
        expected = [embedder.embed(scene(1, {0: UPPER}), box), embedder.embed(scene(2, {}))]
        np.testing.assert_array_equal(found[model].vectors, expected)


def test_of_several_looks_at_a_key_the_highest_version_is_written_once(stage: Stage) -> None:
    stage.photos.write("a.png", png(1))
    (segment,) = stage.run(look("a.png", "3"), look("a.png", "9"), look("a.png", "5")).values()
    assert [segment.rows[i].version for i in range(len(segment.rows))] == [Version.of_event("9")]


def test_keys_that_name_no_photo_are_left_alone_and_told(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    assert stage.run(look("notes.txt"), look("list_eval_partition.txt")) == {}
    stage.run(look("gone.png"), look("products.csv"))
    told = [each.getMessage().split()[0] for each in caplog.records if each.levelname == "WARNING"]
    assert told == ["'notes.txt'", "'list_eval_partition.txt'"]


def test_a_look_at_the_product_file_is_announced_if_it_found_something(stage: Stage) -> None:
    announce_format(stage.artifacts, NOW - SETTLED)
    stage.embedding.run([look("products.csv")])
    assert stage.announced == [], "there is none"
    stage.photos.write("products.csv", b"id,title\na,A\n")
    stage.embedding.run([look("products.csv")])
    (key,) = stage.announced
    assert is_manifest_key(key)
    replace(stage.embedding, announce=None).run([look("products.csv")])  # S3 announces it itself


def test_an_ignored_photo_is_not_there(stage: Stage) -> None:
    stage.photos.write("drafts/a.png", png(1))
    (stage.photos.root / ".lensignore").write_text("drafts/")
    assert stage.row("drafts/a.png").kind == Kind.TOMBSTONE
    (stage.photos.root / ".lensignore").unlink()
    assert stage.row("drafts/a.png").kind == Kind.PHOTO


def test_an_item_comes_from_the_partition_file_where_there_is_one(stage: Stage) -> None:
    stage.photos.write("img/WOMEN/Tops/id_1/1.png", png(1))
    lines = ["1", "image_name item_id evaluation_status", "img/WOMEN/Tops/id_1/1.png id_7 query"]
    stage.photos.write("list_eval_partition.txt", "\n".join(lines).encode())
    assert stage.row("img/WOMEN/Tops/id_1/1.png").item_id == "id_7"


def test_a_failure_of_ours_raises_and_writes_no_segment(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key, seed in (("a.png", 1), ("b.png", 2)):
        stage.photos.write(key, png(seed))
    read = stage.photos.read

    def failing(key: str) -> tuple[bytes, ObjectInfo]:
        if key == "b.png":
            raise StorageError("the disk does not answer")
        return read(key)

    monkeypatch.setattr(stage.photos, "read", failing)
    with pytest.raises(StorageError):
        stage.run(look("a.png"), look("b.png"))
    assert list(stage.artifacts.list("segments/")) == []


class Unreadable:
    """Photos that cannot be read, each with its error."""

    def __init__(self, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
        announce_format(stage.artifacts, NOW - SETTLED)
        self.errors: dict[str, StorageError] = {}
        read = stage.photos.read

        def failing(key: str) -> tuple[bytes, ObjectInfo]:
            if key in self.errors:
                raise self.errors[key]
            return read(key)

        monkeypatch.setattr(stage.photos, "read", failing)


@pytest.fixture
def unreadable(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Unreadable:
    return Unreadable(stage, monkeypatch)


def test_an_archived_photo_waits_at_once_and_its_neighbors_are_embedded(
    stage: Stage, unreadable: Unreadable
) -> None:
    for number in range(10):
        stage.photos.write(f"{number}.png", png(number))
    unreadable.errors["3.png"] = UnreadableError("it is archived")
    (segment,) = stage.run(*(look(f"{number}.png") for number in range(10))).values()
    kinds = {row.key: row.kind for row in map(segment.rows.__getitem__, range(10))}
    assert kinds == {f"{n}.png": Kind.WAITING if n == 3 else Kind.PHOTO for n in range(10)}
    row = segment.rows[3]
    info = stage.photos.head("3.png")
    assert info is not None
    assert (row.reason, row.etag, row.looked_at) == ("it is archived", info.etag, NOW)


def test_a_timeout_is_a_failure_until_nobody_will_ask_again(
    stage: Stage, unreadable: Unreadable
) -> None:
    stage.photos.write("a.png", png(1))
    unreadable.errors["a.png"] = StorageError("the bucket does not answer")
    with pytest.raises(StorageError):
        stage.run(look("a.png"))
    stage.embedding.run([look("a.png")], last={"a.png"})
    (name,) = stage.announced
    row = read_segment(stage.artifacts, *parse_segment_key(name)).rows[0]
    assert (row.kind, row.reason) == (Kind.WAITING, "the bucket does not answer")


def test_a_waiting_row_is_written_again_only_for_another_reason(
    stage: Stage, unreadable: Unreadable
) -> None:
    stage.photos.write("a.png", png(1))
    unreadable.errors["a.png"] = UnreadableError("it is archived")
    again = replace(look("a.png"), waits="it is archived")
    assert stage.run(again) == {}
    unreadable.errors["a.png"] = UnreadableError("its key is disabled")
    assert stage.run(again)[stage.models[0]].rows[0].reason == "its key is disabled"
    unreadable.errors.clear()
    assert stage.run(again)[stage.models[0]].rows[0].kind == Kind.PHOTO


def test_where_a_tenth_cannot_be_read_it_is_not_the_photos(
    stage: Stage, unreadable: Unreadable
) -> None:
    looks = [look(f"{number}.png") for number in range(30)]
    for number in range(30):
        stage.photos.write(f"{number}.png", png(number))
        unreadable.errors[f"{number}.png"] = UnreadableError("denied")
    with pytest.raises(StorageError, match="30 of the last 30 photos cannot be read"):
        stage.run(*looks)
    assert list(stage.artifacts.list("segments/")) == []
    unreadable.errors.clear()
    assert len(stage.run(*looks)[stage.models[0]].rows) == 30


def test_beside_an_earlier_release_what_cannot_be_read_is_a_failure(
    stage: Stage, unreadable: Unreadable
) -> None:
    stage.artifacts.delete("formats.json")
    stage.photos.write("a.png", png(1))
    unreadable.errors["a.png"] = UnreadableError("it is archived")
    with pytest.raises(UnreadableError):
        stage.run(look("a.png"))


def test_without_a_model_it_says_what_to_do(stage: Stage) -> None:
    stage.artifacts.delete("current.json")
    with pytest.raises(ArtifactError, match="lens index"):
        stage.run(look("a.png"))


def test_a_segment_without_photos_still_has_the_model_s_dimension(stage: Stage) -> None:
    (segment,) = stage.run(look("gone.png")).values()
    assert segment.vectors.shape == (0, DIM)


def test_before_each_part_of_a_look_searches_may_go_first(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    embed = Embedder.embed_main

    def noted(self: Embedder, image: Image.Image) -> NDArray[np.float32]:
        steps.append("embed")
        return embed(self, image)

    monkeypatch.setattr(Embedder, "embed_main", noted)
    polite = replace(stage.embedding, give_way=lambda: steps.append("give way"))
    stage.photos.write("a.png", png(1))
    polite.run([look("a.png")])
    assert steps == ["give way", "give way", "embed"]
    polite.run([look("gone.png")])
    assert steps[3:] == ["give way"]
