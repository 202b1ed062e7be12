"""The catalog's `.lensignore`: which photos a shop leaves out, in gitignore's syntax."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from pathspec.gitignore import GitIgnoreSpec

log = logging.getLogger(__name__)

IGNORE_KEY = ".lensignore"


@dataclass(frozen=True)
class Ignored:
    """The patterns, which are relative to the catalog's root, and the lines that are none."""

    patterns: GitIgnoreSpec
    bad_lines: tuple[str, ...] = ()

    def has(self, key: str) -> bool:
        """Whether the catalog leaves this key out."""
        return self.patterns.match_file(key)


NOTHING = Ignored(GitIgnoreSpec.from_lines([]))


def parse_ignored(text: str) -> Ignored:
    """Read the file; a line that cannot be understood is left out and named in a warning."""
    good, bad = [], []
    for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), start=1):
        try:
            GitIgnoreSpec.from_lines([line])
        except ValueError:
            bad.append(f"line {number}: {line.strip()[:80]!r}")
        else:
            good.append(line)
    for line in bad:
        log.warning("%s, %s is no pattern and is left out", IGNORE_KEY, line)
    return Ignored(GitIgnoreSpec.from_lines(good), tuple(bad))
