"""The README's tree and tables against what is there."""

from __future__ import annotations

from pathlib import Path

import pytest

from lens.config import Settings

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def _tree() -> dict[str, set[str]]:
    """What each top-level folder of the tree lists."""
    listed: dict[str, set[str]] = {}
    inside: set[str] = set()
    for line in README.split("## The tree")[1].split("```")[1].strip().splitlines():
        if line.startswith("  "):
            inside.add(line.split()[0])
        else:
            inside = listed.setdefault(line.split()[0].rstrip("/"), set())
    return listed


@pytest.mark.parametrize("folder", ["layers/lens/python/lens", "lambdas", "cdk"])
def test_every_module_has_its_line_in_the_tree(folder: str) -> None:
    modules = {
        path.relative_to(ROOT / folder).as_posix()
        for path in (ROOT / folder).rglob("*.py")
        if path.name != "__init__.py" and "sample" not in path.parts
    }
    lines = {name for name in _tree()[folder] if not name.endswith("/")}
    assert modules == {name for name in lines if name.endswith(".py")}


def test_every_setting_is_in_the_table() -> None:
    rows = [line for line in README.splitlines() if line.startswith("| `LENS_")]
    assert len(rows) == len(Settings.model_fields)
    for (name, field), row in zip(Settings.model_fields.items(), rows, strict=True):
        assert row.startswith(f"| `LENS_{name.upper()}` |")
        assert row.endswith(f"| {field.description} |")
