"""The stand-in's bundle: its program and `lens`, laid out as SageMaker unpacks them."""

from __future__ import annotations

import tarfile
from pathlib import Path


def pack(bundle: Path, checkout: Path) -> Path:
    """Write the archive; train.py at its root and lens/ beside it."""
    with tarfile.open(bundle, "w:gz") as archive:
        archive.add(Path(__file__).with_name("train.py"), "train.py")
        archive.add(
            checkout / "layers/lens/python/lens",
            "lens",
            filter=lambda member: None if "__pycache__" in member.name else member,
        )
    return bundle
