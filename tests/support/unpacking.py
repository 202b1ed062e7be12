"""Unpacking: archives of ours, also where Python is too old to be told to be careful."""

from __future__ import annotations

import tarfile
from pathlib import Path


def unpack(archive: tarfile.TarFile, folder: Path) -> None:
    """Extract all of an archive that this project made."""
    if hasattr(tarfile, "data_filter"):  # Python 3.11.4
        archive.extractall(folder, filter="data")
    else:
        archive.extractall(folder)
