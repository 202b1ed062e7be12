"""The training command from photos to a delivered model: job, delivery and checkpoints included.

Covers: job, deliver, checkpoints.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="training needs torch: pip install '.[train]'")

from lens.models.embedder import load_embedder
from lens.models.manifest import read_manifest
from lens.storage import open_storage
from tests.sagemaker_training.conftest import PROGRAM
from train import main

pytestmark = pytest.mark.slow

LENS = PROGRAM.parent / "layers/lens/python"


def _command(photos: Path, backbone: str, output: Path, *more: str) -> list[str]:
    options = {
        "--preset": "inshop",
        "--backbone": backbone,
        "--data": str(photos),
        "--output": str(output),
        "--cache": str(output.parent / "cache"),
        "--size": "28",
        "--embedding-dim": "8",
        "--identities": "4",
        "--photos-each": "2",
        "--precision": "fp32",
        "--validation": "0.25",
    }
    words = [word for option in options.items() for word in option]
    return [sys.executable, str(PROGRAM / "train.py"), *words, *more]


def _start(command: list[str]) -> subprocess.Popen[str]:
    environment = os.environ | {"PYTHONPATH": str(LENS), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def _finish(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    try:
        out, errors = process.communicate(timeout=300)
    finally:
        process.kill()
        process.wait()
    return process.returncode, out, errors


def test_a_run_stopped_by_a_spot_interruption_goes_on_to_the_same_model(
    inshop: Path, backbone: str, tmp_path: Path
) -> None:
    more = ("--epochs", "4", "--patience", "0", "--start", "orthogonal", "--recolored", "true")
    code, _, errors = _finish(_start(_command(inshop, backbone, tmp_path / "whole", *more)))
    assert (code, errors) == (0, "")
    stopped = _start(_command(inshop, backbone, tmp_path / "parts", *more))
    assert stopped.stdout is not None
    stopped.stdout.readline()
    stopped.send_signal(signal.SIGTERM)
    code, _, errors = _finish(stopped)
    assert code == 130 and "the same command resumes it" in errors
    code, out, _ = _finish(_start(_command(inshop, backbone, tmp_path / "parts", *more)))
    assert code == 0 and "resuming after epoch" in out
    whole, parts = (
        json.loads((tmp_path / name / "run.json").read_text()) for name in ("whole", "parts")
    )
    for each in (whole, parts):
        for entry in each["history"]:
            del entry["seconds"]
    assert whole["history"] == parts["history"] and len(whole["history"]) == 4
    assert whole["scores"] == parts["scores"] and whole["model_id"] == parts["model_id"]


def test_a_run_leaves_a_model_that_serves_and_the_record_of_how_it_came_to_be(
    inshop: Path, backbone: str, tmp_path: Path
) -> None:
    photos = sorted(inshop.rglob("*.png"))
    photos[0].unlink()
    photos[1].write_text("no photo")
    output = tmp_path / "run"
    code, out, errors = _finish(_start(_command(inshop, backbone, output, "--epochs", "1")))
    assert (code, errors) == (0, "")
    assert out.count("1 photos are missing") == out.count("1 photos are broken") == 1
    assert len((output / "problems.txt").read_text().splitlines()) == 2
    run = json.loads((output / "run.json").read_text())
    artifacts = open_storage(output / "artifacts")
    manifest = read_manifest(artifacts, run["model_id"])
    assert load_embedder(artifacts, run["model_id"]).manifest == manifest
    assert (
        manifest.head.kind == "trained" and manifest.head.fit_on == run["data"]["train"]["photos"]
    )
    assert manifest.recipe["loss"] == "triplet" and manifest.recipe["seed"] == 0
    assert manifest.data["missing"] == manifest.data["broken"] == 1
    benchmark = manifest.metrics["benchmark"]
    assert set(benchmark["recall_at_k"]) == {"1", "5", "10", "20", "30"}
    assert f"R@1 {benchmark['recall_at_k']['1']:.4f}" in out
    verdicts = run["precisions"]
    assert list(verdicts) == [
        *("int8-merged", "int7-merged", "int8", "int7", "int8-safe", "int8-weights"),
        "fp32-merged",
    ]
    assert all(f"precision {name}: " in out for name in verdicts)
    admitted = [name for name, verdict in verdicts.items() if verdict["admitted"]]
    assert list(manifest.variants) == [*admitted, "fp32"]
    written = {info.key for info in artifacts.list("training/local/")}
    assert {key.rpartition("/")[2] for key in written} == {
        "run.json",
        "report.html",
        "embeddings.npz",
        "verdict.json",
    }


def test_a_run_of_the_seed_preset_goes_by_its_validation_loss(
    inshop: Path, backbone: str, tmp_path: Path
) -> None:
    more = ("--preset", "seed", "--epochs", "2", "--score", "validation")
    code, out, errors = _finish(_start(_command(inshop, backbone, tmp_path / "run", *more)))
    assert (code, errors) == (0, "")
    run = json.loads((tmp_path / "run" / "run.json").read_text())
    losses = [entry["validation_loss"] for entry in run["history"]]
    assert run["recipe"]["watched"] == "loss" and len(losses) == 2
    lines = [line for line in out.splitlines() if line.startswith("validation: ")]
    assert [line.rpartition(" loss ")[2] for line in lines] == [f"{loss:.6f}" for loss in losses]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "name the photos: --data FOLDER"),
        (["--data", "photos"], "name a folder for the results"),
        (["--data", "photos", "--output", "run", "--loss", "contrast"], "it can be: triplet"),
        (["--data", "/nowhere", "--output", "run"], "there is no folder /nowhere"),
    ],
)
def test_a_command_that_cannot_be_is_one_line_and_leaves_nothing_behind(
    arguments: list[str],
    message: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]
    try:
        assert main(arguments) in (1, 2)
    finally:
        for number, handler in zip((signal.SIGTERM, signal.SIGINT), before, strict=True):
            signal.signal(number, handler)
    errors = capsys.readouterr().err
    assert message in errors and errors.count("\n") == 1
    assert not any(tmp_path.iterdir())
