"""Covers: requirements.txt, contents. What users, the layers and the image install is pinned as
everything else, wholly, by hashes."""

from __future__ import annotations

import re
from importlib.metadata import requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from layers.contents import GALLERY, IMAGE, SERVING, Layer

ROOT = Path(__file__).parents[1]
FILES = ["requirements.txt", *(str(each.pinned) for each in (GALLERY, SERVING, IMAGE))]
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


@pytest.mark.parametrize("name", FILES)
def test_every_package_has_the_version_of_the_constraints(name: str) -> None:
    constraints, required = pins("constraints.txt"), pins(name)
    assert required
    assert {name: constraints.get(name) for name in required} == required


def test_nothing_that_serving_needs_is_left_out() -> None:
    """Or pip, told to install no more than the file names, would leave it out too."""
    assert needed("image-lens", "serve", set()) <= pins("requirements.txt").keys()


@pytest.mark.parametrize("layer", [GALLERY, SERVING, IMAGE], ids=lambda layer: layer.name)
def test_nothing_that_a_layer_or_the_image_needs_is_left_out(layer: Layer) -> None:
    wanted: set[str] = {canonicalize_name(name) for name in layer.requirements}
    for name in layer.requirements:
        needed(name, "", wanted)
    assert wanted == pins(str(layer.pinned)).keys()


@pytest.mark.parametrize("name", FILES)
def test_every_package_has_hashes_and_no_address(name: str) -> None:
    text = (ROOT / name).read_text()
    blocks = re.split(r"^(?=[a-zA-Z])", text, flags=re.MULTILINE)[1:]
    assert len(blocks) == len(pins(name))
    assert all("--hash=sha256:" in block for block in blocks)
    assert "://" not in text
