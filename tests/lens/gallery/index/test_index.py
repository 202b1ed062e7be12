"""The index, its building and its inverted_lists against a naive scan, also with dead rows, and
with few that are allowed.

Covers: nearest.
"""

from __future__ import annotations

import threading

import faiss
import numpy as np
import pytest
from numpy.typing import NDArray

from lens.errors import ArtifactError
from lens.gallery.index import Index, build_index, building, load_lists
from lens.gallery.index import index as nearest
from lens.gallery.index import inverted_lists as lists

DIM = 16


@pytest.fixture
def small_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lists pay from few rows on."""
    monkeypatch.setattr(building, "SCAN_LIMIT", 200)
    monkeypatch.setattr(building, "SCANNED_SPAN", 60)
    monkeypatch.setattr(nearest, "SCANNED_SPAN", 60)
    monkeypatch.setattr(building, "EFFORTS", ((1, 24), (2, 48), (4, 96), (64, 512)))


def unit_vectors(count: int, seed: int = 0, clusters: int = 12) -> NDArray[np.float32]:
    """Vectors around a few centers."""
    chance = np.random.default_rng(seed)
    centers = np.random.default_rng(99).standard_normal((clusters, DIM))
    vectors = centers[chance.integers(0, clusters, count)]
    vectors = vectors + 0.7 * chance.standard_normal((count, DIM))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors.astype(np.float32)


def naive(
    vectors: NDArray[np.float32], query: NDArray[np.float32], allowed: list[int]
) -> list[int]:
    similarities = vectors @ query
    return sorted(allowed, key=lambda i: -similarities[i])


@pytest.mark.usefixtures("small_bounds")
@pytest.mark.parametrize("count", [150, 3_000], ids=["scan", "lists"])
def test_a_search_finds_what_a_naive_scan_finds_in_any_span_and_past_the_dead(count: int) -> None:
    parts = [0, 40, 41, 100, count // 2, count - 10]
    built = build_index(unit_vectors(count), parts)
    assert built.name == ("flat" if count == 150 else "IVF55,PQ8x4fs")
    index = built.index
    chance = np.random.default_rng(1)
    wanted, found = [], []
    for query in unit_vectors(60, seed=2):
        bounds = sorted(chance.choice([*parts, count], 2, replace=False).tolist())
        dead = np.sort(chance.permutation(count)[: count // 10])
        within = range(*bounds)
        similarities, positions = index.search(query, 10, within, dead)
        expected = naive(index.vectors, query, sorted(set(within) - set(dead.tolist())))[:10]
        assert len(positions) == len(expected)
        assert set(positions.tolist()) <= set(within) - set(dead.tolist())
        assert similarities.tolist() == sorted(similarities.tolist(), reverse=True)
        np.testing.assert_allclose(similarities, index.vectors[positions] @ query, atol=1e-5)
        wanted += expected
        found += [position for position in positions.tolist() if position in expected]
    assert len(found) / len(wanted) >= (1.0 if count == 150 else 0.98)


@pytest.mark.usefixtures("small_bounds")
def test_the_effort_is_the_least_that_reaches_the_recall_and_its_recall_is_told() -> None:
    vectors = unit_vectors(3_000)
    built = build_index(vectors)
    assert built.index.lists is not None
    assert building.RECALL <= built.recall <= 1.0
    efforts = [(1, 24), (2, 48), (4, 96), (64, 512)]
    effort = built.index.lists.nprobe, built.index.lists.candidates
    samples = building._samples(built.index.vectors, [0])
    for less in efforts[: efforts.index(effort)]:
        tuned = Index(built.index.vectors, built.index.lists.tuned(*less))
        assert building._recall(tuned, samples[0]) < building.RECALL


@pytest.mark.usefixtures("small_bounds")
def test_where_coarse_codes_fall_short_finer_ones_are_taken_and_else_a_scan(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    vectors = np.random.default_rng(3).standard_normal((4_000, DIM)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    monkeypatch.setattr(building, "EFFORTS", ((64, 50),))
    built = build_index(vectors)
    assert built.name == "IVF63,PQ16x4fs"
    monkeypatch.setattr(building, "EFFORTS", ((1, 24),))
    built = build_index(vectors)
    assert (built.name, built.recall) == ("flat", 1.0)


@pytest.mark.usefixtures("small_bounds")
def test_a_part_is_kept_together_and_every_vector_is_kept() -> None:
    vectors = unit_vectors(1_000)
    parts = [0, 3, 3, 20, 500, 990]
    built = build_index(vectors, parts)
    np.testing.assert_array_equal(built.index.vectors, vectors[built.order])
    for start, stop in zip(parts, [*parts[1:], 1_000], strict=True):
        assert sorted(built.order[start:stop].tolist()) == list(range(start, stop))


@pytest.mark.usefixtures("small_bounds")
def test_all_are_found_when_all_are_asked_for() -> None:
    index = build_index(unit_vectors(1_000), [0, 300]).index
    query = unit_vectors(1, seed=5)[0]
    for within in (range(1_000), range(300), range(250, 777)):
        assert sorted(index.search(query, 2_000, within)[1].tolist()) == list(within)
        dead = np.arange(10, 260)
        alive = sorted(set(within) - set(range(10, 260)))
        assert sorted(index.search(query, 2_000, within, dead)[1].tolist()) == alive


@pytest.mark.usefixtures("small_bounds")
def test_the_dead_do_not_crowd_out_the_living() -> None:
    index = build_index(unit_vectors(3_000)).index
    for query in unit_vectors(20, seed=6):
        order = naive(index.vectors, query, list(range(3_000)))
        dead = np.sort(order[:600])
        found = index.search(query, 10, dead=dead)[1].tolist()
        assert len(set(found) & set(order[600:610])) >= 9


@pytest.mark.usefixtures("small_bounds")
@pytest.mark.parametrize("count", [150, 3_000], ids=["scan", "lists"])
@pytest.mark.parametrize("share", [0.9, 0.5, 0.05, 0.01])
def test_a_search_finds_what_a_naive_scan_finds_of_those_allowed(
    count: int, share: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nearest, "SCANNED_FEW", 20)
    parts = [0, 40, 41, 100, count // 2, count - 10]
    index = build_index(unit_vectors(count), parts).index
    chance = np.random.default_rng(4)
    found = []
    for query in unit_vectors(60, seed=8):
        mask = chance.random(count) < share
        within = range(*sorted(chance.choice([*parts, count], 2, replace=False).tolist()))
        similarities, positions = index.search(query, 10, within, allowed=index.allow(mask))
        expected = naive(index.vectors, query, [i for i in within if mask[i]])[:10]
        assert len(positions) == len(expected)
        assert mask[positions].all()
        assert (np.diff(similarities) <= 0).all()
        found += [i in positions for i in expected]
    assert np.mean(found) >= (1 if count == 150 else 0.97)


@pytest.mark.usefixtures("small_bounds")
def test_allowed_rows_far_from_the_query_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A filter and what the shopper photographed have often nothing in common."""
    monkeypatch.setattr(nearest, "SCANNED_FEW", 20)
    index = build_index(unit_vectors(3_000)).index
    assert index.lists is not None
    shares = []
    for query in unit_vectors(40, seed=9):
        order = naive(index.vectors, query, list(range(3_000)))
        mask = np.zeros(3_000, np.bool_)
        mask[order[1_500:]] = True
        found = index.search(query, 10, allowed=index.allow(mask))[1]
        shares.append(np.isin(order[1_500:1_510], found).mean())
    assert np.mean(shares) >= 0.9


