"""A small drawn shop: one item for each of some categories of the sample catalog."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from lambdas.local.sample import catalog as sample_catalog
from lambdas.local.sample.assortment import ASSORTMENT
from lambdas.local.sample.catalog import draw_catalog


def draw_shop(folder: Path, categories: Sequence[str]) -> int:
    """Draw the first item of each of WOMEN's categories, in its colors, and the product file; how
    many photos there are."""
    first = {one.category.removeprefix("WOMEN/"): one for one in ASSORTMENT}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sample_catalog, "ASSORTMENT", tuple(first[name] for name in categories))
        draw_catalog(folder)
    return len(list(folder.rglob("*.jpg")))
