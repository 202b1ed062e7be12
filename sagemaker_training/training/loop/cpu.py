"""The processor: lets a training on CPUs use its memory and its cores."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Mapping

import torch

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # malloc.h
_MOST = 2**30


def keep_memory() -> None:
    """Keep glibc from giving the memory of every large tensor back to the kernel: each step asks
    for the same again, and half of its time would go into mapping it."""
    if not sys.platform.startswith("linux"):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _MOST)
        mallopt(_M_TRIM_THRESHOLD, _MOST)


def use_cores(environment: Mapping[str, str]) -> None:
    """Share the cores among the processes of this machine, unless OMP_NUM_THREADS says how many.

    It is torch's OpenMP that is set; searches keep FAISS to one thread (lens.gallery.index).
    """
    threads = environment.get("OMP_NUM_THREADS", "")
    processes = int(environment.get("LOCAL_WORLD_SIZE", "1"))
    share = int(threads) if threads.isdigit() else (os.cpu_count() or 1) // processes
    torch.set_num_threads(max(1, share))
