"""Progress bars on standard error, if that is a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tqdm import tqdm

from lens.progress import Progress


@contextmanager
def progress_bar(label: str, unit: str = "photos") -> Iterator[Progress]:
    """Open a progress bar; it appears when its work has taken a second."""
    with tqdm(
        desc=label, unit=f" {unit}", delay=1.0, leave=False, dynamic_ncols=True, disable=None
    ) as bar:

        def progress(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield progress
