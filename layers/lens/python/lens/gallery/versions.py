"""Versions: which of two looks at a key is the later one, and the request to look itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from lens.gallery.triggers import NONE, Trigger


class Version(NamedTuple):
    """A row's place in its key's history: an event's sequencer, then a count of reconciliations.

    S3 compares sequencers as hexadecimal strings right-padded with zeros to one length
    (https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html).
    Dropping the trailing zeros gives the same order without knowing that length.
    """

    sequencer: str
    n: int = 0

    @classmethod
    def of_event(cls, sequencer: str) -> Version:
        """The version that an event with this sequencer gives to its row."""
        return cls(sequencer.upper().rstrip("0"), 0)

    def bumped(self) -> Version:
        """What reconciliation writes: above the row it saw, below any newer event."""
        return Version(self.sequencer, self.n + 1)


# Below every event's version: that of a key without a row.
UNSEEN = Version("", 0)


@dataclass(frozen=True)
class Look:
    """A request to look at a catalog key and write down what is there.

    `model_id` limits the look to one model's gallery; None means every gallery being kept. `waits`
    is why the photo could not be read so far: a look that finds just that again changes nothing.
    `cause` is why nothing may be there; empty for an event. It is no part of what is asked for, and
    nor is the `trigger`.
    """

    key: str
    version: Version
    model_id: str | None = None
    waits: str = ""
    cause: str = field(default="", compare=False)
    trigger: Trigger = field(default=NONE, compare=False)
