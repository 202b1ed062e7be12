"""The machine: what a result was measured on."""

from __future__ import annotations

import datetime
import importlib.metadata
import os
import platform
import subprocess
from pathlib import Path
from typing import Any

LIBRARIES = [
    "numpy",
    "onnxruntime",
    "faiss-cpu",
    "pillow",
    "fastapi",
    "mangum",
    "uvicorn",
    "torch",
    "transformers",
]
# Of x86, then of Arm: what the runtimes' fast paths ask for.
_FLAGS = [
    "avx2",
    "avx512f",
    "avx512_vnni",
    "avx512_bf16",
    "avx_vnni",
    "amx_int8",
    "asimddp",
    "i8mm",
    "bf16",
]
ROOT = Path(__file__).parents[2]


def describe() -> dict[str, Any]:
    """Processor, memory, system, versions, commit and time."""
    cpu = _fields(Path("/proc/cpuinfo"))
    flags = (cpu.get("flags") or cpu.get("Features") or "").split()
    memory = _fields(Path("/proc/meminfo")).get("MemTotal", "0 kB").split()[0]
    return {
        "cpu": cpu.get("model name") or platform.processor() or platform.machine(),
        "flags": [flag for flag in _FLAGS if flag in flags],
        "cores": os.cpu_count(),
        "governor": _governor(),
        "memory_gib": round(int(memory) / 2**20, 1),
        "system": platform.platform(),
        "python": platform.python_version(),
        "libraries": {name: _version(name) for name in LIBRARIES},
        "commit": _git("rev-parse", "HEAD"),
        "changed": bool(_git("status", "--porcelain")),
        "load": os.getloadavg()[0],  # of the last minute, before anything is measured
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    }


def summary(described: dict[str, Any]) -> str:
    """The same in a sentence, which says first what kind of host it is."""
    changed = " with changes" if described["changed"] else ""
    return (
        f"{described['cores']} cores of {described['cpu']} ({', '.join(described['flags'])}), "
        f"governor {described['governor']}, load {described['load']:.1f} at the start, "
        f"{described['memory_gib']} GiB, Python {described['python']}, ONNX Runtime "
        f"{described['libraries']['onnxruntime']}, torch {described['libraries']['torch']}, "
        f"{described['date'][:16]}Z, "
        f"commit {described['commit'][:10]}{changed}"
    )


def _governor() -> str:
    """What decides the cores' frequency; a guest is not shown its host's."""
    file = Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
    return file.read_text().strip() if file.exists() else "not shown"


def _fields(file: Path) -> dict[str, str]:
    if not file.exists():
        return {}
    pairs = (line.partition(":") for line in reversed(file.read_text().splitlines()))
    return {name.strip(): value.strip() for name, _, value in pairs}


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _git(*arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or "unknown"
