"""Hanging: a benchmark whose server never answers."""

from __future__ import annotations

import subprocess
import sys
from typing import Any


def run(quick: bool) -> dict[str, Any]:
    """Waits for a process that it started."""
    subprocess.run([sys.executable, "-c", "import time; time.sleep(600)"], check=True)
    return {}


def table(figures: dict[str, Any]) -> str:
    """Never asked for."""
    raise AssertionError
