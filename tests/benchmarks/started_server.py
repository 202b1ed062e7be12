"""A started server: `lens serve` of a checkout on empty artifacts, as a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

_LENS = "import sys; from lambdas.local.cli import main; sys.exit(main(sys.argv[1:]))"


@contextmanager
def started_server(photos: Path, tree: Path) -> Iterator[httpx.Client]:
    """A client of a checkout's server over these photos, from when it answers. RuntimeError when it
    ends early. It is killed in the end, and what it made is removed."""
    paths = os.pathsep.join((str(tree / "layers/lens/python"), str(tree)))
    with tempfile.TemporaryDirectory() as artifacts:
        process = subprocess.Popen(
            [sys.executable, "-c", _LENS, "serve", str(photos.resolve())],
            cwd=artifacts,
            env={
                **os.environ,
                "PYTHONPATH": paths,
                "LENS_PORT": "0",
                "LENS_ARTIFACTS": artifacts,
            },
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        try:
            address = process.stdout.readline().split()[-1:]
            if not address:
                raise RuntimeError(f"{tree}: the server did not start")
            with httpx.Client(base_url=address[0], timeout=60) as http:
                yield http
        finally:
            process.kill()
            process.wait()
            process.stdout.close()
