"""The README's tree and tables against what is there."""

from __future__ import annotations

from pathlib import Path

from lens.config import Settings

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def test_every_module_has_its_line_in_the_tree() -> None:
    tree = README.split("## The tree")[1].split("## ")[0]
    named = {line.split()[0] for line in tree.splitlines() if line.startswith("  ")}
    for folder in ("layers/lens/python/lens", "lambdas"):
        there = {
            path.relative_to(ROOT / folder).as_posix()
            for path in (ROOT / folder).rglob("*.py")
            if path.name != "__init__.py" and "sample" not in path.parts
        }
        assert there <= named, "modules without a line"
        named -= there
    assert named == {"storage/", "local/sample/"}, "lines without a module"


def test_every_setting_is_in_the_table() -> None:
    rows = [line for line in README.splitlines() if line.startswith("| `LENS_")]
    assert len(rows) == len(Settings.model_fields)
    for (name, field), row in zip(Settings.model_fields.items(), rows, strict=True):
        assert row.startswith(f"| `LENS_{name.upper()}` |")
        assert row.endswith(f"| {field.description} |")
