"""As AVX2: runs a command on a host with AVX-512 as if its CPU had AVX2 alone.

    python -m tests.benchmarks.as_avx2 COMMAND ...     (Linux on x86-64, as root)

torch and oneDNN have switches for it; ONNX Runtime has none, so the command finds a copy of it in
which what asks the CPU for AVX-512 never finds it. /proc/cpuinfo, by which the project knows a kind
of CPU, names no AVX-512 there either. The clock, the caches and the width of the units are still
this host's: it tells which form is the fastest without AVX-512, not what another CPU takes.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

_SWITCHES = {
    "ATEN_CPU_CAPABILITY": "avx2",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "MKL_ENABLE_INSTRUCTIONS": "AVX2",
    "FAISS_OPT_LEVEL": "AVX2",
}
# In ONNX Runtime 1.32's library for CPython: the matrix library's question, `test $0x10000,%r10d`
# before `not; test $0xe0,%al` (with AVX-VNNI's `test $0x10,%al` after its cpuid), and that of its
# own list of features, `cmp $0xe6,%r9d`. Each is changed so that the answer is no.
_QUESTIONS = (
    (rb"\x41\xf7\xc2\x00\x00\x01\x00(?=.{8}\xa8\xe0)", b"\x41\xf7\xc2\x00\x00\x00\x00", 1),
    (rb"\x0f\xa2\xa8\x10(?=\x74\x38)", b"\x0f\xa2\xa8\x00", 1),
    (rb"\x41\x81\xf9\xe6\x00\x00\x00", b"\x41\x81\xf9\xff\x00\x00\x00", 2),
)
_INSIDE = 'mount --bind "$0" /proc/cpuinfo && exec "$@"'


def without_avx512(library: bytes) -> bytes:
    """ONNX Runtime's library, blind for AVX-512 and AVX-VNNI. RuntimeError when it is another."""
    for question, answer, times in _QUESTIONS:
        library, found = re.subn(question, answer, library, flags=re.DOTALL)
        if found != times:
            raise RuntimeError("this version of ONNX Runtime asks otherwise: look at as_avx2.py")
    return library


def plain_cpuinfo(cpuinfo: str) -> str:
    """A /proc/cpuinfo without the flags of AVX-512, AVX-VNNI and AMX."""
    return re.sub(r" (avx512|avx_vnni|amx)\w*", "", cpuinfo)


def main(command: Sequence[str]) -> int:
    """Run the command; its exit code."""
    spec = find_spec("onnxruntime")
    if not command or spec is None or spec.origin is None:
        print(__doc__)
        return 2
    with tempfile.TemporaryDirectory(prefix="as-avx2-") as folder:
        copy = Path(folder) / "onnxruntime"
        shutil.copytree(Path(spec.origin).parent, copy)
        (library,) = (copy / "capi").glob("onnxruntime_pybind11_state*.so")
        library.write_bytes(without_avx512(library.read_bytes()))
        cpuinfo = Path(folder) / "cpuinfo"
        cpuinfo.write_text(plain_cpuinfo(Path("/proc/cpuinfo").read_text()))
        paths = os.pathsep.join((folder, os.environ.get("PYTHONPATH", "")))
        return subprocess.run(
            ["unshare", "--mount", "sh", "-c", _INSIDE, str(cpuinfo), *command],
            env={**os.environ, **_SWITCHES, "PYTHONPATH": paths},
            check=False,
        ).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
