"""Repair report: what `lens verify` found and what `lens repair` did, as text or as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator

from lens.pipeline.repair_work import Repaired
from lens.pipeline.verify import Inspection
from lens.storage.aside import PREFIX

_SHOWN = 20


def verify_report(found: Inspection, *, as_json: bool = False) -> str:
    """What is damaged, what that costs, and what is loose."""
    if as_json:
        fields = {
            "whole": found.whole,
            "checked": len(found.there),
            "damaged": [
                {"key": each.key, "what": each.what, "costs": each.costs} for each in found.damages
            ],
            "loose": found.loose,
        }
        return json.dumps(fields, indent=1)
    return "\n".join(_lines(found))


def repair_report(repaired: Repaired, queued: bool) -> str:
    """What was done, a line each."""
    if not repaired.done:
        return "everything is whole: there is nothing to repair"
    photos = len(repaired.looks)
    again = "are queued to be looked at again" if queued else "were looked at again"
    return "\n".join(
        [
            *repaired.done,
            f"{photos} photos {again}" if photos else "no photo had to be looked at again",
            f"what was damaged is kept in {PREFIX} among the artifacts: remove it when you like",
        ]
    )


def _lines(found: Inspection) -> Iterator[str]:
    for damage in found.damages:
        yield f"damaged    {damage.key}"
        yield f"           {damage.what}"
        yield f"           costs: {damage.costs}"
    yield from (f"loose      {key}" for key in found.loose[:_SHOWN])
    if len(found.loose) > _SHOWN:
        yield f"           and {len(found.loose) - _SHOWN} more (see --json)"
    if found.loose:
        yield "           (in no commit: `lens index` takes them in, or looks again)"
    parts = f"{len(found.there)} files were read"
    yield f"{parts}, {len(found.damages)} damaged" if found.damages else f"{parts}, all whole"
