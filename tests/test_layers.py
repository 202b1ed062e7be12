"""The import contracts of pyproject.toml: a broken one is noticed, and named."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
_LENS = "layers/lens/python/lens"
_TRAINING = "sagemaker_training/training"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of what the contracts are about."""
    for folder in ("cdk", "lambdas", "layers/lens", "sagemaker_training"):
        ignored = shutil.ignore_patterns("__pycache__", "sample")
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=ignored)
    sample = tmp_path / "lambdas/local/sample"
    sample.mkdir()
    (sample / "__init__.py").touch()
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def _broken(checkout: Path) -> list[str]:
    """The names of the contracts that do not hold there."""
    paths = [str(checkout / name) for name in ("layers/lens/python", "sagemaker_training", ".")]
    done = subprocess.run(
        [str(Path(sys.executable).parent / "lint-imports"), "--no-logo", "--no-cache"],
        cwd=checkout,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    lines = done.stdout.splitlines()
    broken = [line.removesuffix(" BROKEN") for line in lines if line.endswith(" BROKEN")]
    assert bool(broken) == (done.returncode != 0), done.stdout + done.stderr
    return broken


@pytest.mark.parametrize(
    ("module", "imported", "contract"),
    [
        (f"{_LENS}/gallery/rows.py", "lens.search.cache", "the rooms of lens"),
        (f"{_LENS}/storage/documents.py", "lens.gallery.commits", "the rooms of lens"),
        (f"{_LENS}/pipeline/events.py", "lens.search.cache", "the rooms of lens"),
        (f"{_LENS}/errors.py", "lens.settings", "the rooms of lens"),
        (f"{_LENS}/pipeline/commit.py", "lens.photos.decoding", "the functions in zips do not"),
        (f"{_LENS}/pipeline/compact.py", "lens.models.embedder", "the functions in zips do not"),
        (f"{_LENS}/search/cache.py", "faiss", "faiss has one owner"),
        ("lambdas/embed/handler.py", "lambdas.compact.handler", "the functions import lens"),
        ("cdk/config.py", "lens.settings", "the deployment names folders"),
        (f"{_TRAINING}/data/dataset.py", "training.loop.losses", "the rooms of training"),
        (f"{_TRAINING}/export/linears.py", "training.garment.plan", "the rooms of training"),
        (f"{_TRAINING}/data/decoded.py", "scipy.ndimage", "scipy finds what hangs together"),
        (f"{_TRAINING}/presets.py", "lambdas.local.training", "training meets neither"),
        (f"{_LENS}/evaluation/metrics.py", "torch", "torch belongs to training"),
    ],
)
def test_an_import_that_a_contract_forbids_is_noticed(
    checkout: Path, module: str, imported: str, contract: str
) -> None:
    path = checkout / module
    path.write_text(path.read_text() + f"\nimport {imported}\n")
    assert [name for name in _broken(checkout) if name.startswith(contract)]


def test_a_new_room_must_be_given_its_place(checkout: Path) -> None:
    (checkout / _LENS / "attic.py").write_text('"""A room on no floor."""\n')
    assert [name for name in _broken(checkout) if name.startswith("the rooms of lens")]


def test_as_it_is_every_contract_holds(checkout: Path) -> None:
    assert _broken(checkout) == []
