"""Vectors of 8 bits beside the exact ones, and galleries that are searched by them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from lens.gallery import snapshots
from lens.gallery.index import EightBits, Index, building
from lens.gallery.loading import load_gallery
from lens.pipeline.compact import fold
from lens.storage import FileStorage
from tests.support.small_galleries import NOW, add, head, make_live, photo, vector


def unit_vectors(count: int, dim: int = 128) -> NDArray[np.float32]:
    vectors = np.random.default_rng(0).standard_normal((count, dim), dtype=np.float32)
    found: NDArray[np.float32] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return found


def test_they_are_unit_vectors_near_the_exact_ones() -> None:
    exact = unit_vectors(70_000)
    stored = EightBits.of(exact)
    assert stored.shape == exact.shape
    np.testing.assert_allclose(np.linalg.norm(stored[:5_000], axis=1), 1, atol=1e-6)
    query = exact[0]
    np.testing.assert_allclose(stored[:] @ query, exact @ query, atol=0.004)
    # A batch ends somewhere, and whatever is asked for is the same vector.
    at = np.array([65_535, 3, 65_536])
    np.testing.assert_array_equal(stored[at], stored[:][at])
    np.testing.assert_array_equal(stored[np.intp(3)], stored[:][3])


def test_rounding_them_again_changes_nothing() -> None:
    stored = EightBits.of(unit_vectors(5_000))
    np.testing.assert_array_equal(EightBits.of(stored[:]).codes, stored.codes)


def test_vectors_of_nothing_stay_finite_and_are_told() -> None:
    stored = EightBits.of(np.zeros((2, 4), np.float32))
    np.testing.assert_array_equal(stored[:], np.zeros((2, 4)))
    with pytest.raises(ValueError, match="without a direction"):
        stored.check()
    EightBits.of(unit_vectors(9)).check()
    EightBits.of(np.empty((0, 4), np.float32)).check()


def test_only_the_exact_ones_are_written_again() -> None:
    exact = unit_vectors(5)
    assert Index(exact).vectors is exact
    with pytest.raises(TypeError, match="load the exact ones"):
        _ = Index(EightBits.of(exact)).vectors


def test_a_photo_is_as_similar_before_it_is_folded_as_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(building, "SCAN_LIMIT", 64)
    monkeypatch.setattr(snapshots, "ROUNDED_FROM", 64)
    monkeypatch.setattr(building, "EFFORTS", ((1_000, 1_000),))
    storage = FileStorage(tmp_path)
    make_live(storage)
    add(storage, *[photo(f"{number:03}", "1") for number in range(90)])
    fold(storage, head(storage), now=NOW)
    add(storage, *[photo(f"{number:03}", "1") for number in range(90, 120)])
    warm = load_gallery(storage, head(storage), eight_bits=True)
    fold(storage, head(storage), now=NOW)
    fresh = load_gallery(storage, head(storage), eight_bits=True)
    warm = load_gallery(storage, head(storage), warm, eight_bits=True)
    assert warm.snapshot is not fresh.snapshot
    for number in range(0, 120, 7):
        query = vector(f"query {number}")
        assert warm.search(query, 12) == fresh.search(query, 12)
        assert warm.photo_vectors("095 1")[0][1].tolist() == (
            fresh.photo_vectors("095 1")[0][1].tolist()
        )
