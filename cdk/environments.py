"""The environments: settings in committed files, environments/NAME.json, chosen by name."""

from __future__ import annotations

import difflib
import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[1] / "environments"


class EnvironmentFileError(Exception):
    """There is no such file, or it cannot be read; the message is one line that says what to do."""


def read_environment(name: str, folder: Path = FOLDER) -> dict[str, Any]:
    """The settings in an environment's file; only what differs from the defaults is in it."""
    known = sorted(path.stem for path in folder.glob("*.json"))
    if name not in known:
        near = difflib.get_close_matches(name, known, 1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known) or 'none'}"
        raise EnvironmentFileError(f"there is no environments/{name}.json: {hint}")
    file = folder / f"{name}.json"
    try:
        settings = json.loads(file.read_text())
    except ValueError as error:
        raise EnvironmentFileError(f"environments/{name}.json is no JSON: {error}") from error
    if not isinstance(settings, dict):
        raise EnvironmentFileError(
            f'environments/{name}.json is to be one object: {{"setting": value}}'
        )
    return settings
