"""Drawn negatives: seeded, varied, and pasted like any garment."""

from __future__ import annotations

import numpy as np

from lens.evaluation.composites import HEIGHT, WIDTH, compose, generator
from lens.evaluation.drawn_negatives import carton, page_of_text
from tests.lens.evaluation.drawn import background


def test_a_seed_has_one_carton_and_one_page() -> None:
    for draw in (carton, page_of_text):
        drawn = [draw(generator("a")).image.tobytes() for _ in range(2)]
        assert drawn[0] == drawn[1]
        assert draw(generator("b")).image.tobytes() != drawn[0]


def test_a_carton_is_a_box_with_a_soft_edge() -> None:
    for number in range(10):
        mask = np.asarray(carton(generator(str(number))).mask)
        assert set(mask[0]) == {0} and mask[mask.shape[0] // 2, mask.shape[1] // 2] == 255
        assert 0.8 < (mask > 127).mean() < 1
        assert ((mask > 0) & (mask < 255)).any()


def test_a_carton_is_photographed_as_a_garment_is() -> None:
    rng = generator("a")
    composite = compose(carton(rng), background(), rng)
    assert composite.image.size == (WIDTH, HEIGHT)
    assert composite.jpeg().startswith(b"\xff\xd8")


def test_a_page_is_paper_with_ink_all_over() -> None:
    for number in range(5):
        page = np.asarray(page_of_text(generator(str(number))).image.convert("L")).astype(int)
        assert page.shape == (HEIGHT, WIDTH)
        for half in (page[: HEIGHT // 2], page[HEIGHT // 2 :]):
            assert half.std() > 15
