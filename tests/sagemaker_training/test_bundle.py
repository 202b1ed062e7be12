"""The source bundle: what it holds, its bytes, and that SageMaker's own toolkit can run it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import sysconfig
import tarfile
from pathlib import Path

import pytest

from bundle import pinned, write_bundle
from lens.errors import UsageError
from tests.support.unpacking import unpack

TOOLKIT = "sagemaker-training==5.1.4"


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return write_bundle(tmp_path / "sourcedir.tar.gz")


@pytest.fixture
def bundle(archive: Path, tmp_path: Path) -> Path:
    """The bundle, unpacked."""
    with tarfile.open(archive) as packed:
        unpack(packed, tmp_path / "code")
    return tmp_path / "code"


def _run(folder: Path, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run in a folder, with nothing of this repository on the path."""
    clean = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"} | environment
    return subprocess.run(
        command, cwd=folder, env=clean, capture_output=True, text=True, timeout=300, check=False
    )


def test_the_bundle_has_the_program_at_its_root_and_the_package_beside_it(bundle: Path) -> None:
    names = {file.relative_to(bundle).as_posix() for file in bundle.rglob("*") if file.is_file()}
    assert {
        "train.py",
        "garment.py",
        "training/loop/trainer.py",
        "training/garment/pose_process.py",
        "metric_definitions.json",
        "lens/gallery/index/inverted_lists.py",
    } <= names
    assert not any(re.search(r"(^|/|_)tests?[_./]|\.md$", name) for name in names)
    pins = (bundle / "requirements.txt").read_text().splitlines()
    assert all("==" in pin for pin in pins)
    assert not any(pin.startswith("torch==") for pin in pins)  # the container has its own


def test_the_same_sources_give_the_same_bytes(tmp_path: Path) -> None:
    first, second = (write_bundle(tmp_path / name).read_bytes() for name in "ab")
    assert first == second


def test_a_requirement_without_a_pin_is_refused() -> None:
    assert pinned("# why\nPi_heif\n", "pi-heif==1.0\n") == "Pi_heif==1.0\n"
    with pytest.raises(UsageError, match="onnx has no version in constraints"):
        pinned("onnx\n", "onnxruntime==1.0\n")


def test_the_unpacked_program_explains_itself_and_uses_the_package_beside_it(
    bundle: Path,
) -> None:
    found = _run(bundle.parent, sys.executable, str(bundle / "train.py"), "--help")
    assert found.returncode == 0 and "--preset {seed,inshop,laptop}" in found.stdout
    found = _run(bundle.parent, sys.executable, str(bundle / "garment.py"), "--help")
    assert found.returncode == 0 and "{label,train,calibrate}" in found.stdout
    where = "import sys; sys.path.insert(0, sys.argv[1]); import lens; print(lens.__file__)"
    found = _run(bundle.parent, sys.executable, "-c", where, str(bundle))
    assert Path(found.stdout.strip()) == bundle / "lens/__init__.py"


@pytest.mark.slow
def test_sagemaker_s_own_toolkit_runs_the_bundle(
    archive: Path, inshop: Path, backbone: str, tmp_path: Path
) -> None:
    python = _environment_with_toolkit(tmp_path / "container")
    machine = _machine(tmp_path / "ml", archive, inshop, Path(backbone))
    found = _run(
        tmp_path,
        str(python),
        "-m",
        "sagemaker_training.cli.train",
        SAGEMAKER_BASE_DIR=str(machine),
        TRAINING_JOB_NAME="job-1",
        PATH=f"{python.parent}:{os.environ['PATH']}",
    )
    assert found.returncode == 0, found.stdout[-3000:] + found.stderr[-3000:]
    assert "epoch 1/1 done" in found.stdout
    run = json.loads((machine / "model/run.json").read_text())
    assert run["recipe"]["identities"] == 4  # a hyperparameter, under its field's own name
    (model,) = (tmp_path / "artifacts/models").iterdir()
    assert model.name == run["model_id"]
    assert (tmp_path / "artifacts/training/job-1/verdict.json").exists()


def _environment_with_toolkit(folder: Path) -> Path:
    """A Python that has this one's packages; beside them AWS's toolkit, and what it lacks."""
    venv = (sys.executable, "-m", "venv", "--without-pip", folder)
    subprocess.run(venv, check=True, timeout=120)
    python = folder / "bin/python"
    where = "import sysconfig; print(sysconfig.get_path('purelib'))"
    beside = Path(_run(folder, str(python), "-c", where).stdout.strip()) / "beside.pth"
    beside.write_text(sysconfig.get_path("purelib") + "\n")
    pip = (str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    installed = _run(folder, *pip, "--no-compile", TOOLKIT)
    if installed.returncode:
        pytest.skip(f"{TOOLKIT} cannot be installed: {installed.stderr.strip()[-200:]}")
    return python


def _machine(root: Path, archive: Path, photos: Path, backbone: Path) -> Path:
    """The folders and files that SageMaker gives a container, under another root."""
    config = root / "input/config"
    for folder in (config, root / "input/data", root / "model", root / "output/data"):
        folder.mkdir(parents=True)
    (root / "input/data/training").symlink_to(photos)
    (root / "input/data/backbone").symlink_to(backbone)
    hyperparameters = {
        "sagemaker_program": "train.py",
        "sagemaker_submit_directory": str(archive),
        "preset": "inshop",
        "size": 28,
        "embedding_dim": 8,
        "identities": 4,
        "photos_each": 2,
        "epochs": 1,
        "precision": "fp32",
        "validation": 0.25,
        "artifacts": str(root.parent / "artifacts"),
        "cache": str(root.parent / "cache"),
        "checkpoints": str(root.parent / "checkpoints"),
    }
    files = {
        "hyperparameters.json": {key: json.dumps(v) for key, v in hyperparameters.items()},
        "inputdataconfig.json": {name: {} for name in ("training", "backbone")},
        "resourceconfig.json": {
            "current_host": "localhost",
            "hosts": ["localhost"],
            "current_group_name": "g",
            "network_interface_name": "lo",
            "instance_groups": [
                {"instance_group_name": "g", "instance_type": "local", "hosts": ["localhost"]}
            ],
        },
    }
    for name, content in files.items():
        (config / name).write_text(json.dumps(content))
    return root
