"""The garment command from drawn photos to a model that serves.

Covers: garment, job.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="training needs torch: pip install '.[train]'")

from PIL import Image

from garment import main
from lens.models.embedder import load_embedder
from lens.storage import open_storage
from tests.sagemaker_training.conftest import PROGRAM
from tests.sagemaker_training.garment.drawn import draw_catalog, draw_shoppers
from tests.sagemaker_training.garment.small import write_teachers
from training.garment.plan import PLANS

LENS = PROGRAM.parent / "layers/lens/python"
PLAN = (
    "size=32,64,64",
    "steps=3,2,2",
    "items=2",
    "photos_each=1",
    "shoppers=40",
    "scenes=4",
    "lr=1e-4",
)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """catalog/, shopper/ and the labels of both."""
    root = tmp_path_factory.mktemp("drawn")
    draw_catalog(root / "catalog", train=3, test=1)
    draw_shoppers(root / "shopper")
    teachers = str(write_teachers(root / "teachers"))
    words = ("--output", str(root / "labels"), "--saliency", teachers, "--pose", teachers)
    code, out, errors = _finish(_start("label", root, *words))
    assert (code, errors) == (0, "") and "labeled 13/13" in out
    return root


def _start(command: str, root: Path, *more: str) -> subprocess.Popen[str]:
    words = ("--data", str(root / "catalog"), "--shopper", str(root / "shopper"), *more)
    environment = os.environ | {"PYTHONPATH": str(LENS), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, str(PROGRAM / "garment.py"), command, *words],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _train(root: Path, output: Path) -> subprocess.Popen[str]:
    words = ("--labels", str(root / "labels"), "--output", str(output), "--weights", "random")
    return _start("train", root, *words, "--plan", *PLAN)


def _finish(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    try:
        out, errors = process.communicate(timeout=300)
    finally:
        process.kill()
        process.wait()
    return process.returncode, out, errors


@pytest.mark.slow
def test_a_run_leaves_a_model_that_serves_and_a_stopped_one_goes_on_to_the_same_model(
    folders: Path, tmp_path: Path
) -> None:
    code, out, errors = _finish(_train(folders, tmp_path / "whole"))
    assert (code, errors) == (0, "") and "step 7/7 loss" in out
    run = json.loads((tmp_path / "whole/run.json").read_text())
    assert [phase["steps"] for phase in run["recipe"]["phases"]] == [3, 2, 2]
    assert run["data"]["catalog"] == {"photos": 6, "items": 3}
    artifacts = open_storage(tmp_path / "whole/artifacts")
    embedder = load_embedder(artifacts, run["model_id"])
    assert embedder.manifest.head.kind == "trained" and embedder.manifest.recipe == run["recipe"]
    image = Image.open(next(folders.rglob("*_front.png"))).convert("RGB")
    shape, color = np.split(embedder.embed(image), [80])
    ratio = np.linalg.norm(color) / np.linalg.norm(shape)
    assert ratio == pytest.approx(run["recipe"]["color_weight"], abs=1e-4)
    assert embedder.manifest.preprocessing.size == 64 and embedder.manifest.embedding_dim == 128
    assert np.linalg.norm(embedder.embed_main(image)) == pytest.approx(1, abs=1e-5)

    stopped = _train(folders, tmp_path / "parts")
    assert stopped.stdout is not None and stopped.stdout.readline().startswith("training on")
    stopped.send_signal(signal.SIGTERM)
    code, _, errors = _finish(stopped)
    assert code == 130 and "the same command resumes it" in errors
    code, out, _ = _finish(_train(folders, tmp_path / "parts"))
    assert code == 0 and "resuming after step 1 of phase 1" in out
    resumed = json.loads((tmp_path / "parts/run.json").read_text())
    assert resumed["model_id"] == run["model_id"]


@pytest.mark.slow
def test_labeling_that_is_stopped_goes_on(folders: Path, tmp_path: Path) -> None:
    teachers = str(folders / "teachers")
    words = ("--output", str(tmp_path), "--saliency", teachers, "--pose", teachers)
    stopped = _start("label", folders, *words)
    assert stopped.stdout is not None and "0 of them labeled before" in stopped.stdout.readline()
    stopped.send_signal(signal.SIGINT)
    code, _, errors = _finish(stopped)
    assert code == 130 and errors == "garment: stopped; the same command goes on\n"
    code, out, _ = _finish(_start("label", folders, *words))
    assert code == 0 and "0 of them labeled before" not in out
    same = [root / "labels.jsonl" for root in (folders / "labels", tmp_path)]
    assert same[0].read_bytes() == same[1].read_bytes()


NEEDED = ["--data", "catalog", "--shopper", "shopper", "--output", "run"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", *NEEDED, "--labels", "nowhere"], "nowhere has no labels: run `garment.py label"),
        (["train", *NEEDED, "--labels", "l", "--plan", "rate=1"], "'rate=1' is not FIELD=VALUE"),
        (["label", *NEEDED, "--saliency", "nowhere"], "u2netp.onnx is not in nowhere"),
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
    handlers = {each: signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)}
    try:
        assert main(arguments) == 2
    finally:
        for each, handler in handlers.items():
            signal.signal(each, handler)
    told = capsys.readouterr().err
    assert message in told and told.count("\n") == 1
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["train"],
        ["train", "--seed", "-1"],
        ["train", *NEEDED, "--labels", "l", "--save-every", "0"],
    ],
)
def test_options_that_are_missing_or_no_numbers_are_wrong_usage(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2 and "usage:" in capsys.readouterr().err


def test_help_is_there_without_torch(tmp_path: Path) -> None:
    (tmp_path / "torch.py").write_text("raise ImportError('no torch here')\n")
    path = os.pathsep.join((str(tmp_path), str(LENS)))
    done = subprocess.run(
        [sys.executable, str(PROGRAM / "garment.py"), "train", "--help"],
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0 and f"--preset {{{','.join(PLANS)}}}" in done.stdout
