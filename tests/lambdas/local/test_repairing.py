"""Repairing: whatever happens to an artifact, one command brings the gallery back, and only what
was lost is embedded again."""

from __future__ import annotations

import shutil
import time
from functools import partial
from pathlib import Path

import pytest

from lambdas.local import indexer, repairing
from lambdas.local.indexer import index_catalog
from lambdas.local.pipeline import Pipeline
from lambdas.local.repairing import repair_artifacts
from lens.default_model import shipped
from lens.errors import LensError
from lens.gallery.commits import read_head
from lens.gallery.current import read_current
from lens.gallery.loading import load_gallery
from lens.pipeline.collect import collect
from lens.pipeline.compact import fold
from lens.pipeline.promote import promote
from lens.pipeline.verify import inspect
from lens.search.searcher import Searcher
from lens.search.wanted import Wanted
from lens.settings import Settings
from lens.storage import open_storage
from lens.storage.formats import announce_format
from tests.support.s3_bucket import BUCKET, s3_bucket
from tests.support.sqs_queues import looks, make_queue
from tests.support.tiny_model import png, ship_tiny_model, write_tiny_model

PHOTOS = 15
HOWS = ("empty", "half", "gone", "bit")
# Each kind of artifact, and how many photos are lost with it.
KINDS = {
    "current.json": 0,
    "heads/*.json": 0,
    "commits/*/*.json": 0,
    "segments/*/*.npz": 1,
    "models/*/model.onnx": 0,
    "models/*/manifest.json": 0,
    "snapshots/*/*/manifest.json": 0,
    "snapshots/*/*/rows.npz": 0,
    "snapshots/*/*/vectors.npy": 0,
    "layout.json": 0,
    "formats.json": 0,
    "collected.json": 0,
}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A catalog, and its artifacts as `made`: a snapshot of 12 photos, and three segments."""
    folder = tmp_path_factory.mktemp("shop")
    (folder / "photos").mkdir()
    ship_tiny_model(folder / "shipped", seed=5, number=3)
    place = pipeline_of(folder, "made")
    announce_format(place.artifacts, 0.0)
    write_shipped(folder, place)
    for number in range(PHOTOS):
        (folder / f"photos/{number:02}.png").write_bytes(png(number))
        if number == PHOTOS - 4:
            model_id = shipped.shipped_manifest(folder / "shipped").model_id
            promote(place.artifacts, place.catalog, model_id, place.look)
            assert fold(place.artifacts, read_head(place.artifacts, model_id), now=time.time())
        elif number > PHOTOS - 4:
            place.reconcile()
    place.collect()
    return folder


def write_shipped(folder: Path, place: Pipeline) -> str:
    return shipped.write_shipped(place.artifacts, folder / "shipped").model_id


def pipeline_of(folder: Path, made: str | Path) -> Pipeline:
    settings = {"catalog": folder / "photos", "artifacts": folder / made, "layout": "folders"}
    return Pipeline(Settings(**{name: str(each) for name, each in settings.items()}, threads=2))


@pytest.fixture
def place(shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    """A copy of the shop's artifacts."""
    shutil.copytree(shop / "made", tmp_path / "made")
    for name in ("shipped_manifest", "write_shipped"):
        here = partial(getattr(shipped, name), folder=shop / "shipped")
        for module in (indexer, repairing):
            monkeypatch.setattr(module, name, here)
    monkeypatch.setattr(repairing, "FOLDER", shop / "shipped")
    return pipeline_of(shop, tmp_path / "made")


