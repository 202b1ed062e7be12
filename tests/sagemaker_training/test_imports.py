"""The training program's imports: one way to name a module, and no name that clashes."""

from __future__ import annotations

import ast
import sys

import pytest

from tests.sagemaker_training.conftest import PROGRAM

MODULES = sorted(path.relative_to(PROGRAM).as_posix() for path in PROGRAM.rglob("*.py"))


@pytest.mark.parametrize("name", MODULES)
def test_modules_are_imported_by_their_whole_names(name: str) -> None:
    """AWS's toolkit in the job's container is itself called sagemaker_training."""
    for node in ast.walk(ast.parse((PROGRAM / name).read_text())):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0
            assert (node.module or "").partition(".")[0] != "sagemaker_training"


def test_nothing_at_the_bundle_s_root_is_named_like_a_module_that_is_needed() -> None:
    root = {path.stem for path in PROGRAM.iterdir() if path.suffix in {"", ".py"}}
    assert not root & (set(sys.stdlib_module_names) | {"sagemaker_training", "lens", "torch"})
    assert not (PROGRAM / "__init__.py").exists()
