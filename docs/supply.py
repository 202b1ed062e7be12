"""Supply: what users install, told from the reports of the tools that looked at it.

python -m docs.supply licenses build/sbom.cdx.json
python -m docs.supply audit build/audit.json
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

_OWN = {"pip", "setuptools"}  # of every new environment


def licenses(sbom: dict[str, Any]) -> str:
    """A table of the packages in a CycloneDX document, their versions and their licenses."""
    lines = ["| package | version | license |", "| --- | --- | --- |"]
    for part in sorted(sbom.get("components", []), key=lambda each: str(each["name"]).lower()):
        if part["name"] not in _OWN:
            lines.append(f"| {part['name']} | {part['version']} | {_license(part)} |")
    return "\n".join(lines)


def _license(part: dict[str, Any]) -> str:
    found = []
    for each in part.get("licenses", []):
        named = each.get("license", {})
        text = each.get("expression") or named.get("id") or named.get("name") or ""
        found.append(str(text).rpartition("::")[2].strip())
    return " and ".join(dict.fromkeys(filter(None, found))) or "not declared: see the package"


def audit(report: dict[str, Any]) -> tuple[str, int]:
    """What pip-audit found in one line or more, and the exit code: 1 for a known vulnerability."""
    parts = report.get("dependencies", [])
    skipped = [each["name"] for each in parts if each.get("skip_reason")]
    bad = [each for each in parts if each.get("vulns")]
    lines = [
        f"{each['name']} {each['version']}: {vulnerability['id']}, "
        f"mended in {', '.join(vulnerability['fix_versions']) or 'no version yet'}"
        for each in bad
        for vulnerability in each["vulns"]
    ]
    checked = len(parts) - len(skipped)
    if not checked:
        return "not checked: the list of known vulnerabilities cannot be reached", 0
    lines.append(f"{checked} packages checked, {len(bad)} with known vulnerabilities")
    if skipped:
        lines.append(f"not checked: {', '.join(skipped)}")
    return "\n".join(lines), 1 if bad else 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Print one of the two."""
    what, name = arguments or sys.argv[1:]
    path = Path(name)
    report = json.loads(path.read_text()) if path.is_file() else {}
    text, status = (licenses(report), 0) if what == "licenses" else audit(report)
    print(text)
    return status


if __name__ == "__main__":
    sys.exit(main())
