"""The tests mirror the tree: each module has a test of its name, or one that says it covers it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# Product folder -> its tests. Drawing the sample shop is covered by what is drawn, as a whole.
MIRRORED = {
    "layers/lens/python/lens": "tests/lens",
    "sagemaker_training": "tests/sagemaker_training",
    "cdk": "tests/cdk",
    "lambdas": "tests/lambdas",
}
_ELSEWHERE = ("lambdas/local/sample/", "cdk/containers.py")
# Constants and types alone.
_NOTHING_TO_TEST = ("lens/errors.py", "lens/progress.py", "lens/gallery/retention.py")


def _modules() -> list[str]:
    found = []
    for folder in MIRRORED:
        for path in sorted((ROOT / folder).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            exempt = name.startswith(_ELSEWHERE) or name.endswith(_NOTHING_TO_TEST)
            if not path.name.startswith("__") and not exempt:
                found.append(name)
    return found


def _opening(path: Path) -> str:
    """A test module's docstring, which says what it covers."""
    return ast.get_docstring(ast.parse(path.read_text())) or ""


@pytest.mark.parametrize("module", _modules())
def test_a_module_has_its_test_where_a_stranger_looks(module: str) -> None:
    folder = next(each for each in MIRRORED if module.startswith(f"{each}/"))
    path = Path(module)
    # `function.py` and `handler.py` are known by their folders.
    name = path.parent.name if path.stem in {"function", "handler"} else path.stem
    tests = list((ROOT / MIRRORED[folder]).rglob("test_*.py"))
    named = [test for test in tests if test.stem == f"test_{name}"]
    told = [test for test in tests if re.search(rf"\b{name}\b", _opening(test), re.IGNORECASE)]
    assert named or told, f"name {name} in a test module's docstring, or add test_{name}.py"
