"""A shop behind a key, for programs that are no part of this project."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.serving import serving
from tests.support.drawn_shop import draw_shop

ROOT = Path(__file__).parents[2]
NODE = Path(sys.executable).with_name("node")
NODE_MODULES = ROOT / "node_modules"
GENERATOR = ROOT / ".clients/bin"
KEY = "a-key-of-the-shops-own-backend"


@dataclass(frozen=True)
class Shop:
    """A running server, whose every hit has a product, and one of its photos."""

    address: str
    photo: Path

    def ask(self, method: str, path: str, **parts: Any) -> Any:
        """The answer to a plain request, to compare a client's with."""
        headers = {"X-Api-Key": KEY}
        return httpx.request(method, f"{self.address}{path}", headers=headers, **parts).json()

    def search(self) -> Any:
        """The answer to a search with the photo, as every program here asks it."""
        fields = {"top_k": 3, "group": "item"}
        files = {"file": self.photo.read_bytes()}
        return self.ask("POST", "/api/search-image", files=files, data=fields)


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    root = tmp_path_factory.mktemp("clients")
    photos = draw_shop(root / "photos", ("Sweaters", "Dresses", "Skirts"))
    made, photo = root / "artifacts", next((root / "photos").rglob("*.jpg"))
    with serving(root / "photos", made, photos, LENS_API_KEYS=KEY, LENS_RATE="600") as server:
        shop = Shop(server.address, photo)
        while any(hit["product"] is None for hit in shop.search()["hits"]):
            assert server.process.poll() is None
            time.sleep(0.1)
        yield shop


def needed(tool: Path) -> Path:
    """A tool that `make test` installs; without it the test is skipped, but not where CI runs."""
    if not tool.exists():
        reason = f"there is no {tool.relative_to(ROOT)}: `make test` installs it"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return tool


def output(command: Sequence[str | Path], folder: Path, **variables: str) -> str:
    """What a program prints that must succeed; its own words say why it did not."""
    environment = {**os.environ, **variables}
    environment.pop("PYTHONPATH", None)  # it is no part of this project
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
