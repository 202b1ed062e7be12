"""A served shop: `lens serve` as a process, for a folder of photos."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx


@dataclass(frozen=True)
class Server:
    """A running server."""

    address: str
    process: subprocess.Popen[str]

    def stop(self) -> None:
        """Kill the server, as when its machine fails."""
        self.process.kill()
        self.process.wait()


@contextmanager
def serving(
    folder: Path, artifacts: Path, photos: int, port: int = 0, **settings: str
) -> Iterator[Server]:
    """Serve a folder; the block starts when its photos can be found. Other settings are named like
    their variables."""
    process = subprocess.Popen(
        [sys.executable, "-m", "lambdas.local.cli", "serve", str(folder)],
        env={
            **os.environ,
            "LENS_PORT": str(port),
            "LENS_ARTIFACTS": str(artifacts),
            **settings,
        },
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        found = re.search(r"http://127\.0\.0\.1:\d+", process.stdout.readline())
        assert found is not None
        deadline = time.monotonic() + 120
        while _photos(found[0]) < photos:
            assert time.monotonic() < deadline, "the photos cannot be found"
            time.sleep(0.1)
        yield Server(found[0], process)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def _photos(address: str) -> int:
    gallery = httpx.get(f"{address}/api/health").json()["gallery"]
    return int(gallery["photos"]) if gallery else 0
