"""Choice and speeds: a model's forms are measured once for a kind of CPU, and the fastest loads.

Forms here have networks of few products or of many, so which is faster is no matter of luck.
"""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from lens.errors import ArtifactError, DamagedError, StorageError
from lens.models import choice, speeds
from lens.models.choice import load_fastest, milliseconds_of, timed_photos
from lens.models.embedder import RUNTIME, Embedder, load_embedder
from lens.models.manifest import (
    FP32,
    FasterNetwork,
    HeadInfo,
    ModelManifest,
    network_key,
    write_model,
)
from lens.models.speeds import Speeds, read_speeds, speeds_key, write_speeds
from lens.storage import FileStorage, Storage
from tests.support.tiny_model import DIM, PREPROCESSING, SIDE

FAST, SLOW = 1, 150  # products of 128 x 128


def graph(products: int) -> bytes:
    """Pixels (N, 3, 8, 8) to unit vectors (N, 8), after so many products in between."""
    inner = 128
    rng = np.random.default_rng(0)

    def array(name: str, *shape: int) -> object:
        return numpy_helper.from_array(rng.standard_normal(shape).astype(np.float32), name)

    tensors = [
        array("w0", 3 * SIDE * SIDE, inner),
        array("w", inner, inner),
        array("w1", inner, DIM),
    ]
    tensors.append(numpy_helper.from_array(np.array([inner, 1], np.int64), "many"))
    nodes = [
        helper.make_node("Flatten", ["pixels"], ["flat"]),
        helper.make_node("MatMul", ["flat", "w0"], ["one"]),
        helper.make_node("Tile", ["one", "many"], ["x0"]),
    ]
    for i in range(products):
        nodes.append(helper.make_node("MatMul", [f"x{i}", "w"], [f"p{i}"]))
        nodes.append(helper.make_node("LpNormalization", [f"p{i}"], [f"x{i + 1}"], axis=1, p=2))
    nodes += [
        helper.make_node("ReduceMean", [f"x{products}"], ["mean"], axes=[0], keepdims=1),
        helper.make_node("MatMul", ["mean", "w1"], ["projected"]),
        helper.make_node("LpNormalization", ["projected"], ["embedding"], axis=1, p=2),
    ]
    made = helper.make_graph(
        nodes,
        "products",
        [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, [1, 3, SIDE, SIDE])],
        [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, [1, DIM])],
        tensors,
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return bytes(model.SerializeToString())


def write_forms(storage: Storage, **products: int) -> ModelManifest:
    """A model with these forms; the last one has to be fp32."""
    networks = {name: graph(count) for name, count in products.items()}
    fp32 = networks.pop(FP32)
    return write_model(
        storage,
        fp32,
        backbone="products",
        embedding_dim=DIM,
        preprocessing=PREPROCESSING,
        head=HeadInfo(kind="trained"),
        faster={name: FasterNetwork(each, "", {}) for name, each in networks.items()},
    )


@pytest.fixture
def storage(tmp_path: Path) -> FileStorage:
    return FileStorage(tmp_path)


@pytest.mark.parametrize(
    "products",
    [
        {"eight": FAST, "merged": SLOW, FP32: SLOW},
        {"eight": SLOW, "merged": FAST, FP32: SLOW},
        {"eight": SLOW, "merged": SLOW, FP32: FAST},
    ],
)
def test_the_fastest_form_is_loaded_wherever_the_manifest_has_it(
    storage: FileStorage, products: dict[str, int]
) -> None:
    manifest = write_forms(storage, **products)
    fastest = next(name for name, count in products.items() if count == FAST)
    embedder = load_embedder(storage, manifest.model_id, seconds=1e9)
    assert embedder.precision == fastest and embedder.damaged is None
    assert embedder.speeds is not None
    assert set(embedder.speeds.milliseconds) == set(products)
    assert embedder.milliseconds == min(embedder.speeds.milliseconds.values())


