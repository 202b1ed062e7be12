"""The training program's imports: who may import which dependency, and no name that clashes."""

from __future__ import annotations

import ast

import pytest

from tests.sagemaker_training.conftest import PROGRAM

SIBLINGS = {file.stem for file in PROGRAM.glob("*.py")}
# One heavy dependency, one owner; the rest of the program calls these.
OWNERS = {
    "onnxruntime": set(),
    "faiss": set(),
    "PIL": set(),
    "transformers": {"vit"},
    "pytorch_metric_learning": {"losses"},
}


def _imports(name: str) -> set[str]:
    """Every module that a module imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse((PROGRAM / f"{name}.py").read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name}: siblings are imported by their plain names"
            found.add(node.module or "")
    return found


@pytest.mark.parametrize("name", sorted(SIBLINGS))
def test_the_program_meets_neither_the_functions_nor_the_deployment(name: str) -> None:
    roots = {module.partition(".")[0] for module in _imports(name)}
    assert not roots & {"lambdas", "cdk", "tests", "sagemaker_training", "torchvision", "timm"}
    for dependency, owners in OWNERS.items():
        assert dependency not in roots or name in owners


def test_no_sibling_is_named_like_a_module_that_python_or_a_dependency_needs() -> None:
    import sys

    assert not SIBLINGS & (set(sys.stdlib_module_names) | {"sagemaker_training", "lens", "torch"})
    assert not (PROGRAM / "__init__.py").exists()
