"""Covers: requirements.txt. What users install is pinned as everything else, wholly, by hashes."""

from __future__ import annotations

import re
from importlib.metadata import requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PINNED = re.compile(r"^([\w.-]+)==([\w.!+-]+)", re.MULTILINE)


def pins(name: str) -> dict[str, str]:
    found = PINNED.finditer((ROOT / name).read_text())
    return {canonicalize_name(each[1]): each[2] for each in found}


def needed(name: str, extra: str, found: set[str]) -> set[str]:
    """All that a distribution with an extra needs on this machine, by normalized names."""
    for text in requires(name) or []:
        requirement = Requirement(text)
        marker = requirement.marker
        if marker and not any(marker.evaluate({"extra": each}) for each in ("", extra)):
            continue
        other = canonicalize_name(requirement.name)
        if other not in found:
            found.add(other)
            needed(other, "", found)
    return found


def test_every_package_has_the_version_of_the_constraints() -> None:
    constraints, required = pins("constraints.txt"), pins("requirements.txt")
    assert required
    assert {name: constraints.get(name) for name in required} == required


def test_nothing_that_serving_needs_is_left_out() -> None:
    """Or pip, told to install no more than the file names, would leave it out too."""
    assert needed("image-lens", "serve", set()) <= pins("requirements.txt").keys()


def test_every_package_has_hashes_and_no_address() -> None:
    text = (ROOT / "requirements.txt").read_text()
    blocks = re.split(r"^(?=[a-zA-Z])", text, flags=re.MULTILINE)[1:]
    assert len(blocks) == len(pins("requirements.txt"))
    assert all("--hash=sha256:" in block for block in blocks)
    assert "://" not in text
