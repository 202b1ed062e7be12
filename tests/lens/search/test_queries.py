"""Queries: what a photo is searched by, and that no run of the network is made twice for it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from lens.errors import NotAnImageError
from lens.models.embedder import Embedder, Network
from lens.models.regions import Box
from lens.photos.decoding import decode
from lens.search.queries import Queries
from lens.settings import Limits
from lens.storage import FileStorage
from tests.support.region_model import (
    DOUBTED,
    LOWER,
    QUARTERS,
    UPPER,
    region_graph,
    scene_png,
    write_region_model,
)

PHOTO = scene_png(1, {0: UPPER, 3: LOWER})
OTHER: Box = (0.1, 0.2, 0.9, 0.7)


@pytest.fixture
def embedder(tmp_path: Path) -> Embedder:
    return Embedder(write_region_model(FileStorage(tmp_path)), region_graph())


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[None]:
    """An entry for every run of a network."""
    runs: list[None] = []
    for name in ("run", "run_all"):
        whole = getattr(Network, name)

        def counted(
            self: Network, pixels: NDArray[np.float32], whole: object = whole
        ) -> NDArray[np.float32]:
            runs.append(None)
            return whole(self, pixels)  # type: ignore[operator, no-any-return]

        monkeypatch.setattr(Network, name, counted)
    return runs


def queries(capacity: int = 8) -> Queries:
    return Queries(Limits(), capacity)


def test_a_photo_is_searched_by_its_main_region(embedder: Embedder) -> None:
    photo = scene_png(1, {3: LOWER})
    query = queries().query(embedder, "a", photo)
    assert query.region == QUARTERS[3]
    assert query.by_rule
    assert [region.kind for region in query.regions] == ["lower"]
    expected = embedder.embed_main(decode(photo, Limits()))
    np.testing.assert_array_equal(query.vector, expected)


@pytest.mark.parametrize("garments", [{}, {0: DOUBTED}], ids=["none", "one in doubt"])
def test_a_photo_without_a_sure_garment_is_searched_whole(
    embedder: Embedder, garments: dict[int, str]
) -> None:
    photo = scene_png(1, garments)
    query = queries().query(embedder, "a", photo)
    assert (query.region, len(query.regions), query.by_rule) == (None, len(garments), True)
    np.testing.assert_array_equal(query.vector, embedder.embed(decode(photo, Limits())))


def test_another_box_or_the_whole_can_be_asked_for(embedder: Embedder) -> None:
    image, maker = decode(PHOTO, Limits()), queries()
    box, whole = (maker.query(embedder, "a", PHOTO, asked) for asked in (OTHER, "whole"))
    assert (box.region, box.by_rule) == (OTHER, False)
    np.testing.assert_array_equal(box.vector, embedder.embed(image, OTHER))
    assert (whole.region, whole.by_rule) == (None, False)
    np.testing.assert_array_equal(whole.vector, embedder.embed(image))
    assert box.regions == whole.regions == embedder.see(image)


def test_the_box_that_the_rule_picked_may_come_back(embedder: Embedder) -> None:
    maker = queries()
    first = maker.query(embedder, "a", PHOTO)
    assert first.region is not None
    assert maker.query(embedder, "a", PHOTO, first.region).by_rule
    x0, y0, x1, y1 = first.region
    again = maker.query(embedder, "a", PHOTO, (x0 + 1e-6, y0, x1 - 1e-6, y1))
    assert (again.region, again.by_rule) == (first.region, True)


def test_the_whole_is_by_the_rule_where_the_rule_finds_no_garment(embedder: Embedder) -> None:
    photo, maker = scene_png(1, {}), queries()
    assert maker.query(embedder, "a", photo, "whole").by_rule
    assert maker.query(embedder, "a", photo, (0.0, 0.0, 1.0, 1.0)).by_rule
    assert not maker.query(embedder, "a", photo, OTHER).by_rule


def test_another_box_costs_one_run_and_what_was_asked_before_none(
    embedder: Embedder, runs: list[None]
) -> None:
    maker = queries()
    costs = []
    for asked in (None, None, "whole", OTHER, OTHER, None, (0.0, 0.0, 1.0, 1.0)):
        before = len(runs)
        maker.query(embedder, "a", PHOTO, asked)
        costs.append(len(runs) - before)
    assert costs == [2, 0, 0, 1, 0, 0, 0]


def test_a_first_search_for_the_whole_costs_one_run(embedder: Embedder, runs: list[None]) -> None:
    queries(capacity=0).query(embedder, "a", PHOTO, "whole")
    assert len(runs) == 1


def test_each_model_and_each_photo_has_its_own_regions_and_vectors(tmp_path: Path) -> None:
    one, two = (
        Embedder(write_region_model(FileStorage(tmp_path), seed), region_graph(seed))
        for seed in (1, 2)
    )
    maker = queries()
    vectors = [maker.query(each, "a", PHOTO).vector for each in (one, two)]
    vectors.append(maker.query(one, "b", scene_png(2, {1: LOWER})).vector)
    np.testing.assert_array_equal(vectors[1], two.embed_main(decode(PHOTO, Limits())))
    assert not np.allclose(vectors[0], vectors[1])
    assert not np.allclose(vectors[0], vectors[2])


def test_an_unusable_photo_is_refused(embedder: Embedder) -> None:
    with pytest.raises(NotAnImageError):
        queries().query(embedder, "a", b"nonsense")


def test_figures_tell_of_both_caches(embedder: Embedder) -> None:
    maker = queries()
    for _ in range(2):
        maker.query(embedder, "a", PHOTO)
    figures = maker.figures()
    assert {name: (each["hits"], each["misses"]) for name, each in figures.items()} == {
        "regions": (1, 1),
        "vectors": (1, 1),
    }
    assert figures["vectors"]["entries"] == 2  # of the main region, and of the whole
