"""Helpers that several tests of storages use."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from lens.storage import Storage


def keys(storage: Storage, prefix: str = "") -> list[str]:
    return [info.key for info in storage.list(prefix)]


def put(path: Path, data: bytes = b"") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def race(runners: int, act: Callable[[int], Any]) -> list[Any]:
    """The results of as many threads, let go at the same moment."""
    start = threading.Barrier(runners)

    def run(number: int) -> Any:
        start.wait()
        return act(number)

    with ThreadPoolExecutor(runners) as pool:
        return list(pool.map(run, range(runners)))
