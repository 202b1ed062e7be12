"""The measurements at the smallest size: project and baselines compute one model, and all of it is
reported. No test looks at how long anything took."""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lens.evaluation.protocols import Split
from lens.models.embedder import RUNTIME, load_embedder
from lens.models.manifest import list_models
from lens.models.speeds import read_speeds
from lens.storage import FileStorage
from tests.benchmarks import (
    clients,
    cold_start,
    first_answer,
    load_curve,
    quality,
    throughput,
    warm_query,
    workload,
)
from tests.benchmarks.answer import search_event
from tests.benchmarks.contender import EAGER, ONNX, PROJECT, THE_BASELINES, THE_PROJECT, Kind
from tests.benchmarks.machine import ROOT
from tests.benchmarks.s3_folder import s3_folder
from tests.benchmarks.weights import patches_seen
from tests.benchmarks.workload import Scale, photos_of, prepare
from tests.support.photos import encode
from tests.support.tiny_model import png, write_tiny_model

pytestmark = pytest.mark.slow

# In these tests' places the baseline with torch would only take longer to start.
QUICK_BASELINE = Kind(EAGER, "onnx")


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workload of twelve photos of noise, 300 rows and a vision transformer of two blocks."""
    pytest.importorskip("torch")
    pytest.importorskip("transformers")
    sys.path.insert(0, str(ROOT / "sagemaker_training"))
    from PIL import Image

    from tests.sagemaker_training.small_models import save_dinov2

    root = tmp_path_factory.mktemp("bench")
    photos = root / "photos"
    photos.mkdir()
    rng = np.random.default_rng(0)
    for i in range(12):
        coarse = Image.fromarray(rng.integers(0, 256, (5, 4, 3), dtype=np.uint8))
        (photos / f"{i}.jpg").write_bytes(encode(coarse.resize((120, 150)), "JPEG", quality=90))
    backbone = save_dinov2(root / "dinov2")
    scale = Scale(photos=12, rows=300, backbone=backbone, size=28, embedding_dim=8)
    prepare(root / "workload", scale, photos)
    return root / "workload"


def kept(figures: Any) -> Any:
    """As the report gets them: through JSON."""
    return json.loads(json.dumps(figures))


def test_project_and_baselines_find_the_same_photo_first(folder: Path) -> None:
    figures = warm_query.measure(folder, [THE_PROJECT, *THE_BASELINES], rounds=10)
    figures = kept({**figures, "peak": {"fp32": 100.0, "int8": 200.0, "int7": 250.0}})
    for place in ("catalog", "filled"):
        of = figures[place]["contenders"]
        assert list(of) == [PROJECT, EAGER, ONNX]
        assert all(each["cpu_ms"][0] > 0 and each["peak_mib"] > 10 for each in of.values())
    of = figures["catalog"]["contenders"]
    assert all(each["same_first"] >= 0.9 for each in of.values())
    artifacts = FileStorage(folder / "artifacts")
    (model_id,) = list_models(artifacts)
    fastest, milliseconds = read_speeds(artifacts, model_id, RUNTIME).ranked[0]
    assert (of[PROJECT]["precision"], of[PROJECT]["milliseconds"]) == (fastest, milliseconds)
    figures["catalog"]["gflop"] = figures["filled"]["gflop"] = {
        "catalog": 20.0,
        "filled": 40.0,
        "all": 40.0,
    }
    assert [row.figure for row in warm_query.rows(figures)][::2] == [
        "warm query, catalog photos, CPU ms",
        "warm query, photos without anything blank, CPU ms",
    ]
    assert "1/10" in warm_query.table(figures)


def test_filled_photos_have_nothing_blank(folder: Path) -> None:
    seen = patches_seen(folder)
    assert seen["filled"] == [4] * 12
    assert len(seen["catalog"]) == 12


def test_the_workload_finds_each_photo_by_itself(folder: Path) -> None:
    """Its vectors are apart: a workload whose photos all look alike would prove nothing."""
    from lambdas.search.app import create_app
    from lens.search.searcher import Searcher
    from lens.settings import Settings
    from tests.lambdas.conftest import Client

    artifacts = FileStorage(folder / "artifacts")
    settings = Settings(catalog=str(folder / "catalog"), artifacts=str(folder / "artifacts"))
    searcher = Searcher(artifacts)
    client = Client(create_app(settings, searcher))
    for number, photo in enumerate(photos_of(folder)):
        reply = client.post("/api/search-image", files={"file": photo}).json()
        assert reply["hits"][0]["item_id"] == f"photo-{number:05}"
        assert reply["hits"][0]["similarity"] == pytest.approx(1.0, abs=1e-4)
    serving = searcher.serving
    assert serving is not None and serving.gallery.photo_count == 300
    assert serving.gallery.commit.tail_rows == 0, "as an index, not as a tail"


def test_catalog_photos_are_embedded_in_batches(folder: Path) -> None:
    before = sorted(folder.rglob("*"))
    kinds = (Kind(PROJECT, "project", 0), QUICK_BASELINE, Kind(ONNX, "onnx", 0))
    figures = kept(throughput.measure(folder, kinds, rounds=2, batch=5))
    assert all(each["per_cpu_second"][0] > 0 for each in figures["contenders"].values())
    assert sorted(folder.rglob("*")) == before, "the workload stays as it was"
    assert len(throughput.rows(figures)) == 1
    assert "batches of 5" in throughput.table(figures)


def test_a_cold_start_is_measured_to_the_answer(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cold_start, "cool", lambda: "")  # others use this machine
    event = tmp_path / "event.json"
    event.write_text(json.dumps(search_event(photos_of(folder)[0])))
    commands = first_answer.commands(folder, event)
    commands[EAGER] = commands[ONNX]
    places = {"LENS_CATALOG": "s3://bench/catalog", "LENS_ARTIFACTS": "s3://bench/artifacts"}
    with s3_folder(folder) as s3:
        starts = cold_start.measure(commands, s3 | places, times=1)
    figures = kept(first_answer.figures_of(starts))
    for each in figures["contenders"].values():
        assert each["wall"][0] > 0 and each["cpu"][0] > 0 and each["peak_mib"][0] > 10
    assert len(first_answer.rows(figures)) == 2
    assert PROJECT in first_answer.table(figures)
    broken = {PROJECT: [sys.executable, "-c", "raise SystemExit(3)"]}
    with pytest.raises(RuntimeError, match="failed"):
        cold_start.measure(broken, {}, times=1)


def test_a_load_curve_has_a_line_for_each_load(folder: Path) -> None:
    kinds = (Kind(PROJECT, "project", 0), QUICK_BASELINE)
    figures = kept(load_curve.measure(folder, kinds, (1, 4), (0.5,), seconds=0.5))
    for lines in figures["servers"].values():
        assert [line["load"] for line in lines] == ["1 clients", "4 clients", "50% of its most"]
        assert all(line["failed"] == 0 for line in lines)
        assert lines[0]["answered"] > 0 and lines[0]["p50"] <= lines[0]["p99"]
    assert len(load_curve.rows(figures)) == 2
    assert load_curve.table(figures).count("\n| ") >= 7


REPLY = b"HTTP/1.1 %d X\r\nContent-Length: 2\r\nRetry-After: 0\r\n\r\n{}"


def _heard(loop: Callable[[int, list[bytes]], Any], *replies: bytes) -> clients.Heard:
    """What clients hear of a server with these replies, in turns; b"" hangs up."""
    turns = iter(range(10**9))

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await reader.read(1_000):
            assert head.startswith(b"POST /api/search-image HTTP/1.1\r\n")
            reply = replies[next(turns) % len(replies)]
            if not reply:
                break
            writer.write(reply)
        writer.close()

    async def play() -> clients.Heard:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        async with server:
            heard: clients.Heard = await loop(
                server.sockets[0].getsockname()[1], [clients.http_request(b"photo")]
            )
        return heard

    return asyncio.run(play())


def test_clients_count_answers_refusals_and_failures_apart(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(clients, "MOST", 30)
    replies = (REPLY % 200, REPLY % 503, b"")  # the third hangs up
    for loop in (
        lambda port, requests: clients.closed(port, requests, 60.0, 1),
        lambda port, requests: clients.opened(port, requests, 60.0, 1_000.0),
    ):
        monkeypatch.setattr(clients, "PAUSE", 0.0)
        heard = _heard(loop, *replies)
        assert (len(heard.seconds), heard.refused, heard.failed) == (10, 10, 10)
        assert heard.elapsed > 0


def test_precisions_are_judged_against_fp32(tmp_path: Path) -> None:
    artifacts = FileStorage(tmp_path / "artifacts")
    right, wrong = (
        load_embedder(artifacts, write_tiny_model(artifacts, seed).model_id) for seed in (0, 1)
    )
    keys = [f"img/WOMEN/Tops/id_{i}/{view}.png" for i in range(6) for view in range(4)]
    for seed, key in enumerate(keys):
        (tmp_path / key).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / key).write_bytes(png(seed))
    # A query's item is that of the photo which fp32 finds first: all are right, then.
    items = {key: key for key in keys}
    queries, gallery = tuple(keys[::2]), tuple(keys[1::2])
    place = dict(zip(gallery, quality._embedded(right, tmp_path, gallery), strict=True))
    for key in queries:
        vector = quality._embedded(right, tmp_path, [key])[0]
        items[key] = max(gallery, key=lambda other: float(place[other] @ vector))
    precisions = {"fp32": right, "same": right, "other": wrong}
    splits = {"benchmark": Split(queries, gallery)}
    lines = quality.compare(precisions, tmp_path, items, splits)
    assert quality.compare(precisions, tmp_path, {}, splits) == lines, "nobody knows the items"
    found = {(line["precision"], line["gallery"]): line for line in lines}
    assert list(found) == [
        ("fp32", "fp32"),
        ("same", "same"),
        ("same", "fp32"),
        ("other", "other"),
        ("other", "fp32"),
    ]
    assert Counter(map(quality.admitted, lines)) == {True: 3, False: 2}
    assert found["same", "fp32"]["overlap"] == 1.0
    assert found["other", "fp32"]["fewer"] > quality.WANTED_QUERIES
    text = quality.table(kept({"photos": 24, "models": {"tiny": lines}}))
    assert text.count("| yes |") == 3


def test_photos_without_a_partition_file_are_judged_too_few_or_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As `make bench QUICK=1 PHOTOS=folder` asks for it."""
    write_tiny_model(FileStorage(tmp_path / "artifacts"))
    photos = tmp_path / "photos"
    photos.mkdir()
    monkeypatch.setenv(quality.ARTIFACTS, str(tmp_path / "artifacts"))
    monkeypatch.setenv(workload.PHOTOS, str(photos))
    for seed in range(60):
        if seed == 21:
            with pytest.raises(RuntimeError, match="there are 21 photos; quality needs 22"):
                quality.run(quick=True)
        (photos / f"{seed:02}.png").write_bytes(png(seed))
    figures = kept(quality.run(quick=True))
    assert figures["photos"] == 24 + 30
    ((line,),) = figures["models"].values()
    assert (line["protocol"], line["queries"], line["right"]) == ("photos alone", 24, 24)
    assert "| yes |" in quality.table(figures)


def test_a_quick_gallery_has_the_photos_that_its_queries_are_to_find() -> None:
    split = Split(tuple(f"q{n}" for n in range(50)), tuple(f"g{n}" for n in range(500)))
    items = {key: key[1:] for key in split.queries} | {f"g{n}": f"{499 - n}" for n in range(500)}
    short = quality._shortened(split, items)
    assert short.queries == split.queries[:24] and len(short.gallery) == 96
    assert {items[key] for key in short.queries} <= {items[key] for key in short.gallery}
