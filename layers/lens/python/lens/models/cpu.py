"""The CPU's features that a model's precision may need; none where they cannot be read."""

from __future__ import annotations

import platform
import subprocess
from functools import cache
from pathlib import Path

# Instructions that multiply four pairs of 8-bit numbers and add them up: without them, 8 bits are
# slower than 32.
INT8_DOT_PRODUCTS = "int8-dot-products"

_CPUINFO = Path("/proc/cpuinfo")
# As Linux names them: the two of x86, and of 64-bit Arm.
_DOT_PRODUCT_FLAGS = {"avx512_vnni", "avx_vnni", "asimddp"}
# As macOS names them: what Apple's processors have, and the flags of Intel's.
_MACOS = ("hw.optional.arm.FEAT_DotProd", "machdep.cpu.leaf7_features")
_MACOS_DOT_PRODUCTS = {"1", "AVX512VNNI"}


@cache
def cpu_features() -> frozenset[str]:
    """The features of this machine's CPU, by the names of this module."""
    if platform.system() == "Darwin":
        return _features(_macos_flags() & _MACOS_DOT_PRODUCTS)
    try:
        return features_of(_CPUINFO.read_text())
    except OSError:
        return frozenset()


def features_of(cpuinfo: str) -> frozenset[str]:
    """The features of the first CPU of a /proc/cpuinfo."""
    for line in cpuinfo.splitlines():
        name, _, flags = line.partition(":")
        if name.strip() in ("flags", "Features"):
            return _features(set(flags.split()) & _DOT_PRODUCT_FLAGS)
    return frozenset()


def _features(dot_products: set[str]) -> frozenset[str]:
    return frozenset({INT8_DOT_PRODUCTS} if dot_products else ())


def _macos_flags() -> set[str]:
    values: set[str] = set()
    for name in _MACOS:
        asked = subprocess.run(
            ["/usr/sbin/sysctl", "-n", name], capture_output=True, text=True, check=False
        )
        values.update(asked.stdout.split())
    return values