def hurt(place: Pipeline, kind: str, how: str) -> Path:
    """Damage the newest artifact of a kind; one that the head names, where it names one."""
    root = Path(place.settings.artifacts)
    found = sorted(root.glob(kind), key=lambda path: path.stat().st_mtime_ns)
    path, data = found[-1], found[-1].read_bytes()
    if how == "gone":
        path.unlink()
    elif how == "bit":
        middle = len(data) // 2
        path.write_bytes(data[:middle] + bytes([data[middle] ^ 0x10]) + data[middle + 1 :])
    else:
        path.write_bytes(data[: len(data) // 2] if how == "half" else b"")
    return path


def check_whole(place: Pipeline) -> None:
    """All is well: every photo is found, nothing is damaged, and a repair has nothing to do."""
    found = inspect(place.artifacts)
    assert found.damages == []
    current = read_current(place.artifacts)
    assert current is not None
    gallery = load_gallery(place.artifacts, read_head(place.artifacts, current.live))
    assert {row.key for row in gallery.photos()} == {f"{n:02}.png" for n in range(PHOTOS)}
    searcher = Searcher(place.artifacts)
    searcher.refresh()
    for number in range(PHOTOS):
        assert searcher.search(png(number), Wanted(1)).hits[0].key == f"{number:02}.png"
    assert repair_artifacts(place).done == []
    collect(place.artifacts, place.artifacts, place.look, now=time.time())


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_repair_embeds_only_what_was_lost(place: Pipeline, kind: str, how: str) -> None:
    hurt(place, kind, how)
    repaired = repair_artifacts(place)
    assert len(repaired.looks) <= KINDS[kind]
    check_whole(place)


@pytest.mark.slow
@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("kind", KINDS)
def test_indexing_heals(place: Pipeline, kind: str, how: str) -> None:
    hurt(place, kind, how)
    index_catalog(place)
    repair_artifacts(place)
    check_whole(place)


def test_what_is_damaged_is_kept(place: Pipeline) -> None:
    path = hurt(place, "segments/*/*.npz", "half")
    data, name = path.read_bytes(), path.relative_to(place.settings.artifacts)
    repair_artifacts(place)
    assert not path.exists()
    (kept,) = Path(place.settings.artifacts).glob(f"damaged/*/{name}")
    assert kept.read_bytes() == data
    collect(place.artifacts, place.artifacts, place.look, now=time.time() + 100 * 86_400)
    collect(place.artifacts, place.artifacts, place.look, now=time.time() + 200 * 86_400)
    assert kept.read_bytes() == data


def test_whole_artifacts_are_left_alone(place: Pipeline) -> None:
    root = Path(place.settings.artifacts)
    before = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    assert repair_artifacts(place).done == []
    assert {path: path.read_bytes() for path in root.rglob("*") if path.is_file()} == before


def test_a_trained_model_returns_from_a_copy_that_is_named_or_not_at_all(
    place: Pipeline, tmp_path: Path
) -> None:
    trained = write_tiny_model(place.artifacts, seed=9).model_id
    promote(place.artifacts, place.catalog, trained, place.look)
    shutil.copytree(place.settings.artifacts, tmp_path / "copy")
    network = Path(place.settings.artifacts) / f"models/{trained}/model.onnx"
    network.write_bytes(b"no network")
    with pytest.raises(LensError, match=r"--from LOCATION.*--model ID"):
        repair_artifacts(place)
    with pytest.raises(LensError, match=r"--from LOCATION.*--model ID"):
        index_catalog(place)
    repaired = repair_artifacts(place, copies=str(tmp_path / "copy"))
    assert repaired.looks == []
    check_whole(place)


def test_another_model_can_take_the_place_of_a_lost_one(place: Pipeline) -> None:
    first = read_current(place.artifacts)
    trained = write_tiny_model(place.artifacts, seed=9).model_id
    promote(place.artifacts, place.catalog, trained, place.look)
    (Path(place.settings.artifacts) / f"models/{trained}/model.onnx").unlink()
    assert first is not None
    repaired = repair_artifacts(place, model_id=first.live)
    assert repaired.looks == []  # its gallery had been kept
    assert repair_artifacts(place, model_id=repairing.DEFAULT).looks == []
    current = read_current(place.artifacts)
    assert current is not None
    assert current.live == first.live


def test_which_model_was_live_is_asked_where_two_may_have_been(place: Pipeline) -> None:
    trained = write_tiny_model(place.artifacts, seed=9).model_id
    promote(place.artifacts, place.catalog, trained, place.look)
    (Path(place.settings.artifacts) / "current.json").unlink()
    with pytest.raises(LensError, match=rf"may have been live: .*{trained} .*--model ID"):
        index_catalog(place)
    assert repair_artifacts(place, model_id=trained).looks == []
    check_whole(place)
    current = read_current(place.artifacts)
    assert current is not None
    assert (current.live, len(current.previous)) == (trained, 1)


def test_a_stack_looks_again_through_its_queue(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with s3_bucket(monkeypatch):
        artifacts = open_storage(f"s3://{BUCKET}/made")
        for info in open_storage(shop / "made").list():
            artifacts.write(info.key, (shop / "made" / info.key).read_bytes())
        queue = make_queue(monkeypatch)
        current = read_current(artifacts)
        assert current is not None
        lost = read_head(artifacts, current.live).segments[-1].id
        artifacts.write(f"segments/{current.live}/{lost}.npz", b"spoiled")
        place = Pipeline(
            Settings(
                catalog=str(shop / "photos"),
                artifacts=artifacts.location,
                embed_queue=queue.url,
                stack="ImageLens",
            )
        )
        repaired = repair_artifacts(place)
        assert [look.key for look in looks(queue)] == ["14.png"]
        assert [look.key for look in repaired.looks] == ["14.png"]
        assert inspect(artifacts).whole
