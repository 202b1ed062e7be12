"""What the bytes of a graph say in plain text about the machine that wrote it."""

from __future__ import annotations

import re
from pathlib import Path

from tests.sagemaker_training.conftest import PROGRAM

_TEXT = re.compile(rb"[\x20-\x7e]{4,}")
_PLACE = re.compile(rb"/(home|root|tmp|usr|var|work|opt|Users)/|\.py\b|site-packages")


def tells_of_machine(graph: bytes) -> list[bytes]:
    """Texts with a path, a line of source or the name of a file of Python."""
    own = (str(PROGRAM.parent).encode(), str(Path.home()).encode() + b"/")
    texts = _TEXT.findall(graph)
    return [text for text in texts if _PLACE.search(text) or any(each in text for each in own)]
