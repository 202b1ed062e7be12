"""Links: what a watched folder's links lead to, which its own watch does not see."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lens.photos.system_folders import system_part


@dataclass(frozen=True)
class Links:
    """A folder's real path, and each link's key with the real path that it leads to."""

    root: Path
    leads: tuple[tuple[str, Path], ...] = ()

    @property
    def watched(self) -> tuple[Path, ...]:
        """The folder, and what links lead to outside of it."""
        outside = {path for _, path in self.leads if not path.is_relative_to(self.root)}
        return (self.root, *sorted(outside))

    def keys(self, path: Path) -> list[str]:
        """The keys under which the catalog has what lies at a path, by every link."""
        places = [("", self.root), *self.leads]
        inner = [
            (key, path.relative_to(place).parts)
            for key, place in places
            if path.is_relative_to(place)
        ]
        return ["/".join(filter(None, (key, *parts))) for key, parts in inner]


def links_in(root: Path) -> Links:
    """The links in a folder, and in what they lead to, but none into what it lies in: that would
    have no end. What cannot be read is left out."""
    root = root.resolve()
    return Links(root, tuple(_leads(root, "", (root,))))


def _leads(folder: Path, key: str, above: tuple[Path, ...]) -> Iterator[tuple[str, Path]]:
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return
    for entry in entries:
        inner = f"{key}{entry.name}"
        if system_part(entry.name):
            continue
        try:
            if entry.is_symlink():
                target = Path(entry.path).resolve(strict=True)
                if any(place.is_relative_to(target) for place in above):
                    continue
                yield inner, target
                if target.is_dir():
                    yield from _leads(target, f"{inner}/", (*above, target))
            elif entry.is_dir():
                yield from _leads(Path(entry.path), f"{inner}/", (*above, Path(entry.path)))
        except (OSError, RuntimeError):  # it leads nowhere, or to itself
            continue
