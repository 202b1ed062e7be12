"""`lens evaluate`: the protocols, and which model is used; on real photos, see test_real_photos."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lambdas.local.cli import main
from lambdas.local.evaluation import Evaluation, evaluate
from lens.default_model.shipped import shipped_manifest
from lens.evaluation.protocols import split_of
from lens.photos.catalog import parse_partition
from lens.settings import Settings
from lens.storage import open_storage
from tests.lambdas.local.photos import garment
from tests.support.tiny_model import write_tiny_model

pytestmark = pytest.mark.slow


def benchmark(folder: Path, artifacts: Path, model_id: str | None = None) -> Evaluation:
    settings = Settings(catalog=str(folder), artifacts=str(artifacts))
    return evaluate(settings, "benchmark", model_id)


@pytest.fixture(scope="module")
def inshop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """130 items: two gallery photos and, for the first 20, one query each."""
    folder = tmp_path_factory.mktemp("inshop")
    lines = []
    for item in range(130):
        for view in range(3 if item < 20 else 2):
            key = f"img/WOMEN/Tops/id_{item:08}/01_{view}.png"
            (folder / key).parent.mkdir(parents=True, exist_ok=True)
            (folder / key).write_bytes(garment(item, view))
            lines.append(f"{key} id_{item:08} {'query' if view == 2 else 'gallery'}")
    header = [str(len(lines)), "image_name item_id evaluation_status"]
    (folder / "list_eval_partition.txt").write_text("\n".join([*header, *lines]))
    return folder


def test_the_figures_of_an_easy_catalog_are_right_and_the_live_gallery_is_left_alone(
    inshop: Path, tmp_path: Path
) -> None:
    artifacts = tmp_path / "artifacts"
    found = benchmark(inshop, artifacts)
    assert not artifacts.exists(), "it is neither read nor written"
    assert (found.queries, found.gallery, found.embedding_dim) == (20, 260, 128)
    assert (found.model_id, found.head_fit_on) == (shipped_manifest().model_id, "nothing")
    assert found.recall_at_k["1"] >= 0.95
    assert found.map_at_r >= 0.9


def test_a_named_model_is_used_as_it_is(
    inshop: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("LENS_ARTIFACTS", str(tmp_path / "artifacts"))
    own = write_tiny_model(open_storage(tmp_path / "artifacts"), kind="pca").model_id
    assert main(["evaluate", str(inshop), "--model", own, "--protocol", "benchmark", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["model_id"], found["embedding_dim"]) == (own, 8)
    assert main(["evaluate", str(inshop), "--model", "nonesuch", "--protocol", "benchmark"]) == 2
    assert "there is no model 'nonesuch'; there are: " in capsys.readouterr().err


def test_strict_asks_other_views_for_front_views_of_test_items() -> None:
    lines = ["0", "image_name item_id evaluation_status"]
    lines += [f"img/a/01_1_front.jpg a {status}" for status in ("query",)]
    lines += ["img/a/01_3_back.jpg a gallery", "img/b/01_1_front.jpg b train"]
    split = split_of(parse_partition("\n".join(lines)), "strict")
    assert split.gallery == ("img/a/01_1_front.jpg",)
    assert split.queries == ("img/a/01_3_back.jpg",)


@pytest.mark.parametrize(
    ("partition", "message"),
    [
        (None, "has no list_eval_partition.txt"),
        ("1\nh\nimg/a.png id_1 train\n", "0 queries and 0 gallery photos"),
        ("2\nh\nimg/a.png id_1 query\nimg/b.png id_1 gallery\n", "2 photos of the partition file"),
    ],
)
def test_an_unusable_partition_is_one_line_that_says_why(
    partition: str | None, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if partition:
        (tmp_path / "list_eval_partition.txt").write_text(partition)
    assert main(["evaluate", str(tmp_path), "--protocol", "benchmark"]) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1
