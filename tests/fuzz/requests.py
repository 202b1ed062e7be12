"""Requests: what schemathesis makes of the API's own document, sent to a real server.

It has an environment of its own (`.fuzz`, by `make fuzz`), because it wants other versions of what
the rest is pinned to.
"""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.e2e.serving import serving
from tests.lambdas.local.photos import write_photos

SCHEMATHESIS = Path(__file__).parents[2] / ".fuzz/bin/schemathesis"
_PHOTOS = 12


@dataclass(frozen=True)
class Asked:
    """How many requests were sent, what was found, and whether the server goes on."""

    sent: int
    failures: tuple[str, ...]
    report: str


def ask(seed: int, examples: int, program: Path = SCHEMATHESIS) -> Asked:
    """Send so many examples for each operation, and more for its edges. None may be answered by an
    error of the server's, otherwise than documented, or not at all."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        write_photos(place / "photos", range(_PHOTOS))
        with serving(
            place / "photos", place / "made", _PHOTOS, LENS_ACCESS_LOG=str(place / "log")
        ) as server:
            command = [
                *(str(program), "run", f"{server.address}/api/openapi.json"),
                *("--seed", str(seed), "--max-examples", str(examples), "--workers", "1"),
                *("--checks", "not_a_server_error,status_code_conformance"),
                *("--continue-on-failure", "--request-timeout", "60"),
                *("--suppress-health-check", "all", "--warnings", "off", "--no-color"),
            ]
            told = subprocess.run(command, capture_output=True, text=True, cwd=folder)
            assert httpx.get(f"{server.address}/api/health", timeout=60).status_code == 200
            assert server.process.poll() is None
        answered = [json.loads(line) for line in (place / "log").read_text().splitlines()]
        failures = [
            f"{each['method']} {each['route']}" for each in answered if each["status"] >= 500
        ]
        if told.returncode:
            found = re.findall(r"^- (?!Test Case ID).+", told.stdout, re.MULTILINE)
            failures += found or [(told.stderr or told.stdout)[-2_000:]]
        return Asked(len(answered), tuple(failures), told.stdout)
