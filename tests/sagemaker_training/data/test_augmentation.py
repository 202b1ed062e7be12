"""Augmentation: crops, mirrored photos and orders of the color channels, tensor by tensor."""

from __future__ import annotations

import pytest

pytest.importorskip("torch", reason="training needs torch: pip install '.[train]'")

import torch

from training.data.augmentation import crop, draw_crops, draw_orders, recolor


def _levels(side: int = 32) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (2, 3, side, side), generator=generator, dtype=torch.uint8)


def test_a_crop_of_the_whole_photo_changes_nothing() -> None:
    levels = _levels()
    whole = torch.tensor([[0.0, 0.0, 1.0, 1.0, 1.0]]).repeat(2, 1)
    assert torch.equal(crop(levels, whole, 32), levels.float())


def test_a_mirrored_crop_is_the_photo_mirrored() -> None:
    levels = _levels()
    mirrored = torch.tensor([[0.0, 0.0, 1.0, 1.0, -1.0]]).repeat(2, 1)
    assert torch.equal(crop(levels, mirrored, 32), levels.float().flip(3))


def test_a_quarter_is_cut_from_where_it_lies() -> None:
    levels = torch.zeros(1, 3, 32, 32, dtype=torch.uint8)
    levels[:, :, 16:, 16:] = 200
    corner = torch.tensor([[0.5, 0.5, 0.5, 0.5, 1.0]])
    assert (crop(levels, corner, 16)[:, :, 2:, 2:] == 200).all()


def test_crops_lie_within_the_photo_and_keep_their_share_of_it() -> None:
    crops = draw_crops(5_000, 0.2, torch.Generator().manual_seed(0))
    x, y, half_width, half_height, mirrored = crops.unbind(1)
    assert ((x.abs() + half_width <= 1 + 1e-6) & (y.abs() + half_height <= 1 + 1e-6)).all()
    area = half_width * half_height
    assert 0.19 < area.min() < 0.25 and 0.9 < area.max() <= 1
    assert 0.45 < (mirrored == 1).float().mean() < 0.55


def test_cropped_photos_have_whole_gray_levels() -> None:
    cut = crop(_levels(), draw_crops(2, 0.2, torch.Generator().manual_seed(1)), 24)
    assert torch.equal(cut, cut.round()) and cut.min() >= 0 and cut.max() <= 255


def test_every_order_of_the_channels_is_as_likely() -> None:
    orders = draw_orders(6_000, torch.Generator().manual_seed(0))
    _, counts = orders.unique(dim=0, return_counts=True)
    assert len(counts) == 6 and (counts - 1_000).abs().max() < 120


def test_a_recolored_photo_has_its_channels_in_their_order_and_its_padding_as_it_was() -> None:
    fill = (124, 116, 104)
    levels = _levels()
    levels[:, :, :5] = torch.tensor(fill, dtype=torch.uint8).reshape(3, 1, 1)
    recolored = recolor(levels, torch.tensor([[2, 0, 1], [0, 1, 2]]), fill)
    assert recolored.dtype == torch.uint8
    assert torch.equal(recolored[0, :, 5:], levels[0, :, 5:][[2, 0, 1]])
    assert torch.equal(recolored[0, :, :5], levels[0, :, :5])
    assert torch.equal(recolored[1], levels[1])
