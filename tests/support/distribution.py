"""Which tests one worker runs together, and in which order: for few idle minutes, and few fixtures
made twice."""

from __future__ import annotations

from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

# Of these folders all tests share what takes seconds to start: a browser's shops, a stack.
SHARING = ("tests/cdk/", "tests/clients/", "tests/e2e/")


def unit(nodeid: str) -> str:
    """What is given to one worker as a whole: a file's tests, or those of a folder that shares."""
    file = nodeid.split("::")[0]
    return next((folder for folder in SHARING if file.startswith(folder)), file)


def longest_first(items: list[pytest.Item]) -> None:
    """Units with a slow test before those without, whose many short ones then fill the gaps: no
    worker is left alone with minutes of work at the end."""
    slow = {unit(item.nodeid) for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: unit(item.nodeid) not in slow)


def by_unit(config: pytest.Config, log: Any) -> object:
    """What gives workers units, in the order of the tests."""
    config.option.loadscopereorder = False
    scheduler = LoadScopeScheduling(config, log)
    scheduler._split_scope = unit
    return scheduler
