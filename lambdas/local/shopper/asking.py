"""Asking: one photo, answered as the API answers it."""

from __future__ import annotations

from pathlib import Path

from lens.errors import PhotoError, UsageError
from lens.search.queries import Asked
from lens.search.results import Results
from lens.search.searcher import Searcher
from lens.search.wanted import Wanted


def ask(
    searcher: Searcher,
    photo: Path,
    *,
    top_k: int = 12,
    region: Asked = None,
) -> Results:
    """Search by a photo on disk; UsageError, naming it, when it cannot be used."""
    try:
        return searcher.search(photo.read_bytes(), Wanted(top_k), region=region)
    except OSError as error:
        raise UsageError(f"cannot read {photo}: {error.strerror}") from error
    except PhotoError as error:
        raise UsageError(f"{photo}: {error}") from error
