"""System folders: what computers, drives and programs keep among a shop's photos, and is none."""

from __future__ import annotations

# What a name is that a file or a folder has, in any case; the first that fits.
_NAMES = {
    "@eadir": "a Synology drive's thumbnails",
    "#recycle": "a drive's recycle bin",
    "@recycle": "a drive's recycle bin",
    "$recycle.bin": "Windows' recycle bin",
    "recycler": "Windows' recycle bin",
    "#snapshot": "a drive's snapshots",
    "@recently-snapshot": "a drive's snapshots",
    "@tmp": "a drive's temporary files",
    "@sharebin": "a drive's recycle bin",
    "__macosx": "what macOS adds to archives",
    "system volume information": "Windows' own",
    "lost+found": "what a disk check found",
    "thumbs.db": "Windows' thumbnails",
    "desktop.ini": "Windows' own",
}
_BEGINNINGS = {
    "._": "what macOS keeps beside a file",
    ".trash": "a recycle bin",
    ".thumbnails": "thumbnails",
    ".": "hidden",
    "~$": "a file that is open in an office program",
}


def system_part(key: str) -> tuple[str, str] | None:
    """The first folder or file in a key that is a system's, and what it is; None where there is
    none. A hidden name is one, in a bucket as in a folder."""
    for name in key.split("/"):
        if what := _what(name):
            return name, what
    return None


def _what(name: str) -> str | None:
    lower = name.lower()
    if known := _NAMES.get(lower):
        return known
    if name[:1] not in (".", "~"):  # most names
        return None
    return next((what for start, what in _BEGINNINGS.items() if lower.startswith(start)), None)
