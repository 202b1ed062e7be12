"""Progress bars on standard error, if that is a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tqdm import tqdm


@contextmanager
def bars(label: str, unit: str = "photos") -> Iterator[Callable[[int, int], None]]:
    """A progress bar on standard error, shown once it has something to show for a second."""
    with tqdm(
        desc=label, unit=f" {unit}", delay=1.0, leave=False, dynamic_ncols=True, disable=None
    ) as bar:

        def progress(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield progress
