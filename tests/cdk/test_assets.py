"""Tests of assets.py: a file that was not built is reported with the command that builds it."""

from __future__ import annotations

from pathlib import Path

import pytest

from cdk.assets import Assets
from cdk.config import Config, ConfigError


def test_a_serving_layer_that_was_not_built_is_told_with_its_command(root: Path) -> None:
    name = "layers/vendor/serving-py312-x86_64"
    gallery = root / "layers/vendor/gallery-py312-x86_64/python"
    gallery.mkdir(parents=True)
    config = Config(packaging="zip", python_version="3.12")
    chosen = "-c packaging=zip -c python_version=3.12 -c architecture=x86_64"
    with pytest.raises(
        ConfigError, match=f'{name}/python is missing.*`make assets CONTEXT="{chosen}"`'
    ):
        Assets.of(root, config)


@pytest.mark.parametrize(
    ("missing", "command"),
    [
        ("layers/vendor/gallery-py313-x86_64/python", 'make assets CONTEXT="-c packaging=image'),
        ("build/model/models", "make assets"),
        ("build/training/sourcedir.tar.gz", "make assets"),
    ],
)
def test_what_was_not_built_is_told_with_its_command(
    root: Path, missing: str, command: str
) -> None:
    aside = root / "aside"
    (root / missing).rename(aside)
    try:
        with pytest.raises(ConfigError, match=f"{missing} is missing: run `{command}"):
            Assets.of(root, Config())
    finally:
        aside.rename(root / missing)
