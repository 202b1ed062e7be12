"""The machine's peak: operations counted for a ViT, and a measured peak in each precision."""

from __future__ import annotations

import pytest

from tests.benchmarks.peak import gemm_peak, vit_operations

pytestmark = pytest.mark.slow


def test_a_vit_b_14_is_46_billion_operations_and_7_percent_less_for_one_token() -> None:
    whole, cls_only = vit_operations(cls_only=False), vit_operations()
    assert whole == pytest.approx(46.3e9, rel=0.001)
    assert cls_only == pytest.approx(0.93 * whole, rel=0.005)
    assert vit_operations(patches=128) == pytest.approx(0.48 * cls_only, rel=0.02)


def test_the_peak_is_some_number_of_operations_in_each_precision() -> None:
    assert gemm_peak("fp32", 1) > 0 and gemm_peak("int8", 1) > 0 and gemm_peak("int7", 1) > 0
