"""As AVX2: a copy of ONNX Runtime that finds no AVX-512, and a CPU that is said to have none."""

from __future__ import annotations

import platform
import sys
from pathlib import Path

import onnxruntime
import pytest

from lens.models.cpu import features_of
from tests.benchmarks.as_avx2 import main, plain_cpuinfo, without_avx512

KNOWN = (
    onnxruntime.__version__.startswith("1.32.")
    and sys.version_info[:2] == (3, 11)
    and (sys.platform, platform.machine()) == ("linux", "x86_64")
)


@pytest.mark.skipif(not KNOWN, reason="it knows ONNX Runtime 1.32 for CPython 3.11 on x86-64 Linux")
def test_the_library_is_changed_in_four_places_and_nowhere_else() -> None:
    folder = Path(onnxruntime.__file__).parent / "capi"
    (library,) = folder.glob("onnxruntime_pybind11_state*.so")
    before = library.read_bytes()
    after = without_avx512(before)
    assert len(after) == len(before)
    assert sum(a != b for a, b in zip(before, after, strict=True)) == 4


def test_a_library_that_asks_otherwise_is_refused() -> None:
    with pytest.raises(RuntimeError, match="asks otherwise"):
        without_avx512(b"another library")


def test_a_cpu_without_avx512_has_no_dot_products() -> None:
    cpuinfo = "flags\t\t: fma avx2 avx512f avx512_vnni avx_vnni amx_int8 bmi2\n"
    assert features_of(cpuinfo)
    assert plain_cpuinfo(cpuinfo) == "flags\t\t: fma avx2 bmi2\n"
    assert not features_of(plain_cpuinfo(cpuinfo))


def test_without_a_command_it_says_how_it_is_used(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "COMMAND" in capsys.readouterr().out
