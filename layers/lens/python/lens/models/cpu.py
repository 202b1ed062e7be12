"""The CPU: what kind it is, and the features that decide how 8-bit products are computed."""

from __future__ import annotations

import platform
import subprocess
from functools import cache
from pathlib import Path

# Instructions that multiply four pairs of 8-bit numbers and add them up. Without them x86 CPUs
# multiply 8 bits by others, of which the fast ones overflow.
INT8_DOT_PRODUCTS = "int8-dot-products"

_CPUINFO = Path("/proc/cpuinfo")
# What tells CPUs of one name apart, as hypervisors give it: the model's numbers, and what the
# runtimes' fast paths ask for.
_NUMBERS = {
    "cpu family": "family",
    "model": "model",
    "CPU implementer": "implementer",
    "CPU part": "part",
}
_FAST_PATHS = (
    *("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "avx_vnni", "amx_int8"),
    *("asimddp", "i8mm", "bf16", "sve"),
)
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


@cache
def cpu_kind() -> str:
    """This machine's CPU in words that are the same for all of its kind."""
    if platform.system() == "Darwin":
        return _macos("machdep.cpu.brand_string").strip() or platform.machine()
    try:
        return kind_of(_CPUINFO.read_text())
    except OSError:
        return platform.processor() or platform.machine()


def kind_of(cpuinfo: str) -> str:
    """The same, of the first CPU of a /proc/cpuinfo."""
    fields: dict[str, str] = {}
    for line in cpuinfo.splitlines():
        name, _, value = line.partition(":")
        fields.setdefault(name.strip(), value.strip())
    flags = (fields.get("flags") or fields.get("Features") or "").split()
    numbers = [f"{short} {fields[name]}" for name, short in _NUMBERS.items() if name in fields]
    fast = [flag for flag in _FAST_PATHS if flag in flags]
    return ", ".join([fields.get("model name") or platform.machine(), *numbers, *fast])


def _features(dot_products: set[str]) -> frozenset[str]:
    return frozenset({INT8_DOT_PRODUCTS} if dot_products else ())


def _macos_flags() -> set[str]:
    return {value for name in _MACOS for value in _macos(name).split()}


def _macos(name: str) -> str:
    asked = subprocess.run(
        ["/usr/sbin/sysctl", "-n", name], capture_output=True, text=True, check=False
    )
    return asked.stdout
