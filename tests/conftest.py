"""Fixtures for every test: the real photos, where they are at hand."""

from __future__ import annotations

import gc
import os
import pkgutil
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import anyio
import pytest
from hypothesis import HealthCheck, Phase, settings

from tests.support.distribution import by_unit, longest_first
from tests.support.s3_bucket import s3_bucket

# anyio imports its modules when they are first used, in any thread, and pytest rewrites them then,
# because anyio has a plugin for it. Parsing in two threads at once can fail in CPython 3.11
# ("AST constructor recursion depth mismatch"): so they are imported here, in one.
for _module in pkgutil.walk_packages(anyio.__path__, "anyio."):
    if not _module.name.startswith("anyio._backends._trio"):  # needs trio
        import_module(_module.name)

# A machine that others use too is slow, which is no fault of what is tested.
settings.register_profile("here", deadline=None, suppress_health_check=[HealthCheck.too_slow])
# A mutant is noticed or not: which example is the smallest that tells does not matter.
settings.register_profile(
    "mutants", settings.get_profile("here"), phases=[Phase.explicit, Phase.generate]
)
settings.load_profile("here")

# Collecting makes hundreds of thousands of objects that stay, and looking through all of them for
# garbage, again and again, would be a third of its time.
gc.disable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    longest_first(items)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> object:
    """Asked for `-n`, by its plugin."""
    return by_unit(config, log)


def pytest_collection_finish() -> None:
    """From now on there is garbage; what is here before the tests is never part of it."""
    gc.freeze()
    gc.enable()


DATA = Path(__file__).parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def storefront() -> Path:
    """1,143 real fashion photos in the In-Shop layout; they are not part of this repository."""
    return _real("storefront")


@pytest.fixture(scope="session")
def shopper() -> Path:
    """Photos as shoppers take them, labeled; they are not part of this repository."""
    return _real("shopper")


def _real(name: str) -> Path:
    if (DATA / name).is_dir():
        return DATA / name
    reason = f"the {name} photos are not beside this checkout"
    if os.environ.get("LENS_REQUIRE_STOREFRONT"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An empty bucket in memory."""
    with s3_bucket(monkeypatch):
        yield
