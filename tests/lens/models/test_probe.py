"""The probe: another runtime's vectors are noticed before they are searched with, and only then."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from lens.default_model.shipped import shipped_manifest, write_shipped
from lens.errors import DriftError
from lens.models import embedder
from lens.models.embedder import LIBRARIES, Embedder, load_embedder, probe_of
from lens.models.manifest import (
    FP32,
    ModelManifest,
    Probe,
    manifest_key,
    read_manifest,
    read_network,
)
from lens.models.preprocessing import to_pixels
from lens.models.probe import LEAST, check_probe, make_probe, picture_of
from lens.search.searcher import Searcher
from lens.search.wanted import Wanted
from lens.storage import FileStorage
from lens.storage.documents import read_document, replace_document
from lens.storage.formats import restore_announcement
from tests.support.small_galleries import DIM, add, make_live, photo
from tests.support.tiny_model import png, write_tiny_model

OLDER = "onnxruntime 1.0 with Pillow 1.0"


def mean_color(image: Image.Image) -> NDArray[np.float32]:
    vector = np.asarray(image.resize((2, 2)), np.float32).ravel() - 128
    return vector / np.float32(np.linalg.norm(vector))


def inverted(image: Image.Image) -> NDArray[np.float32]:
    return mean_color(Image.eval(image, lambda level: 255 - level))


def probed(artifacts: FileStorage, runtime: str) -> str:
    """A model whose probe was made by this runtime."""
    restore_announcement(artifacts, time.time())  # format 2 is written
    manifest = write_tiny_model(artifacts)
    probe = probe_of(manifest, {FP32: read_network(artifacts, manifest)})
    key = manifest_key(manifest.model_id)
    known, etag = read_document(artifacts, key, ModelManifest)
    update = {"probe": probe.model_copy(update={"runtime": runtime})}
    replace_document(artifacts, key, known.model_copy(update=update), etag)
    return manifest.model_id


def test_a_runtime_that_makes_the_same_vector_passes() -> None:
    check_probe(make_probe({FP32: mean_color}, OLDER), "m", FP32, mean_color, "a newer one")


def test_a_runtime_that_makes_another_vector_is_refused_and_told() -> None:
    probe = make_probe({FP32: mean_color}, OLDER)
    with pytest.raises(DriftError) as caught:
        check_probe(probe, "m", FP32, inverted, "a newer one")
    for part in ("a newer one embeds otherwise than " + OLDER, "m was made", "requirements.txt"):
        assert part in str(caught.value)


def test_the_runtime_that_made_it_is_not_tried() -> None:
    def never(image: Image.Image) -> NDArray[np.float32]:
        raise AssertionError("it costs each start as much as a search")

    probe = make_probe({FP32: mean_color}, OLDER)
    check_probe(probe, "m", FP32, never, OLDER)
    check_probe(probe, "m", "int8", never, "a newer one")  # the model came without it then


def test_a_model_that_was_made_by_other_libraries_is_tried_when_it_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    artifacts = FileStorage(tmp_path)
    model_id = probed(artifacts, OLDER)
    assert load_embedder(artifacts, model_id).model_id == model_id
    as_before = to_pixels
    monkeypatch.setattr(embedder, "to_pixels", lambda *given: -as_before(*given))
    with pytest.raises(DriftError):
        load_embedder(artifacts, model_id)


def test_what_drifts_is_not_searched_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    artifacts = FileStorage(tmp_path)
    model_id = probed(artifacts, OLDER)
    make_live(artifacts, model_id)
    add(artifacts, photo("a", "1"), model_id=model_id)
    warm = Searcher(artifacts)
    assert [hit.key for hit in warm.search(png(0), Wanted(1)).hits] == ["a"]
    monkeypatch.setattr(Embedder, "embed", lambda self, image, box=None: -np.ones(DIM) / DIM)
    with pytest.raises(DriftError):
        Searcher(artifacts).search(png(0), Wanted(1))


def test_the_shipped_model_has_a_probe_of_each_precision_that_this_machine_agrees_with(
    tmp_path: Path,
) -> None:
    shipped = shipped_manifest()
    assert shipped.probe is not None
    assert shipped.probe.vectors.keys() == shipped.variants.keys()
    artifacts = FileStorage(tmp_path)
    restore_announcement(artifacts, time.time())
    model_id = write_shipped(artifacts).model_id
    assert read_manifest(artifacts, model_id).probe == shipped.probe
    for precision, vector in shipped.probe.vectors.items():
        known = load_embedder(artifacts, model_id, precision)
        similarity = float(known.embed(picture_of(shipped.probe)) @ np.array(vector, np.float32))
        assert similarity > LEAST, (precision, similarity, shipped.probe.runtime, LIBRARIES)


def test_a_probe_is_in_the_manifest_as_text(tmp_path: Path) -> None:
    artifacts = FileStorage(tmp_path)
    found = read_manifest(artifacts, probed(artifacts, OLDER)).probe
    assert isinstance(found, Probe) and found.runtime == OLDER
    assert picture_of(found).size == (96, 128)
