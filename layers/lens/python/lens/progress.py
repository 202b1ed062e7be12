"""Progress: the function that long work calls to report how far it is."""

from collections.abc import Callable

Progress = Callable[[int, int], None]  # done, total
