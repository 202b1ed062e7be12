"""Views: where a garment is said to be, there its color is; and scenes without one say so.

Covers: views, scenery, light.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tests.sagemaker_training.garment.drawn import backgrounds, labeled
from training.garment.labels import PLACES, Box, Labeled
from training.garment.light import WHITE, feathered, finished, mean_color, relit
from training.garment.views import UNKNOWN, View, Views

SIZE = 128
UPPER, LOWER, SHOES = (PLACES.index(place) for place in ("upper", "lower", "shoes"))
Make = Callable[[Views, Labeled], View]


def _views(seed: int, size: int = SIZE) -> Views:
    return Views(backgrounds(), size, seed)


def _magenta(view: View) -> NDArray[np.bool_]:
    """Where the drawn garment's color is; other light changes it, but never to gray."""
    red, green, blue = np.moveaxis(view.image.astype(int), 2, 0)
    magenta: NDArray[np.bool_] = (np.minimum(red, blue) - green > 40) & (green < 90)
    return magenta


def _around(mask: NDArray[np.bool_]) -> Box:
    rows, columns = np.nonzero(mask)
    return (
        float(columns.min()),
        float(rows.min()),
        float(columns.max() + 1),
        float(rows.max() + 1),
    )


def test_what_is_cut_out_is_the_garment_with_serving_s_margin_and_nothing_changed() -> None:
    view = _views(0).cut_out(labeled(behind=255))
    x0, y0, x1, y1 = _around(_magenta(view))
    # 140 rows of 140 + 2 * 5 % fill so much of the view; 120 columns likewise.
    assert (y1 - y0) / SIZE == pytest.approx(1 / 1.1, abs=0.02)
    assert (x1 - x0) / SIZE == pytest.approx(120 / 140 / 1.1, abs=0.02)
    ((_, box),) = view.places
    assert np.allclose(box, (x0, y0, x1, y1), atol=1)
    assert set(map(tuple, view.image[60:70, 60:70].reshape(-1, 3))) == {(230, 0, 220)}
    # Nothing is beyond the photo.
    at_the_edge = _views(0).cut_out(labeled(box=(0, 0, 216, 288)))
    assert _around(at_the_edge.garment == 255)[1::2] == (0, SIZE)
    bare = replace(labeled(), places=(), mask=None, cut_out=None)
    assert (_views(0).cut_out(bare).garment == UNKNOWN).mean() == pytest.approx(0.75, abs=0.02)


def test_padding_stays_white_whatever_a_camera_does_to_the_crop() -> None:
    tall = labeled((10, 20, 30), box=(90, 20, 110, 270), behind=40)
    for seed in range(40):
        columns = _views(seed).crop(tall).image.min(axis=(0, 2))
        # Blur, or JPEG, of padding and photo together would leave columns that are nearly white.
        assert not ((columns > 200) & (columns < 255)).any()


def test_a_photographed_thing_is_pasted_and_is_no_garment() -> None:
    thing = np.zeros((40, 60, 4), np.uint8)
    thing[5:35, 5:55] = (0, 250, 0, 255)
    seen = 0
    for seed in range(30):
        view = Views(backgrounds(), SIZE, seed, [thing]).empty()
        red, green, blue = np.moveaxis(view.image.astype(int), 2, 0)
        seen += bool((green - np.maximum(red, blue) > 60).mean() > 0.005)
        assert not view.garment.any() and not view.places
    assert seen > 10


MAKERS: dict[str, Make] = {
    "crop": lambda views, photo: views.crop(photo),
    "scene": lambda views, photo: views.scene([photo]),
    "scene of a catalog's": lambda views, photo: views.scene([replace(photo, item=3)]),
}


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_a_box_and_a_mask_are_where_the_garment_s_color_is(make: Make) -> None:
    differences = []
    for seed in range(60):
        view = make(_views(seed), labeled())
        assert view.image.shape == (SIZE, SIZE, 3) and view.garment.shape == (SIZE, SIZE)
        seen = _magenta(view)
        garment = view.garment == 255
        if not view.places:  # nearly all of it lies beyond the frame
            assert garment.mean() < 0.5
            continue
        ((place, box),) = view.places
        assert place == UPPER and seen[garment].mean() > 0.9
        # A pattern in the background may have the color too: there is no mask there.
        found = _around(seen & (view.garment > 0))
        differences.append(np.abs(np.array(found) - box).max())
    assert len(differences) > 40
    # Of one that is turned and cut, the box still reaches to corners that are not seen.
    assert np.quantile(differences, 0.8) <= 3.5 and max(differences) <= 12


def test_what_is_padding_is_white_and_no_garment() -> None:
    for seed in range(20):
        view = _views(seed).empty()
        columns = np.flatnonzero((view.image == 255).all(axis=(0, 2)))
        rows = np.flatnonzero((view.image == 255).all(axis=(1, 2)))
        assert not view.garment.any()
        if len(columns):
            assert columns[0] == 0 and columns[-1] == SIZE - 1 and not len(rows)


