"""Fixtures for every test: the real photos, where they are at hand."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.s3_bucket import s3_bucket

STOREFRONT = Path(__file__).parents[2] / "shared" / "data" / "storefront"


@pytest.fixture(scope="session")
def storefront() -> Path:
    """1,143 real fashion photos in the In-Shop layout; they are not part of this repository."""
    if STOREFRONT.is_dir():
        return STOREFRONT
    reason = "the storefront photos are not beside this checkout"
    if os.environ.get("LENS_REQUIRE_STOREFRONT"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An empty bucket in memory."""
    with s3_bucket(monkeypatch):
        yield
