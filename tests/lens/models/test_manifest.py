"""Models and the embedder: precisions written, copied, and loaded by their names."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lens.errors import ArtifactError
from lens.models.cpu import INT8_DOT_PRODUCTS
from lens.models.embedder import load_embedder
from lens.models.manifest import (
    FP32,
    FasterNetwork,
    HeadInfo,
    ModelManifest,
    PrecisionLoss,
    copy_model,
    manifest_key,
    read_manifest,
    read_network,
    write_model,
)
from lens.search.searcher import Searcher
from lens.storage import Storage, open_storage
from tests.support.tiny_model import DIM, PREPROCESSING, png, tiny_graph, write_tiny_model

LOSS = PrecisionLoss(queries=1, top_10_overlap=0.99)


@pytest.fixture
def artifacts(tmp_path: Path) -> Storage:
    return open_storage(tmp_path / "artifacts")


def write_precisions(artifacts: Storage, **needs: str) -> ModelManifest:
    """The tiny model, with a network of its own (another seed's) for each precision."""
    faster = {
        name: FasterNetwork(tiny_graph(seed), each, {"benchmark": LOSS})
        for seed, (name, each) in enumerate(needs.items(), start=1)
    }
    return write_model(
        artifacts,
        tiny_graph(0),
        backbone="tiny",
        embedding_dim=DIM,
        preprocessing=PREPROCESSING,
        head=HeadInfo(kind="trained"),
        faster=faster,
    )


def test_an_embedder_tells_the_precision_it_was_loaded_in(artifacts: Storage) -> None:
    manifest = write_precisions(artifacts, half="")
    assert load_embedder(artifacts, manifest.model_id, "half").precision == "half"
    named = load_embedder(artifacts, manifest.model_id, FP32)
    assert named.precision == FP32
    assert read_network(artifacts, manifest) == tiny_graph(0)
    assert read_network(artifacts, manifest, "half") == tiny_graph(1)


def test_a_precision_that_a_model_lacks_is_refused_with_those_it_has(artifacts: Storage) -> None:
    manifest = write_precisions(artifacts, int8=INT8_DOT_PRODUCTS)
    with pytest.raises(ArtifactError, match=r"'int4'; it has: int8, fp32; LENS_PRECISION"):
        load_embedder(artifacts, manifest.model_id, "int4")


def test_searches_embed_in_the_precision_they_are_told(artifacts: Storage) -> None:
    from lens.gallery.current import Current, swap_current

    manifest = write_precisions(artifacts, half="")
    swap_current(artifacts, lambda _: Current(live=manifest.model_id))
    for asked in ("half", FP32):
        pair = Searcher(artifacts, precision=asked).refresh()
        assert pair is not None and pair.embedder.precision == asked
    with pytest.raises(ArtifactError, match="no precision 'int4'"):
        Searcher(artifacts, precision="int4").search(png(1))


def test_the_losses_that_the_gate_measured_travel_with_the_model(artifacts: Storage) -> None:
    manifest = write_precisions(artifacts, int8=INT8_DOT_PRODUCTS)
    read = read_manifest(artifacts, manifest.model_id)
    assert read == manifest and read.variants["int8"].losses == {"benchmark": LOSS}
    assert read.variants["int8"].needs == INT8_DOT_PRODUCTS


def test_a_model_of_fp32_alone_keeps_the_id_and_the_manifest_it_always_had(
    artifacts: Storage,
) -> None:
    manifest = write_tiny_model(artifacts)
    assert manifest.model_id == write_precisions(artifacts).model_id == "tiny-a434eff0d40b"
    key = manifest_key(manifest.model_id)
    written = json.loads(artifacts.read(key)[0])
    assert list(written["variants"]) == [FP32]
    for added in ("needs", "losses"):  # as manifests were before there were precisions
        del written["variants"][FP32][added]
    artifacts.write(key, json.dumps(written).encode())
    assert read_manifest(artifacts, manifest.model_id) == manifest
    assert load_embedder(artifacts, manifest.model_id).precision == FP32


def test_another_set_of_precisions_is_another_model(artifacts: Storage) -> None:
    ids = {
        write_precisions(artifacts).model_id,
        write_precisions(artifacts, int8=INT8_DOT_PRODUCTS).model_id,
        write_precisions(artifacts, int8=INT8_DOT_PRODUCTS, safer="").model_id,
    }
    assert len(ids) == 3
    for model_id in ids:  # none has touched another's files
        manifest = read_manifest(artifacts, model_id)
        assert all(read_network(artifacts, manifest, name) for name in manifest.variants)


def test_a_copied_model_has_all_its_precisions(artifacts: Storage, tmp_path: Path) -> None:
    manifest = write_precisions(artifacts, int8=INT8_DOT_PRODUCTS)
    target = open_storage(tmp_path / "target")
    for _ in range(2):
        copy_model(artifacts, target, manifest)
    assert read_manifest(target, manifest.model_id) == manifest
    assert read_network(target, manifest, "int8") == tiny_graph(1)
