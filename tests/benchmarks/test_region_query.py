"""What a shopper's photo costs: the command measures each part, the larger ones costing more."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.benchmarks.region_query import main
from tests.support.tiny_model import png


def test_the_parts_are_measured(
    storefront: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number, photo in enumerate(sorted(storefront.rglob("*.jpg"))[200:800:200]):
        shutil.copy(photo, tmp_path / f"{number}.jpg")
    assert main([str(tmp_path), "--times", "3", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    whole, both, everything = (found[name]["median"] for name in found)
    assert 0 < whole < both < everything


def test_photos_without_a_garment_are_told(tmp_path: Path) -> None:
    (tmp_path / "noise.png").write_bytes(png(1))
    with pytest.raises(ValueError, match="no region is searched"):
        main([str(tmp_path)])
