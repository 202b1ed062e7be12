"""Holds report: which photos are held, since when, and the command that lets them go."""

from __future__ import annotations

import shlex
from datetime import UTC, datetime
from typing import Any

from lambdas.local.pipeline import Pipeline
from lens.errors import UsageError
from lens.gallery.holds import read_held
from lens.photos.origin import read_origin, refuse_another


def held_lines(pipeline: Pipeline) -> list[str]:
    """What `lens status` prints of each hold."""
    return [
        f"held       {hold['photos']} of {hold['of']} photos, gone from the catalog since "
        f"{hold['since']}: {', '.join(hold['examples'])}"
        f"{', …' if hold['photos'] > len(hold['examples']) else ''}\n"
        f"           they are found until they are back, or you let them go: `{hold['command']}`"
        for hold in holds_status(pipeline)["held"]
    ]


def holds_status(pipeline: Pipeline) -> dict[str, Any]:
    """The holds, and which catalog the artifacts belong to where it is another."""
    return {
        "held": [
            {
                "hold": hold.id,
                "photos": hold.photos,
                "of": hold.of,
                "since": datetime.fromtimestamp(hold.since, UTC).isoformat(timespec="seconds"),
                "examples": list(hold.examples),
                "command": _command(pipeline, hold.id),
            }
            for hold in read_held(pipeline.artifacts)
        ],
        "belongs_to": _other_origin(pipeline),
    }


def _command(pipeline: Pipeline, hold: str) -> str:
    settings = pipeline.settings
    target = ["--stack", settings.stack] if settings.stack else [settings.catalog]
    return shlex.join(["lens", "reconcile", *target, "--allow-deletions", hold])


def _other_origin(pipeline: Pipeline) -> str | None:
    origin = read_origin(pipeline.artifacts)
    try:
        refuse_another(origin, pipeline.catalog)
    except UsageError:
        return origin
    return None
