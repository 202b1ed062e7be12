"""The limit of a promotion (lambdas/promote/limit.py): told before anything is nominated."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lambdas.promote.limit import beyond
from lens.gallery.current import swap_current
from lens.storage import FileStorage
from tests.support.small_galleries import NOW, add, make_live, photo

DEAR = {"dollars": 5.0, "dollars_each": 2.0, "hours_each": 0.5}


@pytest.fixture
def artifacts(tmp_path: Path) -> FileStorage:
    """Three photos are live."""
    storage = FileStorage(tmp_path)
    make_live(storage)
    add(storage, *(photo(f"{number}.jpg", "1", at=NOW) for number in range(3)))
    return storage


def test_more_than_is_allowed_is_refused_with_the_estimate_and_what_allows_it(
    artifacts: FileStorage,
) -> None:
    told = beyond(artifacts, "newer", "a-job", DEAR)
    assert told is not None
    for part in (
        "3 photos",
        "1.5 hours and $6.00",
        "`python -m cdk.reembedding 3`",
        "promote_dollars (5)",
        "-c promote_dollars=6",
        "`lens train --promote a-job`",
    ):
        assert part in told, part


@pytest.mark.parametrize("limit", [None, {}, {**DEAR, "dollars": 6.0}])
def test_what_is_within_it_may_go_on(artifacts: FileStorage, limit: dict[str, Any] | None) -> None:
    assert beyond(artifacts, "newer", "a-job", limit) is None


def test_a_promotion_that_has_begun_is_not_stopped(artifacts: FileStorage) -> None:
    swap_current(
        artifacts, lambda old: old.model_copy(update={"candidate": "newer"}) if old else None
    )
    assert beyond(artifacts, "newer", "a-job", DEAR) is None
    assert beyond(artifacts, "another", "a-job", DEAR) is not None


def test_the_first_model_replaces_nothing(tmp_path: Path) -> None:
    assert beyond(FileStorage(tmp_path), "first", "a-job", DEAR) is None
