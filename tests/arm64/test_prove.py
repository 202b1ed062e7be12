"""The proof of arm64: what it compares, without emulating anything."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.arm64.prove import LEAST_COSINE, compare


def _saved(file: Path, **angles: float) -> Path:
    """Unit vectors of two photos, turned by so much."""
    rows = {
        name.replace("_", " "): np.array([[np.cos(each), np.sin(each)], [1.0, 0.0]])
        for name, each in angles.items()
    }
    np.savez(file, **rows)  # type: ignore[arg-type]
    return file


def test_vectors_that_agree_pass_and_others_are_named(tmp_path: Path) -> None:
    here = _saved(tmp_path / "here.npz", vit_fp32=0.0, vit_int7=0.0)
    compare(here, _saved(tmp_path / "same.npz", vit_fp32=0.001, vit_int7=0.03))
    with pytest.raises(AssertionError, match=f"vit fp32: .* is below {LEAST_COSINE}"):
        compare(here, _saved(tmp_path / "other.npz", vit_fp32=0.03, vit_int7=0.0))
    with pytest.raises(AssertionError, match="vit int7"):
        compare(here, _saved(tmp_path / "coarse.npz", vit_fp32=0.0, vit_int7=0.1))
    with pytest.raises(AssertionError):
        compare(here, _saved(tmp_path / "fewer.npz", vit_fp32=0.0))
