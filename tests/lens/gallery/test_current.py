"""`current.json`: which models' galleries follow the catalog, and which are retained."""

from __future__ import annotations

from pathlib import Path

from lens.gallery import retention
from lens.gallery.current import Current, followed_models, read_current, swap_current
from lens.storage import FileStorage


def test_before_the_first_model_nothing_is_followed(tmp_path: Path) -> None:
    storage = FileStorage(tmp_path)
    assert read_current(storage) is None
    assert followed_models(storage) == ()


def test_the_live_model_and_the_candidate_are_followed(tmp_path: Path) -> None:
    storage = FileStorage(tmp_path)
    swap_current(storage, lambda _: Current(live="a"))
    assert followed_models(storage) == ("a",)
    swap_current(storage, lambda c: c and c.model_copy(update={"candidate": "b"}))
    assert followed_models(storage) == ("a", "b")


def test_the_live_model_and_the_newest_earlier_ones_are_retained() -> None:
    earlier = tuple(f"m{number}" for number in range(retention.MODELS + 2))
    current = Current(live="live", candidate="new", previous=earlier)
    assert current.retained == ("live", *earlier[: retention.MODELS])
