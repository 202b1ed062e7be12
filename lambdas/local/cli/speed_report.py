"""The speeds' report: which form of the model each kind of CPU computes with, and how fast."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from lens.models.speeds import Speeds, all_speeds
from lens.storage import Storage


def speeds_status(storage: Storage, model_id: str) -> list[dict[str, Any]]:
    """Each kind of CPU with its figures, the fastest form first, as `lens status --json` has it."""
    return [
        {"cpu": each.cpu, "runtime": each.runtime, "milliseconds": dict(each.ranked)}
        for each in all_speeds(storage, model_id)
        if each.milliseconds
    ]


def speeds_lines(status: Sequence[dict[str, Any]]) -> list[str]:
    """A line for each."""
    lines = []
    for each in status:
        (form, fastest), *others = each["milliseconds"].items()
        more = ", ".join(f"{name} {milliseconds:.0f}" for name, milliseconds in others)
        lines.append(
            f"computes   {form}, {fastest:.1f} ms a photo on {each['cpu']} with {each['runtime']}"
            + (f" (others: {more})" if more else "")
        )
    return lines


def tune_report(speeds: Speeds, *, as_json: bool) -> str:
    """What was measured here."""
    if as_json:
        return json.dumps(
            {**speeds.model_dump(), "milliseconds": dict(speeds.ranked)},
            indent=1,
        )
    width = max(len(name) for name in speeds.milliseconds)
    lines = [f"{name:<{width}}  {ms:8.1f} ms a photo" for name, ms in speeds.ranked]
    fastest = speeds.ranked[0][0]
    return "\n".join(
        [
            f"{speeds.model_id} on {speeds.cpu} with {speeds.runtime}:",
            *lines,
            f"machines of this kind compute in {fastest} from their next start on",
        ]
    )
