"""Layout status: the layout that is in force and the one that waits to be, for `lens status` and
`lens index --explain`."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from lens.errors import LensError
from lens.photos.catalog import Catalog
from lens.photos.layouts.layout import Layout
from lens.photos.layouts.stored import layouts_from, read_layout
from lens.pipeline.layouts import understand
from lens.settings import Settings
from lens.storage import Storage


@dataclass(frozen=True)
class Waiting:
    """A layout that is not in force yet. `holds_from` is in seconds since the epoch; None: an hour
    after this release runs first."""

    layout: Layout
    holds_from: float | None

    def when(self, now: float) -> str:
        """When it will be."""
        if self.holds_from is None:
            return "an hour after `lens index` or `lens serve` of this release begins"
        if self.holds_from <= now:
            return "at the next indexing"
        at = time.strftime("%Y-%m-%d %H:%M", time.localtime(self.holds_from))
        return f"at {at}, an hour after the upgrade"

    def to_json(self) -> dict[str, Any]:
        """The same; `from` as ISO 8601 in UTC."""
        since = self.holds_from
        told = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(since)) if since else None
        return {"layout": self.layout.text, "from": told}


def waiting(artifacts: Storage, before: Layout, layout: Layout, now: float) -> Waiting | None:
    """What waits where a layout is understood and another is in force."""
    return None if layout == before else Waiting(layout, layouts_from(artifacts, now))


def layout_status(catalog: Catalog, artifacts: Storage, settings: Settings) -> dict[str, Any]:
    """What is in force, what waits, and why that cannot be told. A stack's functions decide by
    themselves."""
    before = read_layout(artifacts)
    found: dict[str, Any] = {"layout": before.text, "layout_waits": None, "layout_trouble": None}
    if settings.stack:
        return found
    try:
        layout, now = understand(catalog, settings.layout, before), time.time()
    except LensError as error:
        return {**found, "layout_trouble": str(error)}
    waits = waiting(artifacts, before, layout, now)
    if waits:
        found["layout_waits"] = {**waits.to_json(), "when": waits.when(now)}
    return found


def layout_lines(status: dict[str, Any]) -> list[str]:
    """The same as text."""
    lines = [f"layout     {status['layout']}"]
    if waits := status["layout_waits"]:
        lines.append(
            f"           {waits['layout']} takes its place {waits['when']}; nothing is embedded "
            "again"
        )
    if trouble := status["layout_trouble"]:
        lines.append(f"           whether another one waits cannot be told: {trouble}")
    return lines
