"""Repair work: what a repair works on, and what it has done so far."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from lens.errors import UnreadableError
from lens.gallery.versions import Look
from lens.photos.catalog import Catalog
from lens.storage import Storage
from lens.storage.aside import set_aside


@dataclass
class Repaired:
    """What was done, a line each; and the keys that are to be looked at again."""

    done: list[str] = field(default_factory=list)
    looks: list[Look] = field(default_factory=list)


@dataclass
class RepairWork:
    """One repair of a catalog's artifacts, under way."""

    storage: Storage
    catalog: Catalog
    clock: Callable[[], float]
    folder: str  # for what is set aside
    repaired: Repaired = field(default_factory=Repaired)

    def say(self, line: str) -> None:
        """Tell what was done."""
        self.repaired.done.append(line)

    def set_aside(self, key: str) -> bool:
        """Move an object out of the way; False where there is none, or it cannot be read."""
        try:
            return set_aside(self.storage, key, self.folder)
        except UnreadableError as error:
            self.say(f"{key} stays where it is: {error}")
            return False
