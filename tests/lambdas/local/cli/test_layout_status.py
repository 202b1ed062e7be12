"""`lens status` and a layout that waits: after an upgrade, and where LENS_LAYOUT was changed."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from lambdas.local.cli.layout_status import Waiting, layout_lines, layout_status
from lens.photos.catalog import Catalog
from lens.photos.layouts.layout import Layout
from lens.photos.layouts.stored import read_layout, store_layout
from lens.pipeline.layouts import decide_layout
from lens.settings import Settings
from lens.storage import FileStorage
from lens.storage.formats import announce_format

RECOGNIZED = "SKU_1.jpg, SKU_variant_1.jpg (recognized)"


class Shop:
    """Files called after products, and artifacts."""

    def __init__(self, root: Path) -> None:
        self.folder = root / "photos"
        self.folder.mkdir()
        for item in range(3):
            for view in (1, 2):
                (self.folder / f"A{item}_{view}.jpg").write_bytes(b"it is not read")
        self.artifacts = FileStorage(root / "made")

    def status(self, **settings: Any) -> dict[str, Any]:
        catalog = Catalog(FileStorage(self.folder))
        return layout_status(catalog, self.artifacts, Settings(**settings))

    def lines(self, **settings: Any) -> str:
        return "\n".join(layout_lines(self.status(**settings)))


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def test_a_changed_setting_waits_for_the_next_indexing(shop: Shop) -> None:
    announce_format(shop.artifacts, 0.0)
    store_layout(shop.artifacts, Layout("folders"))
    told = shop.status()
    assert told["layout"] == "folders (LENS_LAYOUT)"
    assert told["layout_waits"]["layout"] == RECOGNIZED
    assert shop.lines().splitlines() == [
        "layout     folders (LENS_LAYOUT)",
        f"           {RECOGNIZED} takes its place at the next indexing; nothing is embedded again",
    ]
    assert shop.status(layout="folders")["layout_waits"] is None
    assert shop.lines(layout="folders") == "layout     folders (LENS_LAYOUT)"


def test_after_an_upgrade_it_waits_for_an_hour(shop: Shop) -> None:
    """Artifacts of an earlier release are there."""
    shop.artifacts.write("current.json", b"{}")
    waits = shop.status()["layout_waits"]
    assert waits["from"] is None
    assert waits["when"] == "an hour after `lens index` or `lens serve` of this release begins"
    began = time.time() - 600
    announce_format(shop.artifacts, began)
    waits = shop.status()["layout_waits"]
    until = began + 3_600
    assert waits["from"] == time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(until))
    told = time.strftime("%Y-%m-%d %H:%M", time.localtime(until))
    assert waits["when"] == f"at {told}, an hour after the upgrade"
    assert Waiting(Layout(), until).when(until) == "at the next indexing"
    json.dumps(shop.status())


def test_what_is_said_comes_true(shop: Shop) -> None:
    announce_format(shop.artifacts, time.time())
    assert shop.status()["layout_waits"]["when"] == "at the next indexing"  # nobody ran before
    catalog = Catalog(FileStorage(shop.folder))
    decide_layout(catalog, shop.artifacts, "")
    assert read_layout(shop.artifacts).text == RECOGNIZED
    assert shop.lines() == f"layout     {RECOGNIZED}"


def test_a_layout_that_cannot_be_told_costs_a_line(shop: Shop, tmp_path: Path) -> None:
    assert "cannot be told: LENS_LAYOUT='{itm}_*'" in shop.lines(layout="{itm}_*")
    shop.folder.rename(tmp_path / "elsewhere")
    assert "cannot be told: there is no folder" in shop.lines()


def test_a_stack_decides_by_itself(shop: Shop) -> None:
    announce_format(shop.artifacts, 0.0)
    assert shop.status(stack="ImageLens")["layout_waits"] is None
