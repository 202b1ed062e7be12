"""The default deployment, synthesized once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cdk.synthesis import Parts, checkout, synthesize


@pytest.fixture(scope="session")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout to deploy from."""
    return checkout(tmp_path_factory.mktemp("checkout"))


@pytest.fixture(scope="session")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the default deployment's template."""
    return tmp_path_factory.mktemp("cdk.out")


@pytest.fixture(scope="session")
def parts(root: Path, out: Path) -> Parts:
    """What the default settings deploy."""
    return Parts(synthesize(root, out))
