"""What the catalog leaves out: what is a system's, and what its `.lensignore` names, in gitignore's
syntax."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from unicodedata import normalize

from pathspec.gitignore import GitIgnoreSpec

from lens.photos.system_folders import system_part

log = logging.getLogger(__name__)

IGNORE_KEY = ".lensignore"


@dataclass(frozen=True)
class Ignored:
    """The patterns, which are relative to the catalog's root, and the lines that are none."""

    patterns: GitIgnoreSpec
    bad_lines: tuple[str, ...] = ()

    def has(self, key: str) -> bool:
        """Whether the catalog leaves this key out."""
        return self.why(key) is not None

    def why(self, key: str) -> str | None:
        """Why the catalog leaves this key out; None where it does not."""
        if part := system_part(key):
            return f"{part[0]} ({part[1]})"
        if self.patterns.match_file(normalize("NFC", key)):
            return IGNORE_KEY
        return None


NOTHING = Ignored(GitIgnoreSpec.from_lines([]))


def parse_ignored(text: str) -> Ignored:
    """Read the file; a line that cannot be understood is left out and named in a warning."""
    good, bad = [], []
    # A Mac writes names in another form of Unicode than a person types.
    text = normalize("NFC", text.removeprefix("\ufeff"))
    for number, line in enumerate(text.splitlines(), start=1):
        try:
            GitIgnoreSpec.from_lines([line])
        except ValueError:
            bad.append(f"line {number}: {line.strip()[:80]!r}")
        else:
            good.append(line)
    for line in bad:
        log.warning("%s, %s is no pattern and is left out", IGNORE_KEY, line)
    return Ignored(GitIgnoreSpec.from_lines(good), tuple(bad))