def test_what_was_measured_is_not_measured_again_here_nor_by_another_process(
    storage: FileStorage,
) -> None:
    manifest = write_forms(storage, eight=FAST, fp32=FAST)
    told: list[str] = []
    first = load_embedder(storage, manifest.model_id, seconds=1e9, told=told.append)
    assert told == ["eight", FP32]
    again = load_embedder(storage, manifest.model_id, seconds=1e9, told=told.append)
    assert told == ["eight", FP32] and again.speeds == first.speeds
    assert again.precision == first.precision


def test_the_figures_decide_and_not_the_order(storage: FileStorage) -> None:
    manifest = write_forms(storage, eight=SLOW, fp32=FAST)
    known = read_speeds(storage, manifest.model_id, RUNTIME)
    write_speeds(storage, known.adding("eight", 5.0).adding(FP32, 9.0))
    assert load_embedder(storage, manifest.model_id).precision == "eight"
    newer = Speeds(model_id=known.model_id, cpu=known.cpu, runtime="onnxruntime 0.1")
    write_speeds(storage, newer.adding("eight", 9.0).adding(FP32, 5.0))
    assert load_embedder(storage, manifest.model_id).precision == "eight", "of another runtime"
    elsewhere = Speeds(model_id=known.model_id, cpu="another CPU", runtime=RUNTIME)
    write_speeds(storage, elsewhere.adding("eight", 9.0).adding(FP32, 5.0))
    assert load_embedder(storage, manifest.model_id).precision == "eight", "of another CPU"


