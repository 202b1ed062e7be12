"""Match thresholds: against naive loops, and what they promise on galleries of known structure."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from lens.gallery import match_thresholds
from lens.gallery.match_thresholds import (
    SAME_FALSE_ACCEPTS,
    SIMILAR_STYLE_FALSE_REJECTS,
    VERY_SIMILAR_FALSE_ACCEPTS,
    thresholds_of,
)

DIM = 16


def unit(rows: NDArray[np.float64]) -> NDArray[np.float32]:
    units: NDArray[np.float32] = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(
        np.float32
    )
    return units


def small_gallery(
    items: int, each: int, noise: float
) -> tuple[NDArray[np.float32], NDArray[np.bytes_]]:
    random = np.random.default_rng(0)
    centers = np.repeat(random.standard_normal((items, DIM)), each, axis=0)
    vectors = unit(centers + noise * random.standard_normal(centers.shape))
    return vectors, np.repeat(np.array([b"item%d" % n for n in range(items)]), each)


def strangers(number: int = 400) -> NDArray[np.float32]:
    return unit(np.random.default_rng(1).standard_normal((number, DIM)))


@pytest.mark.parametrize("block", [7, 10_000])
def test_thresholds_are_the_quantiles_of_naive_loops(
    monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    monkeypatch.setattr(match_thresholds, "_BLOCK", block)
    vectors, items = small_gallery(40, 3, 0.4)
    probes, loss = strangers(), 0.05
    own, absent = [], []
    for n, vector in enumerate(vectors):
        similarity = vectors @ vector
        same = items == items[n]
        absent.append(similarity[~same].max() - loss)
        same[n] = False
        own.append(similarity[same].max() - loss)
    nearest = [(vectors @ probe).max() for probe in probes]
    found = thresholds_of(vectors, items, probes, loss)
    assert found is not None
    everything = np.array(absent + nearest)
    very = np.quantile(everything, 1 - VERY_SIMILAR_FALSE_ACCEPTS)
    assert found.same == pytest.approx(np.quantile(everything, 1 - SAME_FALSE_ACCEPTS), abs=1e-4)
    assert found.very_similar == pytest.approx(very, abs=1e-4)
    style = np.quantile(nearest, SIMILAR_STYLE_FALSE_REJECTS)
    assert found.similar_style == pytest.approx(style, abs=1e-4)
    assert found.found == pytest.approx(np.mean(np.array(own) >= found.same), abs=0.01)
    assert found.false_accepts["same"] == pytest.approx(SAME_FALSE_ACCEPTS, abs=0.005)
    assert (found.pairs, found.probes) == (120, 400)


def test_thresholds_rise_in_their_order() -> None:
    for noise in (0.1, 0.5, 2.0):
        found = thresholds_of(*small_gallery(40, 3, noise), strangers(), 0.0)
        assert found is not None
        assert found.similar_style <= found.very_similar <= found.same


def test_items_that_hang_closer_together_are_found_more_often() -> None:
    shares = []
    for noise in (0.1, 0.6, 2.0):
        found = thresholds_of(*small_gallery(60, 3, noise), strangers(), 0.0)
        assert found is not None
        shares.append(found.found)
    assert shares == sorted(shares, reverse=True)
    assert shares[0] > 0.95 > 0.5 > shares[-1]


def test_too_little_tells_nothing() -> None:
    vectors, items = small_gallery(40, 3, 0.4)
    assert thresholds_of(vectors, items, strangers(50), 0.0) is None
    assert thresholds_of(vectors[:12], items[:12], strangers(), 0.0) is None
    assert thresholds_of(vectors, np.arange(120).astype("S8"), strangers(), 0.0) is None  # no pairs
    assert thresholds_of(vectors, np.zeros(120, "S8"), strangers(), 0.0) is None  # one item
    empty = np.empty((0, DIM), np.float32)
    assert thresholds_of(empty, np.empty(0, "S8"), strangers(), 0.0) is None


def test_a_hundred_probes_and_fifty_photos_tell_something() -> None:
    vectors, items = small_gallery(25, 2, 0.4)
    found = thresholds_of(vectors, items, strangers(100), 0.0)
    assert found is not None
    assert found.pairs == 50  # each photo is the other of its item's, the first one too
    assert thresholds_of(vectors, items, strangers(99), 0.0) is None
    assert thresholds_of(vectors[1:], items[1:], strangers(100), 0.0) is None


@pytest.mark.parametrize("position", [0, 17, 119])
def test_a_probe_is_compared_with_every_photo(position: int) -> None:
    vectors, items = small_gallery(40, 3, 0.4)
    found = thresholds_of(vectors, items, np.repeat(vectors[position, None], 100, axis=0), 0.0)
    assert found is not None
    assert found.similar_style == pytest.approx(1, abs=1e-4)


def test_where_everything_looks_alike_everything_passes_for_the_same() -> None:
    alike = np.zeros((60, DIM), np.float32)
    alike[:, 3] = 1
    items = np.arange(60).astype("S2").repeat(2)[:60]
    found = thresholds_of(alike, items, alike[:1].repeat(100, axis=0), 0.0)
    assert found is not None
    assert (found.same, found.found) == (1, 1)
    assert found.false_accepts == {"same": 1, "very_similar": 1, "similar_style": 1}
