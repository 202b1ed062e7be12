"""Covers: docs/supply.py. Packages and their licenses, and what is known against them, in words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from docs.supply import audit, licenses, main


def test_a_license_is_told_in_whatever_way_it_was_declared() -> None:
    parts = [
        {"name": "b", "version": "2", "licenses": [{"expression": "MIT AND Zlib"}]},
        {"name": "A", "version": "1", "licenses": [{"license": {"id": "MIT"}}]},
        {
            "name": "c",
            "version": "3",
            "licenses": [{"license": {"name": "License :: OSI Approved :: BSD License"}}],
        },
        {"name": "d", "version": "4"},
        {"name": "pip", "version": "5"},
    ]
    assert licenses({"components": parts}).splitlines()[2:] == [
        "| A | 1 | MIT |",
        "| b | 2 | MIT AND Zlib |",
        "| c | 3 | BSD License |",
        "| d | 4 | not declared: see the package |",
    ]


def test_a_vulnerability_fails_and_names_the_version_that_mends_it() -> None:
    hole = {"id": "PYSEC-1", "fix_versions": ["1.1"]}
    parts = [
        {"name": "a", "version": "1.0", "vulns": [hole]},
        {"name": "b", "version": "2.0", "vulns": []},
        {"name": "c", "skip_reason": "not found"},
    ]
    text, status = audit({"dependencies": parts})
    assert status == 1
    assert text.splitlines() == [
        "a 1.0: PYSEC-1, mended in 1.1",
        "2 packages checked, 1 with known vulnerabilities",
        "not checked: c",
    ]
    assert audit({"dependencies": parts[1:2]}) == (
        "1 packages checked, 0 with known vulnerabilities",
        0,
    )


@pytest.mark.parametrize("parts", [[], [{"name": "a", "skip_reason": "not found"}]])
def test_what_could_not_be_looked_up_is_said_to_be_not_checked(parts: list[object]) -> None:
    text, status = audit({"dependencies": parts})
    assert (text.partition(":")[0], status) == ("not checked", 0)


def test_a_report_that_was_not_written_is_not_checked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["audit", str(tmp_path / "none.json")]) == 0
    assert capsys.readouterr().out.startswith("not checked")
    (tmp_path / "sbom.json").write_text(json.dumps({"components": []}))
    assert main(["licenses", str(tmp_path / "sbom.json")]) == 0
