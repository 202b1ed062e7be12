"""The report of a run: one HTML file, its figures and its failures."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="training needs torch: pip install '.[train]'")

from lens.evaluation.score import KS
from training.data.dataset import Photo, read_dataset
from training.delivery.report import write_report
from training.delivery.runs import Run
from training.loop.scoring import Answer, ProtocolScores


def _run(photos: tuple[Photo, ...], recall: float, name: str) -> Run:
    """Two wrong answers and one right one."""
    keys = [photo.key for photo in photos]
    answers = (
        Answer(keys[0], 1, (keys[1], keys[4]), (0.91, 0.4)),
        Answer(keys[5], 7, (keys[2], keys[8]), (0.83, 0.3)),
        Answer(keys[9], 0, (keys[2], keys[3]), (0.77, 0.3)),
    )
    figures = {str(k): recall for k in KS}
    categories = {"WOMEN/<Tops>": {"queries": 3.0, "recall_at_1": recall, "map_at_r": 0.25}}
    scores = ProtocolScores("benchmark", 3, figures, 0.25, categories, answers)
    history = [
        {"epoch": i, "loss": 2.0 / i, "validation_loss": 1.0 / i, "recall_at_1": recall / i}
        for i in (1, 2, 3)
    ]
    recipe = {"name": name, "lr": recall}
    return Run(f"model-{name}", 0, recipe, {"broken": 1}, {}, history, 90.0, {"benchmark": scores})


@pytest.fixture
def page(inshop: Path, tmp_path: Path) -> str:
    photos = read_dataset(inshop, held_out="items", share=0.25).photos
    ours, theirs = _run(photos, 0.75, "new"), _run(photos, 0.5, "old")
    better = tuple(replace(a, first_right=2) for a in theirs.scores["benchmark"].answers)
    other = replace(
        theirs, scores={"benchmark": replace(theirs.scores["benchmark"], answers=better)}
    )
    return write_report(tmp_path / "report.html", ours, inshop, photos, other).read_text()


def test_the_report_needs_nothing_but_itself(page: str) -> None:
    sources = re.findall(r'(?:src|href)="([^"]*)"', page)
    assert sources and all(source.startswith("data:image/jpeg;base64,") for source in sources)
    assert "<script" not in page and "url(" not in page


def test_the_report_shows_both_runs_and_how_far_they_are_apart(page: str) -> None:
    assert "model-new" in page and "model-old" in page
    assert "<td>this run</td><td>75.0</td>" in page
    assert "<td>the other</td><td>50.0</td>" in page
    assert "<td>difference</td><td>+25.0</td>" in page
    assert "<td>lr *</td><td>0.75</td><td>0.5</td>" in page
    assert page.count('<path class="ours"') == page.count('<path class="theirs"') == 3
    assert 'aria-label="Validation, loss by epoch"' in page


def test_the_worst_failures_come_first_and_the_hits_after_them(page: str) -> None:
    failures, hits = page.split("Worst failures")[1].split("Best hits")
    assert failures.index("right at rank none, in the other 2") < failures.index("right at rank 7")
    assert failures.count('class="row"') == 2 and hits.count('class="row"') == 1
    assert "0.910 right" in hits and "0.770 wrong" in failures


def test_names_are_text_and_never_markup(page: str) -> None:
    assert "WOMEN/&lt;Tops&gt;" in page and "<Tops>" not in page