def test_nothing_allowed_is_nothing_found() -> None:
    index = build_index(unit_vectors(100)).index
    assert (
        len(index.search(unit_vectors(1)[0], 5, allowed=index.allow(np.zeros(100, bool)))[1]) == 0
    )


def test_an_empty_index_finds_nothing() -> None:
    index = build_index(np.empty((0, DIM), np.float32)).index
    assert len(index.search(unit_vectors(1)[0], 5)[1]) == 0
    assert (len(index), index.embedding_dim) == (0, DIM)


@pytest.mark.usefixtures("small_bounds")
def test_lists_survive_their_file() -> None:
    index = build_index(unit_vectors(1_000), [0, 300]).index
    assert index.lists is not None
    data = np.frombuffer(index.lists.to_bytes(), np.uint8)
    loaded = Index(index.vectors, load_lists(data, *_effort(index.lists)))
    for query in unit_vectors(10, seed=7):
        for within in (range(1_000), range(300), range(250, 900)):
            ours, theirs = index.search(query, 9, within), loaded.search(query, 9, within)
            assert ours[1].tolist() == theirs[1].tolist()


def test_bytes_that_are_no_index_are_an_artifact_error() -> None:
    with pytest.raises(ArtifactError, match="not readable by FAISS"):
        load_lists(np.frombuffer(b"nonsense" * 10, np.uint8), 1, 24)


def _effort(some: lists.InvertedLists) -> tuple[int, int]:
    return some.nprobe, some.candidates


def test_a_search_uses_one_core_whichever_thread_asks() -> None:
    index = Index(unit_vectors(64))
    seen = []

    def ask() -> None:
        index.search(index.vectors[0], 3)
        seen.append(faiss.omp_get_max_threads())

    for _ in range(2):
        thread = threading.Thread(target=ask)
        thread.start()
        thread.join()
    assert seen == [1, 1]