def test_without_time_the_model_s_own_order_counts_and_each_load_goes_on(
    storage: FileStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = write_forms(storage, slow=SLOW, fast=FAST, fp32=SLOW)
    model_id = manifest.model_id
    first = load_embedder(storage, model_id, seconds=0)
    assert first.precision == "slow", "one has to be loaded anyway, and so it is measured"
    assert list(read_speeds(storage, model_id, RUNTIME).milliseconds) == ["slow"]
    monkeypatch.setattr(choice, "_BYTES_A_SECOND", float("inf"))
    told: list[str] = []

    def one_more(form: str) -> None:
        """Takes all the time that there is."""
        told.append(form)
        monkeypatch.setattr(choice, "_BYTES_A_SECOND", 1e-9)

    assert load_embedder(storage, model_id, seconds=1.0, told=one_more).precision == "fast"
    assert told == ["fast"]
    monkeypatch.undo()
    load_embedder(storage, model_id, seconds=1e9, told=told.append)
    assert told == ["fast", FP32]


def test_what_is_fetched_from_afar_is_measured_only_if_it_can_be_fetched_in_time(
    storage: FileStorage,
) -> None:
    manifest = write_forms(storage, eight=FAST, fp32=FAST)
    size = len(storage.read(network_key(manifest))[0])
    assert choice._expected(storage, manifest, FP32, afar=True) > size / choice._BYTES_A_SECOND_AFAR
    near = choice._expected(storage, manifest, FP32, afar=False)
    assert near < choice._expected(storage, manifest, FP32, afar=True)


@pytest.mark.parametrize("known", [False, True])
def test_a_form_that_does_not_load_costs_only_itself_and_is_named(
    storage: FileStorage, known: bool, caplog: pytest.LogCaptureFixture
) -> None:
    manifest = write_forms(storage, eight=FAST, fp32=SLOW)
    if known:  # damaged after it was measured
        assert load_embedder(storage, manifest.model_id).precision == "eight"
    key = network_key(manifest, "eight")
    storage.write(key, storage.read(key)[0][:-1])
    with caplog.at_level(logging.WARNING):
        embedder = load_embedder(storage, manifest.model_id, seconds=1e9)
    assert embedder.precision == FP32
    assert embedder.damaged is not None and embedder.damaged.key == key
    assert key in caplog.text
    storage.delete(key)
    assert load_embedder(storage, manifest.model_id).precision == FP32


def test_a_form_that_loads_but_embeds_nothing_costs_only_itself(storage: FileStorage) -> None:
    manifest = write_forms(storage, eight=FAST, fp32=SLOW)

    class Broken(Embedder):
        def embed(self, *_: object) -> object:  # type: ignore[override]
            raise RuntimeError("[ONNXRuntimeError] : 6\nmore")

    def load(form: str) -> Embedder:
        kind = Broken if form == "eight" else Embedder
        return kind(manifest, storage.read(network_key(manifest, form))[0], form)

    embedder, found, lost = load_fastest(storage, manifest, load, RUNTIME, seconds=1e9)
    assert embedder.precision == FP32 and list(found.milliseconds) == [FP32]
    assert [str(error) for error in lost] == ["it embeds no photo ([ONNXRuntimeError] : 6)"]


def test_where_no_form_loads_the_first_one_s_error_is_raised(storage: FileStorage) -> None:
    manifest = write_forms(storage, eight=FAST, fp32=FAST)
    for form in manifest.variants:
        storage.write(network_key(manifest, form), b"nothing")
    with pytest.raises(DamagedError, match=r"model\.eight\.onnx"):
        load_embedder(storage, manifest.model_id)


def test_damaged_figures_are_measured_again(storage: FileStorage) -> None:
    manifest = write_forms(storage, eight=FAST, fp32=SLOW)
    load_embedder(storage, manifest.model_id)
    key = speeds_key(read_speeds(storage, manifest.model_id, RUNTIME))
    storage.write(key, b"{")
    assert read_speeds(storage, manifest.model_id, RUNTIME).milliseconds == {}
    assert load_embedder(storage, manifest.model_id).precision == "eight"
    assert list(read_speeds(storage, manifest.model_id, RUNTIME).milliseconds) == ["eight", FP32]


def test_figures_of_another_model_under_this_one_s_name_do_not_count(storage: FileStorage) -> None:
    known = read_speeds(storage, "a", RUNTIME)
    write_speeds(storage, known.adding(FP32, 1.0))
    data = storage.read(speeds_key(known))[0]
    other = known.model_copy(update={"model_id": "b"})
    storage.write(speeds_key(other), data)
    assert read_speeds(storage, "b", RUNTIME) == other


def test_who_may_not_write_figures_measures_and_goes_on(
    storage: FileStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = write_forms(storage, eight=FAST, fp32=SLOW)

    def denied(*_: object, **__: object) -> None:
        raise StorageError("AccessDenied")

    monkeypatch.setattr(speeds, "replace_document", denied)
    for _ in range(2):
        assert load_embedder(storage, manifest.model_id).precision == "eight"
    assert not list(storage.list(speeds.PREFIX))


def test_a_named_precision_is_loaded_unmeasured_and_tells_what_is_known(
    storage: FileStorage,
) -> None:
    manifest = write_forms(storage, eight=FAST, fp32=SLOW)
    named = load_embedder(storage, manifest.model_id, FP32)
    assert named.precision == FP32 and named.milliseconds is None
    load_embedder(storage, manifest.model_id, seconds=1e9)
    assert (load_embedder(storage, manifest.model_id, FP32).milliseconds or 0) > 0


def test_the_timed_photos_are_half_blank_and_not_blank_at_all() -> None:
    half, filled = (np.asarray(photo) for photo in timed_photos())
    assert half.shape == filled.shape
    assert (half[:, half.shape[1] // 2 :] == 255).all()
    assert filled.max() < 245 and filled.std() > 20


def test_a_form_that_gives_no_vector_is_an_error_of_the_artifact(storage: FileStorage) -> None:
    class Bad:
        def embed(self, image: object) -> None:
            raise ArtifactError("not finite")

    with pytest.raises(ArtifactError, match="not finite"):
        milliseconds_of(Bad())
