"""The CPU: settings that let training use its memory and its cores well."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Mapping

import torch

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # malloc.h
_THRESHOLD = 2**30  # bytes


def keep_memory() -> None:
    """Stop glibc from returning the memory of large tensors to the kernel.

    Each step needs the same memory again; mapping it anew would take half of the step's time.
    """
    if not sys.platform.startswith("linux"):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _THRESHOLD)
        mallopt(_M_TRIM_THRESHOLD, _THRESHOLD)


def use_cores(environment: Mapping[str, str]) -> None:
    """Set torch's number of threads: OMP_NUM_THREADS, or this process's share of the cores.

    FAISS is not affected: a search uses one thread (lens.gallery.index).
    """
    threads = environment.get("OMP_NUM_THREADS", "")
    processes = int(environment.get("LOCAL_WORLD_SIZE", "1"))
    share = int(threads) if threads.isdigit() else (os.cpu_count() or 1) // processes
    torch.set_num_threads(max(1, share))
