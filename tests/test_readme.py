"""The README's table of settings against the settings there are."""

from __future__ import annotations

from pathlib import Path

from lens.settings import Settings

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def test_every_setting_is_in_the_table() -> None:
    rows = [line for line in README.splitlines() if line.startswith("| `LENS_")]
    assert len(rows) == len(Settings.model_fields)
    for (name, field), row in zip(Settings.model_fields.items(), rows, strict=True):
        assert row.startswith(f"| `LENS_{name.upper()}` |")
        assert row.endswith(f"| {field.description} |")
