"""Allocation: keeps glibc from giving the memory of every large tensor back to the kernel.

Each step asks for the same memory again, and without this half of a CPU's training time goes into
mapping it.
"""

from __future__ import annotations

import ctypes
import sys

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # malloc.h
_MOST = 2**30


def keep_memory() -> None:
    """For this process, from now on; elsewhere than on glibc nothing happens."""
    if not sys.platform.startswith("linux"):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _MOST)
        mallopt(_M_TRIM_THRESHOLD, _MOST)
