"""The search function as a zip: its folder, `lens` and the serving layer suffice."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from layers.build import UnreachableIndexError, build
from layers.check import LENS
from layers.contents import ROOT, SERVING
from layers.target import Target, find_python
from tests.lambdas.conftest import STOCK, MakeShop, Shop
from tests.lambdas.test_search_function import RUNTIME, event, search_event
from tests.support.tiny_model import png

VENDOR = ROOT / "layers" / "vendor"


def answers(shop: Shop, folder: Path, *events: dict[str, Any]) -> list[dict[str, Any]]:
    """The replies of a function that has only what Lambda would unpack for it."""
    python = find_python("3.13")
    if python is None:
        pytest.skip("there is no Python 3.13 on this machine")
    target = Target("3.13", "x86_64")
    try:
        build(SERVING, target)
    except UnreachableIndexError as error:
        pytest.skip(str(error))
    shutil.copytree(ROOT / "lambdas" / "search", folder / "lambdas" / "search")
    for name in ("__init__.py", "telemetry.py"):
        shutil.copy(ROOT / "lambdas" / name, folder / "lambdas")
    packages = VENDOR / f"serving-{target.name}" / "python"
    # -S leaves site-packages out, -I the environment's own paths, -B bytecode.
    done = subprocess.run(
        [
            *(python, "-I", "-S", "-B", "-c"),
            f"import sys; sys.path[:0] = sys.argv[1:]{RUNTIME}",
            *(folder, packages, LENS),
        ],
        input="\n".join(json.dumps(each) for each in events),
        env={"LENS_CATALOG": shop.settings.catalog, "LENS_ARTIFACTS": shop.settings.artifacts},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.slow
def test_a_zip_answers_with_no_hits_at_first_and_finds_photos_once_there_are_some(
    make_shop: MakeShop, tmp_path: Path
) -> None:
    shop = make_shop()
    (empty,) = answers(shop, tmp_path / "empty", search_event(png(1)))
    assert empty["statusCode"] == 200
    assert json.loads(empty["body"])["hits"] == []

    for key, seed in STOCK.items():
        shop.put(key, png(seed))
    shop.open()
    found, health = answers(
        shop, tmp_path / "full", search_event(png(4)), event("GET", "/api/health")
    )
    first = json.loads(found["body"])["hits"][0]
    assert first["key"] == "img/MEN/Shirts/id_3/front.png"
    assert first["exact"]
    assert json.loads(health["body"])["gallery"]["photos"] == len(STOCK)
