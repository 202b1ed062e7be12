"""Every function's entry (lambdas/*): started by name, from the environment, with its libraries.

Covers: the `function` modules of embed, build_index, compact, reconcile, collect, setup, promote,
authorize.
"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

ENVIRONMENT = {
    "AWS_DEFAULT_REGION": "us-east-1",
    "LENS_ARTIFACTS": "s3://artifacts",
    "LENS_CATALOG": "s3://shop/catalog",
    "LENS_THUMBS": "s3://shop",
    "LENS_EMBED_QUEUE": "https://sqs.us-east-1.amazonaws.com/123456789012/looks",
    "LENS_MODEL_FOLDER": "model",
    "LENS_KEYS_SECRET": "keys",
}
# The variables that each function in a zip needs.
NEEDS = {
    "build_index": ("LENS_ARTIFACTS", "LENS_EMBED_QUEUE"),
    "compact": ("LENS_ARTIFACTS",),
    "reconcile": ("LENS_CATALOG", "LENS_ARTIFACTS", "LENS_EMBED_QUEUE"),
    "collect": ("LENS_ARTIFACTS", "LENS_THUMBS", "LENS_EMBED_QUEUE"),
    "setup": ("LENS_CATALOG", "LENS_ARTIFACTS", "LENS_MODEL_FOLDER"),
    "promote": ("LENS_CATALOG", "LENS_ARTIFACTS", "LENS_EMBED_QUEUE"),
    "authorize": ("LENS_KEYS_SECRET",),
}
IMAGE = {"embed": ("LENS_CATALOG", "LENS_ARTIFACTS", "LENS_THUMBS")}
# What the layer of libraries lacks.
ABSENT = ("PIL", "pi_heif", "onnx", "onnxruntime", "fastapi", "starlette", "uvicorn", "tqdm")
IMPORT = """
import sys
from lambdas.{name}.function import handler
assert callable(handler)
print(*sys.modules)
"""


def start(name: str, *variables: str) -> subprocess.CompletedProcess[str]:
    """Import a function in a process of its own, with only these variables set."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("AWS", "LENS"))}
    told = {key: ENVIRONMENT[key] for key in ("AWS_DEFAULT_REGION", *variables)}
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", IMPORT.format(name=name)],
        env=kept | told,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("name", NEEDS)
def test_a_function_in_a_zip_starts_without_what_its_layers_lack(name: str) -> None:
    started = start(name, *NEEDS[name])
    assert started.returncode == 0, started.stderr
    loaded = {module.split(".")[0] for module in started.stdout.split()}
    assert {"lens", "botocore"} <= loaded
    assert loaded.isdisjoint(ABSENT)


def test_embed_starts_before_there_is_anything_to_embed() -> None:
    started = start("embed", *IMAGE["embed"])
    assert started.returncode == 0, started.stderr


@pytest.mark.parametrize("name", [*NEEDS, *IMAGE])
def test_a_variable_that_is_not_set_is_named(name: str) -> None:
    needed = {**NEEDS, **IMAGE}[name]
    for missing in needed:
        started = start(name, *(each for each in needed if each != missing))
        last = started.stderr.splitlines()[-1]
        assert last.startswith(f"lens.errors.UsageError: {missing} is not set: it should be ")
