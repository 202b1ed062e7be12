"""The shopper protocol through the command, on drawn photos; on real ones, see test_real_photos.

Covers: asking, composites, kinds, colors, street, no_match, shopper_report.
"""

from __future__ import annotations

import io
import json
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from lambdas.local.cli import main
from lambdas.local.cli.shopper_report import shopper_report
from lambdas.local.shopper import no_match
from lambdas.local.shopper.asking import ask
from lambdas.local.shopper.protocol import ShopperEvaluation, evaluate_shopper
from lens.errors import UsageError
from lens.evaluation import intervals
from lens.search.searcher import Searcher
from lens.settings import Settings
from lens.storage import open_storage
from tests.lambdas.local.shopper.small_folder import write_shop, write_shoppers_photos
from tests.support.region_model import write_region_model


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small shop, a folder of shoppers' photos, and the artifacts of a model that sees garments
    of pure colors."""
    place = tmp_path_factory.mktemp("evaluation")
    write_shop(place / "shop")
    write_shoppers_photos(place / "shoppers")
    return place


def evaluate(place: Path, *arguments: str) -> int:
    """`lens evaluate` there, with few draws."""
    artifacts = str(place / "artifacts")
    model = write_region_model(open_storage(artifacts)).model_id
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LENS_ARTIFACTS", artifacts)
        patch.setattr(no_match, "DRAWN", 2)
        patch.setattr(intervals, "_ROUNDS", 40)
        return main(["evaluate", str(place / "shop"), "--model", model, *arguments])


@pytest.fixture(scope="module")
def figures(place: Path) -> dict[str, Any]:
    """What it prints as JSON."""
    out = io.StringIO()
    with redirect_stdout(out):
        shoppers = str(place / "shoppers")
        assert evaluate(place, "--protocol", "shopper", "--shopper", shoppers, "--json") == 0
    found: dict[str, Any] = json.loads(out.getvalue())
    return found


def test_every_part_asks_what_it_must(figures: dict[str, Any]) -> None:
    composites = figures["composites"]
    assert (composites["queries"], composites["gallery"]) == (6, 6)  # other views for front views
    assert composites["whole"]["10"]["value"] == composites["true_box"]["10"]["value"] == 1.0

    kinds = figures["kinds"]
    assert (kinds["gallery"], kinds["senders"]) == (12, 1)  # the train item is in no gallery
    assert kinds["first"]["queries"] == 2  # no hat, which nobody sells, and not who is trained on
    assert kinds["chance"] == pytest.approx(1 / 3)
    assert {kind: alone["photos"] for kind, alone in kinds["by_kind"].items()} == {
        "dress": 1,
        "pants": 1,
    }
    assert 0 < kinds["color"]["reachable"] <= kinds["color"]["ratio"]["value"]

    street = figures["street"]
    assert street["regions"] == 2
    assert street["groups"]["upper"]["found"]["value"] == 1.0
    assert street["groups"]["lower"]["found"]["value"] == 0.0  # labeled where no garment is
    assert street["groups"]["clothes"]["garments"] == 2  # no skirt, which nobody sells

    answer = figures["no_match"]
    assert answer["score"] == "similarity"
    assert {name: kind["photos"] for name, kind in answer["figures"]["sold"].items()} == {
        "composites": 6,
        "shoppers' photos": 2,
    }
    assert {name: kind["photos"] for name, kind in answer["figures"]["no_garment"].items()} == {
        "backgrounds": 3,
        "text": 1,
        "drawn cartons": 2,
        "drawn pages": 2,
    }
    assert list(answer["figures"]["not_sold"]) == ["hat"]


def test_the_table_has_every_part_with_its_intervals(figures: dict[str, Any]) -> None:
    found = TypeAdapter(ShopperEvaluation).validate_python(figures)
    lines = shopper_report(found).splitlines()
    parts = [line.split(":")[0] for line in lines if not line.startswith(" ")][:-1]
    assert parts == ["composites", "kinds", "street", "no match"]
    recall = next(line for line in lines if "R@10, cut to the true box" in line)
    assert recall.split()[-6:] == ["100.0", "100.0", "to", "100.0", "6", "16.67"]
    assert max(map(len, lines)) <= 100


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--protocol", "shopper"], "name the folder of shoppers' photos: --shopper FOLDER"),
        (["--shopper", "x"], "add --protocol shopper"),
        (["--protocol", "shopper", "--shopper", "x"], "cannot read x/mapping.json"),
    ],
)
def test_what_cannot_be_asked_is_one_line_that_says_why(
    arguments: list[str], message: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert evaluate(place, *arguments) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1


def test_a_folder_without_photos_of_the_measuring_senders_is_refused(tmp_path: Path) -> None:
    write_shoppers_photos(tmp_path)
    (tmp_path / "photos.csv").write_text("file,sender\n")
    with pytest.raises(UsageError, match="no photos of the measuring senders"):
        evaluate_shopper(Settings(catalog=str(tmp_path)), tmp_path)


def test_a_photo_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"no photo")
    searcher = Searcher(open_storage(str(tmp_path)))
    with pytest.raises(UsageError, match=r"a\.png: this is not a photo"):
        ask(searcher, tmp_path / "a.png")
    with pytest.raises(UsageError, match=r"cannot read .*b\.png"):
        ask(searcher, tmp_path / "b.png")
