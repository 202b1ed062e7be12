"""The image without building it: the files that CDK stages and the Dockerfile copies are enough."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from importlib.metadata import distribution, packages_distributions
from pathlib import Path

import aws_cdk as cdk
import pytest
from aws_cdk.aws_ecr_assets import DockerImageAsset
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
DOCKERFILE = "lambdas/Dockerfile"
HANDLERS = "import lambdas.search.function, lambdas.embed.function, lens.storage.s3"


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The build's context as `cdk deploy` hands it to Docker."""
    if shutil.which("node") is None:
        pytest.skip("CDK needs node")
    out = tmp_path_factory.mktemp("cdk")
    stack = cdk.Stack(cdk.App(outdir=str(out)), "Stack")
    asset = DockerImageAsset(stack, "Image", directory=str(ROOT), file=DOCKERFILE)
    return out / f"asset.{asset.asset_hash}"


@pytest.fixture(scope="module")
def task_root(context: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the code that the Dockerfile copies, laid out as in the image."""
    root = tmp_path_factory.mktemp("task")
    for line in (context / DOCKERFILE).read_text().splitlines():
        if line.startswith("COPY "):
            *sources, target = shlex.split(line)[1:]
            for source in sources:
                if (context / source).is_dir():
                    shutil.copytree(context / source, root / target, dirs_exist_ok=True)
                else:
                    (root / target).mkdir(parents=True, exist_ok=True)
                    shutil.copy(context / source, root / target)
    return root


def run(task_root: Path, code: str) -> str:
    """What the code prints; the copied files come before this environment's packages."""
    places = {"LENS_CATALOG": "/tmp", "LENS_ARTIFACTS": "/tmp", "LENS_THUMBS": "/tmp"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=task_root,
        env={"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1", **places},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_context_holds_what_the_image_needs_and_nothing_else(context: Path) -> None:
    there = {path.relative_to(context).as_posix() for path in context.rglob("*") if path.is_file()}
    code = {
        path
        for path in there
        if path.startswith(("lambdas/search/", "lambdas/embed/", "layers/lens/python/lens/"))
    }
    assert there - code == {
        ".dockerignore",
        "lambdas/Dockerfile",
        "lambdas/__init__.py",
        "lambdas/telemetry.py",
        "layers/pinned/image.txt",
        "layers/trim.py",
    }
    assert {path.rsplit(".", 1)[1] for path in code} == {"py"}
    mounted = (ROOT / DOCKERFILE).read_text().split("source=")[1:]
    assert {mount.partition(",")[0] for mount in mounted} <= there


def test_both_handlers_import_from_what_is_copied_and_installed_alone(task_root: Path) -> None:
    installed = closure((ROOT / "lambdas" / "requirements.txt").read_text())
    assert installed.isdisjoint({"torch", "onnx", "tqdm", "watchfiles"})
    absent = {
        module
        for module, owners in packages_distributions().items()
        if installed.isdisjoint(map(normalized, owners)) and module not in {"lens", "lambdas"}
    }
    assert {"onnx", "moto", "setuptools"} <= absent
    blocked = f"import sys; sys.modules.update(dict.fromkeys({sorted(absent)}))"
    said = run(task_root, f"{blocked}; {HANDLERS}; import lens; print(lens.__path__)")
    assert said == f"{[str(task_root / 'lens')]}\n"


def closure(requirements: str) -> set[str]:
    """The distributions that these requirements install, by their normalized names."""
    wanted = [line.partition("#")[0].strip() for line in requirements.splitlines()]
    installed: set[str] = set()
    while wanted:
        name = normalized(wanted.pop())
        if name and name not in installed:
            installed.add(name)
            needs = [Requirement(need) for need in distribution(name).requires or []]
            wanted += [
                need.name
                for need in needs
                if not need.marker or need.marker.evaluate({"extra": ""})
            ]
    return installed


def normalized(name: str) -> str:
    """A distribution's name as package indexes write it."""
    return name.lower().replace("_", "-")
