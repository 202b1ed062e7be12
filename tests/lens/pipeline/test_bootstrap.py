"""Setup: the first deployment gets a model and an empty gallery, all others what they have."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lens.errors import ArtifactError
from lens.gallery.commits import read_head
from lens.gallery.current import Current, read_current, swap_current
from lens.models.embedder import load_embedder
from lens.models.manifest import list_models, read_manifest
from lens.photos.catalog import Catalog
from lens.photos.origin import read_origin
from lens.pipeline.bootstrap import is_due, set_up
from lens.pipeline.rollback import rollback
from lens.search.searcher import Searcher
from lens.storage import FileStorage, Storage, open_storage
from tests.histories.interrupting_storage import (
    CrashError,
    InterruptingStorage,
    Interruption,
    Step,
)
from tests.support.s3_bucket import BUCKET
from tests.support.small_galleries import NOW, add, photo
from tests.support.tiny_model import png, write_tiny_model


@pytest.fixture
def source(tmp_path: Path) -> FileStorage:
    storage = FileStorage(tmp_path / "bundle")
    write_tiny_model(storage)
    return storage


@pytest.fixture
def artifacts(s3: None) -> Storage:
    return open_storage(f"s3://{BUCKET}")


def test_new_artifacts_belong_to_the_catalog_before_its_first_photo(
    artifacts: Storage, source: FileStorage, tmp_path: Path
) -> None:
    mine, other = (Catalog(FileStorage(tmp_path / name)) for name in ("mine", "other"))
    set_up(artifacts, source, now=NOW, catalog=mine)
    assert read_origin(artifacts) == mine.storage.location
    # Whoever looks at the other one's photos refuses it: the deployment itself goes on.
    set_up(artifacts, source, now=NOW, catalog=other)
    assert read_origin(artifacts) == mine.storage.location


def test_artifacts_that_somebody_has_begun_are_claimed_by_no_deployment(
    artifacts: Storage, source: FileStorage, tmp_path: Path
) -> None:
    """Who knows whether it names the right catalog? A comparison with the listing tells."""
    set_up(artifacts, source, now=NOW)
    set_up(artifacts, source, now=NOW, catalog=Catalog(FileStorage(tmp_path)))
    assert read_origin(artifacts) is None


def content(storage: Storage) -> dict[str, tuple[bytes, float]]:
    return {
        info.key: (storage.read(info.key)[0], info.modified)
        for info in storage.list()
        if not info.key.startswith(".")
    }


def test_a_new_deployment_searches_with_its_model_and_finds_nothing(
    artifacts: Storage, source: FileStorage
) -> None:
    (model_id,) = list_models(source)
    assert set_up(artifacts, source, now=NOW) == Current(live=model_id)
    assert load_embedder(artifacts, model_id).manifest == load_embedder(source, model_id).manifest
    head = read_head(artifacts, model_id)
    assert head is not None and (head.snapshot, head.segments) == (None, ())
    results = Searcher(artifacts).search(png(1))
    assert (results.model_id, results.hits) == (model_id, ())


def test_a_second_deployment_writes_nothing(artifacts: Storage, source: FileStorage) -> None:
    set_up(artifacts, source, now=NOW)
    before = content(artifacts)
    set_up(artifacts, source, now=NOW + 1)
    assert content(artifacts) == before


def test_a_gallery_and_a_promoted_model_outlive_a_deployment_with_another_default_model(
    artifacts: Storage, source: FileStorage
) -> None:
    live = write_tiny_model(artifacts, seed=7).model_id
    swap_current(artifacts, lambda _: Current(live=live, previous=("earlier",)))
    add(artifacts, photo("a.jpg", "5"), model_id=live)
    before = content(artifacts)
    assert set_up(artifacts, source, now=NOW).live == live
    after = content(artifacts)
    assert {key: after[key] for key in before} == before
    assert {key.split("/")[0] for key in after.keys() - before.keys()} == {"models"}


DEFAULT = 3  # the number of the default model that comes with this deployment


@pytest.fixture
def newer(tmp_path: Path) -> FileStorage:
    storage = FileStorage(tmp_path / "newer")
    write_tiny_model(storage, seed=9, number=DEFAULT)
    return storage


@pytest.mark.parametrize(
    ("kind", "number"), [("orthogonal", 0), ("pca", 0), ("trained", 2), ("trained", 1)]
)
def test_an_earlier_default_model_is_to_be_replaced(
    kind: str, number: int, artifacts: Storage, newer: FileStorage
) -> None:
    (default,) = list_models(newer)
    live = write_tiny_model(artifacts, seed=1, kind=kind, number=number).model_id
    swap_current(artifacts, lambda _: Current(live=live))
    current = set_up(artifacts, newer, now=NOW)
    assert current == Current(live=live, candidate=default) == read_current(artifacts)
    assert set_up(artifacts, newer, now=NOW) == current, "a second deployment changes nothing"


@pytest.mark.parametrize("number", [0, DEFAULT, DEFAULT + 1])
def test_a_model_of_the_shops_own_and_a_newer_default_stay(
    number: int, artifacts: Storage, newer: FileStorage
) -> None:
    live = write_tiny_model(artifacts, seed=1, number=number).model_id
    swap_current(artifacts, lambda _: Current(live=live))
    assert set_up(artifacts, newer, now=NOW) == Current(live=live)


def test_a_pin_another_candidate_and_a_way_back_are_left_alone(
    artifacts: Storage, newer: FileStorage
) -> None:
    (default,) = list_models(newer)
    live = write_tiny_model(artifacts, seed=1, kind="pca").model_id
    swap_current(artifacts, lambda _: Current(live=live))
    add(artifacts, photo("a.jpg", "5"), model_id=live)
    add(artifacts, photo("b.jpg", "6"), model_id=live)
    assert is_due(artifacts, read_manifest(newer, default))
    current = Current(live=live)
    for update in ({"candidate": "training"}, {"previous": (default,)}):
        left = swap_current(artifacts, lambda _, u=update: current.model_copy(update=u))  # type: ignore[misc]
        assert set_up(artifacts, newer, now=NOW) == left
    swap_current(artifacts, lambda _: current)
    rollback(artifacts, now=NOW)
    pinned = read_current(artifacts)
    assert set_up(artifacts, newer, now=NOW) == pinned == read_current(artifacts)


def test_without_a_gallery_no_default_model_is_due(artifacts: Storage, newer: FileStorage) -> None:
    assert not is_due(artifacts, read_manifest(newer, list_models(newer)[0]))


def test_of_deployments_that_race_one_head_and_one_model_remain(
    artifacts: Storage, source: FileStorage
) -> None:
    with ThreadPoolExecutor(8) as executor:
        done = list(executor.map(lambda _: set_up(artifacts, source, now=NOW), range(8)))
    assert set(done) == {read_current(artifacts)}
    head = read_head(artifacts, done[0].live)
    assert head is not None and head.number == 1


@pytest.mark.parametrize("how", ["crash before", "crash after", "lost answer"])
def test_a_setup_that_ended_anywhere_is_finished_by_the_next(
    how: str, tmp_path: Path, source: FileStorage
) -> None:
    (model_id,) = list_models(source)
    for at in range(1, 30):
        artifacts = FileStorage(tmp_path / f"artifacts-{at}")
        storage = InterruptingStorage(artifacts, lambda step: None)
        interruption = Interruption(at, how, Step("", 0), of="write")  # type: ignore[arg-type]
        with storage.interrupted([interruption]):
            try:
                set_up(storage, source, now=NOW)
            except CrashError:
                pass
            else:
                if how != "lost answer":
                    break
        assert set_up(artifacts, source, now=NOW).live == model_id
        head = read_head(artifacts, model_id)
        assert head is not None and head.number == 1
        assert Searcher(artifacts).search(png(1)).hits == ()
    assert at > 4, "model, manifest, history, head and current are five writes"


def test_it_needs_exactly_one_model(artifacts: Storage, source: FileStorage) -> None:
    with pytest.raises(ArtifactError, match=r"one model, not 0: run `python -m lambdas\.setup"):
        set_up(artifacts, FileStorage(source.root / "nowhere"), now=NOW)
    write_tiny_model(source, seed=1)
    with pytest.raises(ArtifactError, match="one model, not 2"):
        set_up(artifacts, source, now=NOW)
    assert content(artifacts) == {}


def test_a_damaged_model_is_not_made_live(artifacts: Storage, source: FileStorage) -> None:
    (model_id,) = list_models(source)
    source.write(f"models/{model_id}/model.onnx", b"half")
    with pytest.raises(ArtifactError, match="does not match its checksum"):
        set_up(artifacts, source, now=NOW)
    assert read_current(artifacts) is None