def test_a_scene_without_a_garment_has_no_place_and_nothing_in_doubt() -> None:
    pictures = [_views(seed).empty() for seed in range(20)]
    assert all(not view.places and not view.ignored for view in pictures)
    assert len({view.image.tobytes() for view in pictures}) == 20


def test_the_same_seed_gives_the_same_views() -> None:
    first, second, other = (_views(seed).scene([labeled()]) for seed in (3, 3, 4))
    assert np.array_equal(first.image, second.image) and first.places == second.places
    assert not np.array_equal(first.image, other.image)


def test_places_that_may_be_there_unlabeled_are_ignored_around_who_wears_the_garment() -> None:
    photo = labeled(unsure=frozenset({SHOES, LOWER}))
    for seed in range(20):
        view = _views(seed).scene([replace(photo, item=0)])
        if view.places:
            assert [place for place, _ in view.ignored] == sorted({SHOES, LOWER})
            (_, box), (_, around) = view.places[0], view.ignored[0]
            assert np.abs(np.array(box) - around).max() < 1e-6  # the cut-out is the garment


def test_what_is_worn_beside_the_garment_is_not_known_and_skin_in_its_box_is_none() -> None:
    person = np.zeros((288, 216), np.uint8)
    person[20:280, 50:150] = 255
    photo = replace(labeled(unsure=frozenset({LOWER})), cut_out=person)
    assert photo.mask is not None
    photo.mask[60:80, 40:60] = 0  # an arm before the garment
    view = Views(backgrounds(), 288, 1)._part_of(replace(photo, cut_out=None))
    assert UNKNOWN not in view.garment  # without a cut-out all else is backdrop
    from training.garment.views import _garment_of

    known = np.asarray(_garment_of(photo)[1])
    assert (known[60:80, 50:60] == 0).all() and (known[90:190, 60:150] == 255).all()
    assert (known[210:280, 50:150] == UNKNOWN).all() and (known[:, :40] == 0).all()
    unknown = np.asarray(_garment_of(replace(photo, mask=None))[1])
    assert (unknown == UNKNOWN).all()


def test_a_garment_that_is_nearly_beyond_the_frame_has_no_box_but_is_in_doubt() -> None:
    counts = {"boxes": 0, "doubts": 0}
    for seed in range(200):
        view = _views(seed).scene([labeled(box=(0, 0, 215, 287))])
        counts["boxes"] += len(view.places)
        counts["doubts"] += len(view.ignored)
        for _, (x0, y0, x1, y1) in (*view.places, *view.ignored):
            assert 0 <= x0 < x1 <= SIZE and 0 <= y0 < y1 <= SIZE
    assert counts["boxes"] > 190


def test_two_garments_in_a_scene_have_two_boxes() -> None:
    pants = labeled((0, 220, 0), place="lower", kind="pants")
    both = [_views(seed).scene([replace(labeled(), item=0), pants]) for seed in range(60)]
    assert any({place for place, _ in view.places} == {UPPER, LOWER} for view in both)


def test_another_light_leaves_white_alone_and_changes_the_rest_by_one_table() -> None:
    image = np.tile(np.arange(256, dtype=np.uint8)[:, None, None], (1, 4, 3))
    changed = 0
    for seed in range(20):
        found = relit(np.random.default_rng(seed), image)
        assert (found[255] == 255).all() and (found == found[:, :1]).all()
        assert (np.diff(found[:255].astype(int), axis=0) >= 0).all()  # brighter stays brighter
        changed += not np.array_equal(found, image)
    assert changed > 10


def test_a_feathered_mask_is_soft_and_no_larger() -> None:
    mask = Image.new("L", (60, 60), 0)
    mask.paste(255, (20, 20, 40, 40))
    for seed in range(10):
        soft = np.asarray(feathered(np.random.default_rng(seed), mask))
        assert (soft[24:36, 24:36] > 200).all() and soft[:15].max() == 0
        assert len(np.unique(soft)) > 4
        assert (soft > 127).sum() <= 400


def test_finishing_keeps_a_picture_s_size_and_mean() -> None:
    image = np.random.default_rng(0).integers(0, 256, (40, 30, 3)).astype(np.uint8)
    for seed in range(10):
        found = finished(np.random.default_rng(seed), image)
        assert found.shape == image.shape and abs(found.mean() - image.mean()) < 3


def test_surroundings_are_white_or_the_photo_s_mean() -> None:
    picture = Image.new("RGB", (30, 40), (10, 90, 200))
    found = {mean_color(np.random.default_rng(seed), picture) for seed in range(20)}
    assert found == {WHITE, (10, 90, 200)}
