"""Model files: a model returns as exactly what it was, from where that is kept, or not at all.

Covers: older.
"""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import boto3
import numpy as np
import pytest

from lens.gallery.current import read_current
from lens.models.beside import is_named, replace_beside
from lens.models.manifest import ModelManifest, list_models, read_manifest, read_network
from lens.photos.catalog import Catalog
from lens.pipeline.model_files import Restored, damaged_files, restore_files
from lens.pipeline.repair import repair
from lens.pipeline.verify import inspect
from lens.storage import FileStorage, Storage, open_storage
from lens.storage.formats import announce_format
from tests.support.s3_bucket import BUCKET, s3_bucket
from tests.support.small_galleries import NOW, add, make_live, photo
from tests.support.tiny_model import write_tiny_model

ASIDE = "damaged/now/"


@pytest.fixture
def storage(tmp_path: Path) -> FileStorage:
    storage = FileStorage(tmp_path / "made")
    announce_format(storage, NOW)
    return storage


@pytest.fixture
def model(storage: FileStorage) -> ModelManifest:
    return write_tiny_model(storage)


def damaged(storage: Storage, model_id: str) -> dict[str, str]:
    return dict(damaged_files(storage, model_id, load=True))


def test_a_whole_model_has_no_damaged_file(storage: FileStorage, model: ModelManifest) -> None:
    assert damaged(storage, model.model_id) == {}


def test_a_manifest_that_says_something_else_than_its_id_is_damaged(
    storage: FileStorage, model: ModelManifest
) -> None:
    key = f"models/{model.model_id}/manifest.json"
    path = storage.root / key
    path.write_text(model.model_dump_json().replace("127.0", "126.0"))
    assert damaged(storage, model.model_id) == {key: "it is not what the model's id was made from"}


@pytest.mark.parametrize("name", ["model.onnx", "manifest.json"])
def test_a_training_in_the_artifacts_gives_a_file_back(
    storage: FileStorage, model: ModelManifest, name: str
) -> None:
    key = f"models/{model.model_id}/{name}"
    data = storage.read(key)[0]
    storage.write(f"training/job/1/artifacts/{key}", data)
    storage.write(f"training/other/artifacts/{key}", b"something else")
    storage.write(key, data[:-9])
    assert restore_files(storage, model.model_id, [], ASIDE) == Restored([key], [], [], [])
    assert read_network(storage, read_manifest(storage, model.model_id))
    assert storage.read(ASIDE + key)[0] == data[:-9]


def test_bytes_with_another_checksum_are_no_network(
    storage: FileStorage, model: ModelManifest
) -> None:
    key = f"models/{model.model_id}/model.onnx"
    storage.write(key, b"spoiled")
    other = restore_files(storage, model.model_id, [lambda key: [b"other"]], ASIDE)
    assert other == Restored([], [], [], [key])
    assert storage.read(key)[0] == b"spoiled"


def test_what_lies_beside_a_model_may_be_done_without(
    storage: FileStorage, model: ModelManifest
) -> None:
    key = f"models/{model.model_id}/probes.npy"
    storage.write(key, b"spoiled")
    assert set(damaged(storage, model.model_id)) == {key}
    assert restore_files(storage, model.model_id, [], ASIDE) == Restored([], [], [key], [])
    assert storage.head(key) is None
    assert damaged(storage, model.model_id) == {}


BESIDE = ("probes.npy", "garment.npy", "shares.onnx", "calibration.json")


@pytest.mark.parametrize("name", BESIDE)
@pytest.mark.parametrize("lost", [True, False])
def test_what_the_manifest_names_returns_as_it_was(
    storage: FileStorage, model: ModelManifest, name: str, lost: bool
) -> None:
    """Whatever it is: its checksum proves it."""
    key = f"models/{model.model_id}/{name}"
    replace_beside(storage, model.model_id, name, b"as it was")
    if lost:
        (storage.root / key).unlink()
    else:
        (storage.root / key).write_bytes(b"as it is.")
    assert set(dict(damaged_files(storage, model.model_id))) == {key}
    sources = [lambda key: [b"another", b"as it was"]]
    assert restore_files(storage, model.model_id, sources, ASIDE).back == [key]
    assert storage.read(key)[0] == b"as it was"
    assert (storage.head(ASIDE + key) is None) == lost


@pytest.mark.parametrize("name", BESIDE)
def test_what_is_nowhere_as_it_was_is_named_no_more(
    storage: FileStorage, model: ModelManifest, name: str
) -> None:
    replace_beside(storage, model.model_id, name, b"as it was")
    key = f"models/{model.model_id}/{name}"
    (storage.root / key).unlink()
    sources = [lambda key: [b"another"]]
    assert restore_files(storage, model.model_id, sources, ASIDE) == Restored([], [], [key], [])
    assert damaged(storage, model.model_id) == {}


def test_another_release_s_calibration_is_better_than_none(
    storage: FileStorage, model: ModelManifest
) -> None:
    replace_beside(storage, model.model_id, "probes.npy", b"as it was")
    key = f"models/{model.model_id}/probes.npy"
    (storage.root / key).write_bytes(b"spoiled")
    out = BytesIO()
    np.save(out, np.eye(8, dtype=np.float32))
    sources = [lambda key: [out.getvalue()]]
    assert restore_files(storage, model.model_id, sources, ASIDE) == Restored([], [key], [], [])
    manifest = read_manifest(storage, model.model_id)
    assert is_named(manifest, "probes.npy", out.getvalue())


def test_a_versioned_bucket_gives_back_what_it_had(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "photos").mkdir()
    catalog = Catalog(FileStorage(tmp_path / "photos"))
    with s3_bucket(monkeypatch):
        boto3.client("s3", region_name="us-east-1").put_bucket_versioning(
            Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"}
        )
        storage = open_storage(f"s3://{BUCKET}/made")
        live, other = (write_tiny_model(storage, seed).model_id for seed in (0, 1))
        make_live(storage, live, other)
        for model_id in (live, other):
            add(storage, photo("a.png", "1"), model_id=model_id)
        for key in ("current.json", f"models/{live}/manifest.json"):
            storage.write(key, b"spoiled")
        storage.delete(f"models/{live}/model.onnx")
        assert not inspect(storage).whole
        repair(storage, catalog)
        assert inspect(storage).damages == []
        assert list_models(storage) == sorted([live, other])
        current = read_current(storage)
        assert current is not None
        assert (current.live, current.previous) == (live, (other,))
