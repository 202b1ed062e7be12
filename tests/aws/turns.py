"""Turns: what this checkout holds once is made by one worker of the tests at a time.

    python -m tests.aws.turns

The command is `cdk.app` in its turn: each synthesis lays out the functions in build/functions.
"""

from __future__ import annotations

import fcntl
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
HOME = ROOT / ".emulator"


@contextmanager
def turn(name: str) -> Iterator[None]:
    """Wait until no other process is in a block of this name; a process that ends leaves it."""
    HOME.mkdir(exist_ok=True)
    with (HOME / f"{name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    from cdk.app import main

    with turn("synthesis"):
        sys.exit(main())
