"""The speeds' report and `lens tune`: what forms take here, for `lens status` and every machine."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lambdas.local.cli import main
from lambdas.local.cli.speed_report import speeds_lines, speeds_status, tune_report
from lens.gallery.current import Current, swap_current
from lens.models.cpu import cpu_kind
from lens.models.embedder import RUNTIME, load_embedder
from lens.models.manifest import FasterNetwork, HeadInfo, write_model
from lens.models.speeds import Speeds, read_speeds, speeds_key, write_speeds
from lens.storage import FileStorage
from tests.lambdas.local.photos import write_photos
from tests.support.tiny_model import DIM, PREPROCESSING, tiny_graph


@pytest.fixture
def artifacts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FileStorage:
    """Artifacts whose live model has two forms; the working folder has its photos."""
    monkeypatch.chdir(tmp_path)
    write_photos(Path("photos"), range(1))
    monkeypatch.setenv("LENS_ARTIFACTS", str(tmp_path / "artifacts"))
    storage = FileStorage(tmp_path / "artifacts")
    manifest = write_model(
        storage,
        tiny_graph(0),
        backbone="tiny",
        embedding_dim=DIM,
        preprocessing=PREPROCESSING,
        head=HeadInfo(kind="trained"),
        faster={"int7": FasterNetwork(tiny_graph(1), "", {})},
    )
    swap_current(storage, lambda _: Current(live=manifest.model_id))
    return storage


def live(storage: FileStorage) -> str:
    (key,) = (info.key for info in storage.list("models/") if info.key.endswith("manifest.json"))
    return key.split("/")[1]


def known(storage: FileStorage, *, cpu: str = "", **figures: float) -> Speeds:
    speeds = read_speeds(storage, live(storage), RUNTIME)
    speeds = speeds.model_copy(update={"milliseconds": figures, "cpu": cpu or speeds.cpu})
    write_speeds(storage, speeds)
    return speeds


def test_status_has_a_line_for_each_kind_of_cpu_the_fastest_form_first(
    artifacts: FileStorage,
) -> None:
    known(artifacts, cpu="Graviton", fp32=250.0, int7=80.04)
    known(artifacts, fp32=9.5)
    status = speeds_status(artifacts, live(artifacts))
    assert sorted(speeds_lines(status)) == sorted(
        [
            f"computes   int7, 80.0 ms a photo on Graviton with {RUNTIME} (others: fp32 250)",
            f"computes   fp32, 9.5 ms a photo on {cpu_kind()} with {RUNTIME}",
        ]
    )
    assert {
        "cpu": "Graviton",
        "runtime": RUNTIME,
        "milliseconds": {"int7": 80.04, "fp32": 250.0},
    } in (status)
    damaged = speeds_key(known(artifacts, fp32=9.5))
    artifacts.write(damaged, b"{")
    assert len(speeds_status(artifacts, live(artifacts))) == 1, "it costs its own line"


def test_tune_measures_every_form_anew_and_status_tells_them(
    artifacts: FileStorage, capsys: pytest.CaptureFixture[str]
) -> None:
    known(artifacts, int7=1e9, fp32=1e9)
    assert main(["tune", "photos"]) == 0
    told = capsys.readouterr()
    assert "measuring int7" in told.err and "measuring fp32" in told.err
    assert f"on {cpu_kind()} with {RUNTIME}:" in told.out
    figures = read_speeds(artifacts, live(artifacts), RUNTIME).milliseconds
    assert set(figures) == {"int7", "fp32"} and max(figures.values()) < 1e6
    fastest = min(figures, key=lambda form: figures[form])
    assert f"compute in {fastest} from their next start on" in told.out
    assert load_embedder(artifacts, live(artifacts)).precision == fastest
    assert main(["status", "photos"]) == 0
    assert f"computes   {fastest}, " in capsys.readouterr().out
    assert main(["tune", "photos", "--json"]) == 0
    assert set(json.loads(capsys.readouterr().out)["milliseconds"]) == {"int7", "fp32"}


def test_tune_names_a_form_that_cannot_be_used(
    artifacts: FileStorage, capsys: pytest.CaptureFixture[str]
) -> None:
    (info,) = (each for each in artifacts.list("models/") if "int7" in each.key)
    artifacts.write(info.key, b"nothing")
    assert main(["tune", "photos"]) == 1
    told = capsys.readouterr()
    assert info.key in told.err and "fp32" in told.out


def test_tune_wants_a_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    write_photos(Path("photos"), range(1))
    assert main(["tune", "photos"]) == 2
    assert "run `lens index`" in capsys.readouterr().err
    assert main(["tune", "photos", "--model", "none"]) == 1
    assert "there is no model 'none'" in capsys.readouterr().err


def test_a_report_is_whole_with_one_form() -> None:
    speeds = Speeds(model_id="m", cpu="c", runtime="r", milliseconds={"fp32": 14.0})
    assert "fp32      14.0 ms a photo" in tune_report(speeds, as_json=False)
