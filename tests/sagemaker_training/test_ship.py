"""Shipping: a finished run's model becomes the default model, the same files every time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lens.default_model.shipped import shipped_manifest, write_shipped
from lens.errors import ArtifactError, NotFoundError, UsageError
from lens.models.cpu import INT8_DOT_PRODUCTS
from lens.models.manifest import (
    FasterNetwork,
    HeadInfo,
    PrecisionLoss,
    read_network,
    write_model,
)
from lens.storage import FileStorage
from ship import main, ship
from tests.support.tiny_model import DIM, PREPROCESSING, tiny_graph

LOSSES = {"benchmark": PrecisionLoss(queries=1, top_10_overlap=0.99)}


def run(artifacts: Path, seed: int = 0, **changes: Any) -> Path:
    """A finished run's model folder, in two precisions."""
    described = {
        "head": HeadInfo(kind="trained", fit_on=640),
        "recipe": {"name": "garment", "seed": 0},
        "data": {"train": {"photos": 640}},
        "metrics": {"benchmark": {"recall_at_k": {"1": 0.8}}},
        **changes,
    }
    manifest = write_model(
        FileStorage(artifacts),
        tiny_graph(seed),
        backbone="garment",
        embedding_dim=DIM,
        preprocessing=PREPROCESSING,
        faster={"int8": FasterNetwork(tiny_graph(seed + 100), INT8_DOT_PRODUCTS, LOSSES)},
        **described,
    )
    return artifacts / "models" / manifest.model_id


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_shipped_model_is_the_runs_in_every_precision(tmp_path: Path) -> None:
    model, target = run(tmp_path / "run"), tmp_path / "default_model"
    shipped = ship(model, target)
    assert set(files(target)) == {"manifest.json", "model.onnx", "model.int8.onnx"}
    assert (shipped.model_id, shipped.default_number) == (model.name, 2)
    assert shipped.recipe["name"] == "garment" and shipped.data == {"train": {"photos": 640}}
    assert shipped.head == HeadInfo(kind="trained"), "it was fit on nothing that it will serve"
    artifacts = FileStorage(tmp_path / "shop")
    assert write_shipped(artifacts, target) == shipped
    for precision, seed in (("fp32", 0), ("int8", 100)):
        assert read_network(artifacts, shipped, precision) == tiny_graph(seed)
    assert shipped.variants["int8"].losses == LOSSES


def test_the_same_model_gives_the_same_files_wherever_it_was_trained(tmp_path: Path) -> None:
    targets = [tmp_path / name for name in ("one", "two")]
    for target in targets:
        ship(run(tmp_path / f"run of {target.name}"), target)
    first = files(targets[0])
    assert files(targets[1]) == first
    ship(run(tmp_path / "again"), targets[0])
    assert files(targets[0]) == first


def test_another_model_takes_the_place_of_the_last_one_and_the_next_number(tmp_path: Path) -> None:
    target = tmp_path / "default_model"
    ship(run(tmp_path / "run"), target)
    (target / "model.old.onnx").write_bytes(b"a precision that this model does not have")
    (target / "shipped.py").write_text("")
    other = run(tmp_path / "run", seed=1)
    assert ship(other, target).default_number == 3
    assert set(files(target)) == {"manifest.json", "model.onnx", "model.int8.onnx", "shipped.py"}
    assert ship(other, target).default_number == 3
    assert ship(other, target, number=7).default_number == 7
    assert ship(run(tmp_path / "run", seed=2), target).default_number == 8


def test_what_cannot_be_shipped_leaves_the_last_model_alone(tmp_path: Path) -> None:
    target = tmp_path / "default_model"
    ship(run(tmp_path / "run"), target)
    before = files(target)
    damaged = run(tmp_path / "damaged", seed=1)
    (damaged / "model.int8.onnx").write_bytes(b"half")
    fit = run(tmp_path / "fit", seed=2, head=HeadInfo(kind="pca", fit_on=300))
    local = run(tmp_path / "local", seed=3, recipe={"data": [{"folder": "/home/me/photos"}]})
    for model, error, message in (
        (damaged, ArtifactError, "does not match its checksum"),
        (fit, UsageError, "'pca', not a trained one"),
        (local, UsageError, "a place on this machine, /home/me/photos"),
        (tmp_path / "run/models/nothing", NotFoundError, "there is no model 'nothing'"),
    ):
        with pytest.raises(error, match=message):
            ship(model, target)
    assert files(target) == before
    assert shipped_manifest(target).default_number == 2


def test_the_command_says_what_it_shipped(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = run(tmp_path / "run")
    assert main([str(model), "--into", str(tmp_path / "made"), "--number", "4"]) == 0
    assert capsys.readouterr().out == f"{model.name}, default model 4, 0.0 MB\n"
    assert main([str(tmp_path / "run/models/none"), "--into", str(tmp_path / "made")]) == 1
    error = capsys.readouterr().err
    assert error.startswith("ship: ") and error.count("\n") == 1


def test_shipping_needs_no_torch() -> None:
    code = "import sys; sys.modules['torch'] = None; import ship"
    program = Path(__file__).parents[2] / "sagemaker_training"
    subprocess.run([sys.executable, "-c", code], cwd=program, check=True)
