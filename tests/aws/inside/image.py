"""The image without Docker: the files that the Dockerfile copies, and the command it names."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

_ROOT = re.compile(r"(\$\{?LAMBDA_TASK_ROOT\}?|/var/task)/?|(?!/)")  # also a relative target


class Image:
    """The files that lambdas/Dockerfile puts into the task root; its libraries are in a venv."""

    def __init__(self, checkout: Path) -> None:
        self._checkout = checkout
        text = (checkout / "lambdas/Dockerfile").read_text()
        self._lines = re.sub(r"\\\n", " ", text).splitlines()

    @property
    def command(self) -> str:
        """The handler that is used unless the function names another."""
        commands = [line.removeprefix("CMD ") for line in self._lines if line.startswith("CMD ")]
        [handler] = json.loads(commands[-1])
        return str(handler)

    def unpack(self, folder: Path) -> None:
        """Copy the image's files into a folder."""
        for line in self._lines:
            words = [word for word in line.split() if not word.startswith("--")]
            if words[:1] != ["COPY"]:
                continue
            *sources, target = words[1:]
            if not (root := _ROOT.match(target)):
                continue  # outside the function's folder
            place = folder / target[root.end() :]
            for source in sources:
                self._copy(self._checkout / source, place, into=target.endswith("/"))

    def _copy(self, source: Path, place: Path, *, into: bool) -> None:
        """As Docker does: copy a folder's contents; a target that ends in a slash is a folder."""
        if source.is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(source, place, dirs_exist_ok=True, ignore=ignored)
        else:
            target = place / source.name if into or place.is_dir() else place
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target)
