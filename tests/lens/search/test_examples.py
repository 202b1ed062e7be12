"""Examples: several photos, liked and unliked items, as one vector."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from lens.errors import FieldError, NotFoundError
from lens.gallery.gallery import Gallery
from lens.pipeline.compact import fold
from lens.search.examples import MOST_EXAMPLES, Examples, blend, exemplars_of
from lens.storage import FileStorage
from tests.support import small_galleries
from tests.support.small_galleries import NOW, vector

ROWS = [
    small_galleries.photo(f"{item}/{number}.png", "1")._replace(item_id=f"item {item}")
    for item in range(4)
    for number in range(3)
]
TWICE = small_galleries.photo("9/again.png", "1", photo_id=ROWS[4].photo_id)


@pytest.fixture(params=["tail", "snapshot"])
def gallery(request: pytest.FixtureRequest, tmp_path: Path) -> Gallery:
    storage = FileStorage(tmp_path)
    small_galleries.make_live(storage)
    small_galleries.add(storage, *ROWS, TWICE)
    if request.param == "snapshot":
        fold(storage, small_galleries.head(storage), now=NOW)
    return small_galleries.gallery(storage)


def unit(numbers: NDArray[np.float32]) -> NDArray[np.float32]:
    length = np.linalg.norm(numbers)
    return (numbers / length).astype(np.float32)


def test_photos_count_alike_and_in_any_order() -> None:
    one, two, three = map(vector, "abc")
    blended = blend([one, two, three], [], [])
    np.testing.assert_allclose(blended, unit(one + two + three), atol=1e-6)
    np.testing.assert_allclose(blend([three, one, two], [], []), blended, atol=1e-6)
    assert blended.dtype == np.float32


def test_likes_alone_are_what_is_searched_for() -> None:
    one, two = map(vector, "ab")
    np.testing.assert_allclose(blend([], [one, two], []), blend([one, two], [], []), atol=1e-6)


def test_beside_photos_a_like_draws_and_an_unlike_pushes() -> None:
    photo, other = map(vector, "ab")
    before = photo @ other
    assert blend([photo], [other], []) @ other > before > blend([photo], [], [other]) @ other
    expected = unit(photo + 0.5 * other - 0.25 * vector("c"))
    np.testing.assert_allclose(blend([photo], [other], [vector("c")]), expected, atol=1e-6)


def test_what_is_searched_for_outweighs_every_example() -> None:
    """However many unlikes there are, and even of the photo itself."""
    photo = vector("a")
    assert blend([photo], [], [photo] * MOST_EXAMPLES) @ photo == pytest.approx(1)


def test_opposites_have_nothing_in_common_but_numbers() -> None:
    assert blend([vector("a"), -vector("a")], [], []).tolist() == [0] * small_galleries.DIM


def test_an_item_counts_as_the_mean_of_its_photos(gallery: Gallery) -> None:
    found = exemplars_of(gallery, Examples(("item 2",), ("item 1",)))
    for (vectors,), item in ((found.like, 2), (found.unlike, 1)):
        own = [vector(row.photo_id) for row in ROWS if row.item_id == f"item {item}"]
        np.testing.assert_allclose(vectors, unit(np.sum(own, axis=0)), atol=1e-6)
    assert found.keys == {f"{item}/{number}.png" for item in (1, 2) for number in range(3)}


def test_a_photo_is_an_example_by_its_own_id_wherever_it_lies(gallery: Gallery) -> None:
    found = exemplars_of(gallery, Examples(like=(TWICE.photo_id,)))
    np.testing.assert_allclose(found.like[0], vector(TWICE.photo_id), atol=1e-6)
    assert found.keys == {ROWS[4].key, TWICE.key}


def test_an_unknown_id_is_named(gallery: Gallery) -> None:
    for examples in (Examples(("item 1", "item 9")), Examples(("item 1",), ("item 9",))):
        with pytest.raises(NotFoundError, match="has the id 'item 9'"):
            exemplars_of(gallery, examples)


def test_contradictions_and_crowds_are_refused() -> None:
    with pytest.raises(FieldError, match="unlike: 'a' is in like too"):
        Examples(("a", "b"), ("a",))
    many = tuple(map(str, range(MOST_EXAMPLES + 1)))
    with pytest.raises(FieldError, match="like: send at most 10"):
        Examples(many)
    with pytest.raises(FieldError, match="unlike: send at most 10"):
        Examples((), many)


def test_a_gallery_without_some_keys_finds_all_the_others(gallery: Gallery) -> None:
    query = vector("query")
    keys = {ROWS[0].key, ROWS[7].key, "no such.png"}
    expected = [m for m in gallery.search(query, 99) if m.row.key not in keys]
    assert [m.row.key for m in gallery.without(keys).search(query, 99)] == [
        m.row.key for m in expected
    ]
    assert len(expected) == len(ROWS) + 1 - 2
    assert gallery.without(keys).photo_count == gallery.photo_count - 2
    one_by_one = gallery.without({ROWS[0].key}).without({ROWS[7].key})
    assert one_by_one.search(query, 99) == expected
