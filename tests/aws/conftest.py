"""A worker's deployment, on MiniStack with IAM enforced: functions run under their roles."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

from lens.storage import Storage, open_storage
from tests.aws.deployment import Deployment, make_assets
from tests.aws.emulator import Emulator, emulator
from tests.aws.interpreters import Interpreters, NoPythonError, find_python, interpreters
from tests.aws.shop import Shop

# With `pytest -n 2` one worker has these tests and another all others, each on a deployment of its
# own: about half of the work each.
_APART = {"test_disappearance", "test_gallery", "test_game_day"}


class _Halves(LoadScopeScheduling):  # type: ignore[misc]
    """As `--dist loadgroup`, whose groups pytest 9.2 does not hand to xdist 3.8."""

    def _split_scope(self, nodeid: str) -> str:
        return str(Path(nodeid.partition("::")[0]).stem in _APART)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> _Halves:
    return _Halves(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the tests that change the packaging late, and the test that destroys the stack last."""
    items.sort(
        key=lambda item: (
            item.name == "test_destroying_the_stack_leaves_nothing",
            item.path.stem == "test_packaging",
        )
    )


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what a test has measured: a worker's own output is not shown."""
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties if report.when == "call" else ():
            terminalreporter.write_line(f"{name}: {value}")


@pytest.fixture(scope="session")
def python() -> Interpreters:
    """The environments of the emulator; the assets are built while they are made."""
    try:
        version, _ = find_python()
        with ThreadPoolExecutor() as pool:
            assets = pool.submit(make_assets, version)
            made = interpreters()
            assets.result()
            return made
    except NoPythonError as error:
        if os.environ.get("CI"):
            pytest.fail(str(error))
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def account(python: Interpreters, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """A new, empty AWS account."""
    with emulator(python, tmp_path_factory.mktemp("aws") / "emulator", auth=True) as running:
        yield running


@pytest.fixture(scope="session")
def shop(
    account: Emulator, python: Interpreters, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shop]:
    """The deployed stack and a visitor of its page; its empty state was recorded first."""
    folder = tmp_path_factory.mktemp("deployment")
    deployment = Deployment(
        account,
        folder,
        {
            "removal": "destroy",
            "python_version": python.version,
            "promote_seconds": "2",
            "search_log": "30",
            "training_bundle": str(folder / "sourcedir.tar.gz"),
            "training_others": "ml.g5.xlarge",
            "training_on_demand": "true",
        },
    )
    deployment.bundle()
    deployment.bootstrap()
    deployment.deploy()
    with Shop.opened(deployment) as opened:
        yield opened


@pytest.fixture(scope="session")
def artifacts(shop: Shop) -> Storage:
    """The artifacts, with the account's own permissions."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in shop.deployment.emulator.environment.items():
            patch.setenv(name, value)
        storage = open_storage(shop.deployment.outputs["ArtifactsLocation"])
        storage.head("current.json")  # makes its client now, with these credentials
        return storage
