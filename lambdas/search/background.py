"""Background: what the process that answers does beside it, as far as answers tell of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from lens.progress import Underway
from lens.right_of_way import RightOfWay


@dataclass(frozen=True)
class Background:
    """Idle where the process does nothing else, as on AWS. Requests take the right of way."""

    indexing: Underway = field(default_factory=Underway)
    fetching: Underway = field(default_factory=Underway)  # pictures that a product file names
    right_of_way: RightOfWay = field(default_factory=RightOfWay)
