"""The index against a naive scan, at both of its types."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from lens import index as index_module
from lens.errors import ArtifactError
from lens.index import build_index, index_from_bytes


def unit_vectors(count: int, seed: int = 0) -> NDArray[np.float32]:
    vectors = np.random.default_rng(seed).standard_normal((count, 16))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors.astype(np.float32)


def naive(
    vectors: NDArray[np.float32], query: NDArray[np.float32], allowed: NDArray[np.bool_]
) -> list[int]:
    similarities = np.where(allowed, vectors @ query, -np.inf)
    order = np.argsort(-similarities, kind="stable")
    return [int(i) for i in order if allowed[i]]


@pytest.mark.parametrize("flat_rows", [index_module.FLAT_ROWS, 0], ids=["flat", "fp16"])
def test_a_search_equals_a_naive_scan_over_the_allowed_rows(
    flat_rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_module, "FLAT_ROWS", flat_rows)
    vectors = unit_vectors(500)
    index, kind = build_index(vectors)
    assert kind == ("flat" if flat_rows else "fp16")
    random = np.random.default_rng(1)
    for query in unit_vectors(20, seed=2):
        allowed = random.random(500) < 0.3
        similarities, positions = index.search(query, 10, allowed)
        expected = naive(index.vectors(), query, allowed)[:10]
        assert positions.tolist() == expected
        np.testing.assert_allclose(similarities, index.vectors()[expected] @ query, atol=2e-3)


def test_fewer_are_found_than_asked_when_fewer_are_allowed() -> None:
    vectors = unit_vectors(50)
    index, _ = build_index(vectors)
    allowed = np.zeros(50, dtype=bool)
    allowed[[3, 40]] = True
    assert sorted(index.search(vectors[3], 12, allowed)[1].tolist()) == [3, 40]
    assert len(index.search(vectors[3], 100)[1]) == 50
    assert len(index.search(vectors[3], 5, np.zeros(50, dtype=bool))[1]) == 0


def test_an_empty_index_finds_nothing() -> None:
    index, _ = build_index(np.empty((0, 16), np.float32))
    assert len(index.search(unit_vectors(1)[0], 5)[1]) == 0
    assert index.vectors().shape == (0, 16)


def test_an_index_survives_its_file() -> None:
    vectors = unit_vectors(30)
    index = index_from_bytes(build_index(vectors)[0].to_bytes())
    np.testing.assert_array_equal(index.vectors(), vectors)


def test_bytes_that_are_no_index_are_an_artifact_error() -> None:
    with pytest.raises(ArtifactError, match="not a readable FAISS index"):
        index_from_bytes(b"nonsense" * 10)
