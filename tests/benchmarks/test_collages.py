"""The collage measurement on a drawn catalog: its figures, its seed and what it prints."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.benchmarks.collages import main, measure
from tests.lambdas.local.photos import garment

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six items: a gallery photo and a query each."""
    folder = tmp_path_factory.mktemp("shop")
    lines = []
    for item in range(6):
        for view, status in enumerate(("gallery", "query")):
            key = f"img/WOMEN/Tops/id_{item:08}/01_{view}.png"
            (folder / key).parent.mkdir(parents=True, exist_ok=True)
            (folder / key).write_bytes(garment(item, view))
            lines.append(f"{key} id_{item:08} {status}")
    header = [str(len(lines)), "image_name item_id evaluation_status"]
    (folder / "list_eval_partition.txt").write_text("\n".join([*header, *lines]))
    return folder


def test_cropping_finds_what_a_collage_hides(shop: Path) -> None:
    found = measure(str(shop), "benchmark", collages=3)
    assert (found.collages, found.gallery, found.alone) == (3, 6, 1.0)
    assert found.whole <= 0.25
    assert found.cropped >= 0.9
    assert measure(str(shop), "benchmark", collages=3) == found


def test_figures_are_printed_as_a_table_or_json(
    shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [str(shop), "--protocol", "benchmark", "--collages", "1"]
    main(arguments)
    table = capsys.readouterr().out
    assert "1 collages of four, benchmark, 6 gallery photos" in table
    main([*arguments, "--json"])
    figures = json.loads(capsys.readouterr().out)
    assert f"{figures['cropped']:.1%}" in table
