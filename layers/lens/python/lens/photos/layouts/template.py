"""Template: LENS_LAYOUT, how a shop says itself what its folders and file names mean.

`{category}/{item}/{variant}/*`: folders, and last the file's name without its suffix. `{category}`
is a folder of its own and stands for any number of them; `{item}` and `{variant}` stand for a
folder, or with other text for a part of a name; `*` is what does not matter.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from pathlib import PurePosixPath

from lens.errors import UsageError

FOLDERS = "folders"
_PLACES = ("category", "item", "variant")
_PIECE = re.compile(r"\{([^{}]*)\}|(\*)|([^{}*]+)|(.)")
_EXAMPLE = "it should be like {category}/{item}_*, or folders"


@dataclass(frozen=True)
class Parts:
    """What a key says by a template."""

    item: str
    category: str
    variant: str


@dataclass(frozen=True)
class Template:
    """A template that was understood; `patterns` are tried in their order."""

    text: str
    patterns: tuple[re.Pattern[str], ...]

    def parts(self, key: str) -> Parts | None:
        """What a key says; None where it does not fit."""
        path = key.removeprefix("img/")
        path = path.removesuffix(PurePosixPath(path).suffix)
        for pattern in self.patterns:
            if found := pattern.fullmatch(path):
                given = found.groupdict(default="")
                return Parts(given["item"], given.get("category", ""), given.get("variant", ""))
        return None


def parse_template(text: str) -> Template:
    """UsageError says what is wrong with a template."""
    segments = text.strip().removeprefix("img/").split("/")
    if "" in segments:
        raise _wrong(text, "it should neither begin nor end with /, nor have an empty folder")
    names: list[str] = []
    folders = "".join(_folder(text, each, names) for each in segments[:-1])
    file = segments[-1]
    if PurePosixPath(file).suffix.lower() in (".jpg", ".jpeg", ".png", ".webp"):
        raise _wrong(text, "the file's name is given without its suffix")
    if "{category}" in file:
        raise _wrong(text, "{category} should be a folder")
    patterns = [folders + _name(text, file, names)]
    if file.endswith("*") and (bare := file.rstrip("*").rstrip(" _.-")) and bare.endswith("}"):
        # A photo that is named by its product alone.
        patterns.append(folders + _name(text, bare, []))
    if "item" not in names:
        raise _wrong(text, "it lacks {item}")
    return Template(text.strip(), tuple(map(re.compile, patterns)))


def _folder(text: str, segment: str, names: list[str]) -> str:
    if segment == "{category}":
        _take(text, "category", names)
        return "(?:(?P<category>.+)/)?"
    if "{category}" in segment:
        raise _wrong(text, "{category} should be a folder of its own")
    return _name(text, segment, names) + "/"


def _name(text: str, segment: str, names: list[str]) -> str:
    """The pattern of one folder's or file's name; {item} is as long as it can be."""
    pattern, open_end = "", False
    for place, star, literal, stray in _PIECE.findall(segment):
        if stray:
            raise _wrong(text, f"{stray!r} is not closed" if stray == "{" else f"{stray!r} is lost")
        if literal:
            pattern, open_end = pattern + re.escape(literal), False
            continue
        if open_end:
            raise _wrong(text, f"something should stand between two of its parts in {segment!r}")
        open_end = True
        if star:
            pattern += "[^/]*"
        else:
            _take(text, place, names)
            pattern += f"(?P<{place}>[^/]+)"
    return pattern


def _take(text: str, place: str, names: list[str]) -> None:
    if place not in _PLACES:
        near = difflib.get_close_matches(place, _PLACES, 1)
        known = f"did you mean {{{near[0]}}}?" if near else "there are {category} {item} {variant}"
        raise _wrong(text, f"{{{place}}} is none of its parts: {known}")
    if place in names:
        raise _wrong(text, f"{{{place}}} should be there once")
    names.append(place)


def _wrong(text: str, why: str) -> UsageError:
    return UsageError(f"LENS_LAYOUT={text!r}: {why}; {_EXAMPLE}")
