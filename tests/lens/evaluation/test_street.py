"""Street: which garments the product must find, and by which box it has."""

from __future__ import annotations

from lens.evaluation.street import Garment, first_products

BOX = (0.2, 0.2, 0.6, 0.6)


def _garment(kind: str) -> Garment:
    return Garment(kind, frozenset(), BOX)


def test_labels_belong_to_the_product_s_kinds_or_to_none() -> None:
    groups = [_garment(kind).group for kind in ("coat", "jeans", "dress", "boots", "purse", "belt")]
    assert groups == ["upper", "lower", "one_piece", "shoes", "bag", None]


def test_a_region_finds_a_garment_when_half_of_both_is_shared() -> None:
    coat = _garment("coat")
    assert coat.found_by([(0.7, 0.7, 0.9, 0.9), (0.2, 0.2, 0.6, 0.42)])
    assert not coat.found_by([(0.2, 0.2, 0.6, 0.38), (0.0, 0.0, 1.0, 1.0)])
    assert not coat.found_by([])


def test_several_photos_of_one_product_are_one_product() -> None:
    assert first_products(["a", "a", "b", "a", "c", "b", "d", "e", "f"]) == [0, 2, 4, 6, 7]
    assert first_products(["a", "b"], count=1) == [0]
    assert first_products([]) == []
