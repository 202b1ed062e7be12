"""The limit: refuses a promotion that by the stack's estimate costs more than its owner allows."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil
from typing import Any

from lens.gallery.commits import read_head
from lens.gallery.current import read_current
from lens.gallery.loading import load_gallery
from lens.storage import Storage


def beyond(
    artifacts: Storage, model_id: str, job: str, limit: Mapping[str, Any] | None
) -> str | None:
    """Why the model may not be nominated, and what allows it; None where it may be.

    `limit` has the most `dollars`, and what one photo takes: `dollars_each` and `hours_each`. A
    model that is followed already has been paid for, or is being paid for.
    """
    current = read_current(artifacts)
    if not limit or current is None or model_id in current.followed:
        return None
    photos = load_gallery(artifacts, read_head(artifacts, current.live)).photo_count
    dollars = photos * limit["dollars_each"]
    if dollars <= limit["dollars"]:
        return None
    return (
        f"to embed {photos:,} photos again takes about {photos * limit['hours_each']:.1f} hours "
        f"and ${dollars:,.2f} (`python -m cdk.reembedding {photos}`), more than the setting "
        f"promote_dollars ({limit['dollars']:g}): deploy with "
        f"-c promote_dollars={ceil(dollars)}, then `lens train --promote {job}`"
    )
