"""Newest: raises the pins of constraints.txt, pyproject.toml and package.json to what is newest and
works together.

`python -m layers.newest UV NPM`; `make update` runs it and then the proofs. What it changed is told
by name, and `git diff` shows it; nothing is committed.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from layers.contents import GALLERY, IMAGE, SERVING

ROOT = Path(__file__).parents[1]
CONSTRAINTS, PROJECT, PACKAGES = (
    ROOT / name for name in ("constraints.txt", "pyproject.toml", "package.json")
)
OLDEST_PYTHON = "3.11"  # what pyproject.toml promises
# Raised by hand alone, each with its reason.
HELD = {"torch": "training's figures are tied to it, and a CPU build is not had everywhere"}
_PIN = re.compile(r"^([\w.-]+)(?:\[[\w,-]+\])?==([\w.!+-]+)", re.MULTILINE)


def pins_in(text: str) -> dict[str, str]:
    """The version of each package that a requirements file pins, by its name as written."""
    return dict(_PIN.findall(text))


def raised(text: str, newest: Mapping[str, str]) -> str:
    """A file of constraints with these versions; what they do not name stays, what is new is put
    where its name belongs."""
    known = {_normal(name): name for name in pins_in(text)}
    found = {_normal(name): version for name, version in newest.items()}
    lines = [
        f"{name}=={version if _normal(name) in HELD else found.get(_normal(name), version)}"
        for name, version in pins_in(text).items()
    ]
    lines += [
        f"{name}=={version}" for name, version in newest.items() if _normal(name) not in known
    ]
    return "".join(f"{line}\n" for line in sorted(lines, key=str.lower))


def changes(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """What became another version, a line each."""
    return [
        f"{name}: {before.get(name, 'new')} -> {version}"
        for name, version in after.items()
        if before.get(name) != version
    ]


def newest_packages(uv: str) -> dict[str, str]:
    """The newest versions of all that is installed anywhere here, which work together on the oldest
    Python. Of torch's own libraries none is named: its CPU build has none."""
    with tempfile.TemporaryDirectory() as folder:
        others, without = Path(folder) / "others.in", Path(folder) / "without.txt"
        names = {name for each in (GALLERY, SERVING, IMAGE) for name in each.requirements}
        others.write_text("".join(f"{name}\n" for name in sorted(names)))
        without.write_text('torch ; sys_platform == "none"\n')
        command = [uv, "pip", "compile", "--quiet", "--upgrade", "--no-emit-index-url"]
        command += ["--no-annotate", "--no-header", "--all-extras", "--group", "build"]
        command += ["--python-version", OLDEST_PYTHON, "--override", str(without)]
        done = subprocess.run(
            [*command, "pyproject.toml", str(others)], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
    if done.returncode:
        raise SystemExit("uv could not find versions that work together; nothing was changed")
    return pins_in(done.stdout)


def newest_node_packages(npm: str) -> None:
    """Raise what package.json names, and the lock beside it."""
    before = json.loads(PACKAGES.read_text())["devDependencies"]
    for name, version in before.items():
        command = [npm, "install", "--save-dev", "--save-exact", "--no-audit", "--no-fund"]
        command += ["--omit-lockfile-registry-resolved"]  # where they lie is each machine's affair
        # Within its major version: another one is a decision.
        subprocess.run([*command, f"{name}@^{version}"], cwd=ROOT, check=True, stdout=sys.stderr)


def main(uv: str, npm: str) -> None:
    """Raise all, and tell what changed."""
    before = CONSTRAINTS.read_text()
    after = raised(before, newest_packages(uv))
    CONSTRAINTS.write_text(after)
    PROJECT.write_text(_in_place(PROJECT.read_text(), pins_in(after)))
    told = changes(pins_in(before), pins_in(after))
    node = json.loads(PACKAGES.read_text())["devDependencies"]
    newest_node_packages(npm)
    told += changes(node, json.loads(PACKAGES.read_text())["devDependencies"])
    for name, reason in HELD.items():
        told.append(f"{name} stays: {reason}")
    print("\n".join(told))


def _in_place(text: str, versions: Mapping[str, str]) -> str:
    """A text whose pins, which stand in quotes, have these versions."""
    for name, version in versions.items():
        text = re.sub(rf'"{re.escape(name)}==[^"]+"', f'"{name}=={version}"', text)
    return text


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    main(*sys.argv[1:])
