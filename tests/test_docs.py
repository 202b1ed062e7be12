"""The documents (README.md, docs/): generated parts, links, the README's length."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from docs.generate import FOLDERS, PARTS, ROOT, documents, generated

README = ROOT / "README.md"
PAGES = sorted(path for path in (ROOT / "docs").glob("*.md"))
FRONT = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md")]
INSIDE = [ROOT / "sagemaker_training/README.md", ROOT / "tests/benchmarks/README.md"]
ALL = [*FRONT, *PAGES, *INSIDE]
_CODE = re.compile(r"^```.*?^```|`[^`\n]*`", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"\]\(([^()\s]+)\)")


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("page", documents(), ids=_name)
def test_generated_parts_are_what_the_code_says(page: Path) -> None:
    if page.name == "commands.md" and sys.version_info >= (3, 13):
        pytest.skip("argparse lays its help out otherwise since Python 3.13")
    text = page.read_text()
    assert text == generated(text), "run `make docs`"


def test_every_part_is_in_one_page() -> None:
    found = re.findall(r"<!-- generated: (\S+) -->", "".join(map(Path.read_text, documents())))
    assert sorted(found) == sorted(PARTS)


def test_a_part_that_was_changed_by_hand_is_noticed() -> None:
    page = (ROOT / "docs/commands.md").read_text()
    assert generated(page.replace("| `LENS_PORT` | `8000` |", "| `LENS_PORT` | `80` |")) == page


@pytest.mark.parametrize("page", ALL, ids=_name)
def test_links_and_anchors_lead_somewhere(page: Path) -> None:
    assert list(_dead(page, page.read_text())) == []


def test_a_dead_link_is_noticed() -> None:
    text = "[a](docs/nowhere.md) [b](docs/aws.md#nowhere) [c](#nowhere) [d](docs/aws.md#settings)"
    dead = ["docs/nowhere.md", "docs/aws.md#nowhere", "#nowhere"]
    assert list(_dead(README, text)) == dead


def test_every_document_is_one_that_these_tests_read() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode:
        pytest.skip("this is no checkout of git")
    assert {ROOT / line for line in listed.stdout.splitlines()} <= set(ALL)


def test_the_readme_is_one_screen_and_a_half_and_leads_to_every_page() -> None:
    text = README.read_text()
    assert len(text.splitlines()) < 120
    assert {_name(page) for page in PAGES} <= set(_LINK.findall(text))


def test_every_folder_is_in_the_readme() -> None:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode:
        pytest.skip("this is no checkout of git")
    folders = {line.split("/")[0] + "/" for line in listed.stdout.splitlines() if "/" in line}
    assert {name for name in folders if not name.startswith(".")} == {
        name for name in FOLDERS if name.count("/") == 1
    }


def _dead(page: Path, text: str) -> Iterator[str]:
    for link in _LINK.findall(_CODE.sub("", text)):
        name, _, anchor = link.partition("#")
        if "://" in name:
            continue
        target = (page.parent / name).resolve() if name else page
        if not target.exists() or (anchor and anchor not in _anchors(target)):
            yield link


def _anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
