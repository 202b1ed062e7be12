"""A contender: project or baseline in a process of its own, which answers photos when it is asked.

Its process is `answer.py`. Contenders take turns, photo by photo, so that whatever else the
machine does meets them all alike.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.benchmarks.machine import ROOT

EAGER, ONNX, PROJECT = "torch fp32", "ORT fp32", "project"


@dataclass(frozen=True)
class Sample:
    """One piece of work: seconds, and the first item found for each photo (or none)."""

    cpu: float
    wall: float
    items: tuple[str, ...]


@dataclass(frozen=True)
class Kind:
    """What a contender is: `side` names a class of answer.py; 0 threads are its default."""

    name: str
    side: str
    threads: int = 1
    environment: tuple[tuple[str, str], ...] = ()

    def command(self, folder: Path, *options: str) -> list[str]:
        """The command that starts its process."""
        program = [sys.executable, "-m", "tests.benchmarks.answer", self.side, str(folder)]
        return [*program, "--threads", str(self.threads), *options]

    def variables(self) -> dict[str, str]:
        """Its environment."""
        return {**os.environ, **dict(self.environment)}


THE_PROJECT = Kind(PROJECT, "project")
THE_BASELINES = (Kind(EAGER, "torch"), Kind(ONNX, "onnx"))


class Contender:
    """A running contender; its answers come one at a time."""

    def __init__(self, kind: Kind, folder: Path) -> None:
        self.name = kind.name
        self._process = subprocess.Popen(
            kind.command(folder),
            env=kind.variables(),
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.facts: dict[str, Any] = self._heard()

    def search(self, photo: int) -> Sample:
        """Photo bytes to JSON, through all of the service; N more is the photo filled."""
        return self._sample({"search": [photo]})

    def embed(self, photos: Sequence[int]) -> Sample:
        """Photos to vectors, as fast as it can for many."""
        return self._sample({"embed": list(photos)})

    def peak_mib(self) -> float:
        """The most memory that its process has had, in MiB."""
        self._tell({"memory": []})
        return float(self._heard()["peak_mib"])

    def _sample(self, task: dict[str, list[int]]) -> Sample:
        self._tell(task)
        heard = self._heard()
        return Sample(heard["cpu"], heard["wall"], tuple(heard["items"]))

    def _tell(self, task: dict[str, list[int]]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(task) + "\n")
        self._process.stdin.flush()

    def _heard(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.name} ended with status {self._process.wait()}")
        heard: dict[str, Any] = json.loads(line)
        return heard

    def __enter__(self) -> Contender:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        try:
            self._process.stdin.close()  # which ends it in good order
            self._process.wait(timeout=20)
        finally:
            self._process.kill()
            self._process.wait()
            self._process.stdout.close()
