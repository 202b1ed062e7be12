"""Tests of functions.py: packaging, disk, environment and logs of every function."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.cdk.synthesis import Parts, checkout, several, synthesize

pytestmark = pytest.mark.slow

FUNCTIONS = (
    "embed",
    "build_index",
    "compact",
    "reconcile",
    "collect",
    "setup",
    "promote",
    "search",
)


def test_zip_functions_have_both_layers_and_images_their_command(parts: Parts) -> None:
    layers = [{"Ref": name} for name in parts.named("AWS::Lambda::LayerVersion", "Functions")]
    assert len(layers) == 2
    for name in ("build_index", "compact", "reconcile", "collect", "setup", "promote"):
        function = parts.function(name)
        assert function["Layers"] == layers
        assert function["Handler"] == f"lambdas.{name}.function.handler"
        assert function["Runtime"] == "python3.13"
    for name in ("embed", "search"):
        function = parts.function(name)
        assert function["PackageType"] == "Image"
        assert function["ImageConfig"]["Command"] == [f"lambdas.{name}.function.handler"]


def test_arm64_is_a_setting_of_every_function_and_its_layers(tmp_path: Path) -> None:
    root = checkout(tmp_path / "checkout")
    vendor = root / "layers" / "vendor"
    for built in list(vendor.iterdir()):
        built.rename(vendor / built.name.replace("x86_64", "arm64"))
    template = synthesize(root, tmp_path / "out", architecture="arm64", packaging="zip")
    parts = Parts(template)
    for name in FUNCTIONS:
        assert parts.function(name)["Architectures"] == ["arm64"], name
        assert len(parts.function(name)["Layers"]) == 2, name
    for layer in parts.named("AWS::Lambda::LayerVersion", "Functions").values():
        assert layer["Properties"]["CompatibleArchitectures"] == ["arm64"]


def test_no_layer_carries_the_default_model(parts: Parts, out: Path) -> None:
    assert parts.named("AWS::Lambda::LayerVersion")
    (layer,) = out.glob("*/python/lens")
    assert [path.name for path in layer.iterdir()] == ["__init__.py"]


def test_a_large_gallery_s_files_have_the_room_that_they_are_given(
    root: Path, tmp_path: Path
) -> None:
    parts = Parts(synthesize(root, tmp_path, search_disk=1_536, upkeep_disk=1_024))
    given = {
        name: parts.function(name).get("EphemeralStorage", {}).get("Size")
        for name in ("search", "compact", "reconcile", "collect", "promote", "embed", "build_index")
    }
    upkeep = dict.fromkeys(("compact", "reconcile", "collect", "promote"), 1_024)
    assert given == {"search": 1_536, **upkeep, "embed": None, "build_index": None}


def test_every_function_says_where_its_part_of_the_world_is(parts: Parts) -> None:
    told: dict[str, set[str]] = {}
    for name in FUNCTIONS:
        variables: dict[str, Any] = parts.function(name)["Environment"]["Variables"]
        assert variables["POWERTOOLS_SERVICE_NAME"] == "ImageLens", "of its logs and metrics"
        told[name] = {
            each.removeprefix("LENS_").lower() for each in variables if each.startswith("LENS_")
        }
        assert len(told[name]) == len(variables) - 1
    assert told == {
        "embed": {"catalog", "artifacts", "thumbs", "receives", "decode_apart"},
        "build_index": {"artifacts", "embed_queue"},
        "compact": {"artifacts"},
        "reconcile": {"catalog", "artifacts", "embed_queue"},
        "collect": {"artifacts", "thumbs", "embed_queue"},
        "setup": {"catalog", "artifacts", "model_folder"},
        "promote": {"catalog", "artifacts", "embed_queue"},
        "search": {"catalog", "artifacts", "thumbs", "image_url", "thumb_url"}
        | {"max_photo_bytes", "cors_origins", "decode_apart"},
    }


def test_every_log_ends_and_is_json(parts: Parts) -> None:
    for log in parts.named("AWS::Logs::LogGroup").values():
        assert log["Properties"]["RetentionInDays"] == 30
        assert log["DeletionPolicy"] == "Delete"
    for name in FUNCTIONS:
        assert parts.function(name)["LoggingConfig"]["LogFormat"] == "JSON"
        assert several(parts.function(name)["LoggingConfig"]["LogGroup"])[0]["Ref"]
