"""What it costs to ask why: the command measures searches and questions, side by side."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.benchmarks.why_asked import main


@pytest.mark.slow
def test_searches_and_questions_are_measured(
    storefront: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number, photo in enumerate(sorted(storefront.rglob("*.jpg"))[::190]):
        shutil.copy(photo, tmp_path / f"{number}.jpg")
    assert main([str(tmp_path), "--side", "200", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert set(found) == {
        f"{what}, {clock}"
        for what in ("search", "why, first hit", "why, second hit")
        for clock in ("clock", "CPU")
    }
    assert found["search, CPU"]["ratio"] == 1
    assert all(each["median"] > 0 for each in found.values())


def test_a_folder_with_nothing_left_to_search_with_is_told(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no photo is left"):
        main([str(tmp_path)])
