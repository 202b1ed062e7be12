"""Augmentation: random crops, flips and channel orders of a whole batch at once, on the device
that trains."""

from __future__ import annotations

import math

import torch
from torch.nn import functional

_ASPECTS = (3 / 4, 4 / 3)


def draw_crops(count: int, smallest: float, generator: torch.Generator) -> torch.Tensor:
    """Random crops (count, 5) float32: center x and y, half width and half height, all in units of
    half the photo's side, and 1 or -1, which is mirrored.

    Area and aspect as in Inception's RandomResizedCrop (Szegedy et al. 2015, section 6): an area
    of at least `smallest` of the photo's, uniform; an aspect from 3/4 to 4/3, log-uniform. A side
    longer than the photo's is cut to it.
    """
    draws = torch.rand(count, 5, generator=generator)
    area = smallest + (1 - smallest) * draws[:, 0]
    low, high = (math.log(aspect) for aspect in _ASPECTS)
    aspect = torch.exp(low + (high - low) * draws[:, 1])
    half_width = (area * aspect).sqrt().clamp(max=1)
    half_height = (area / aspect).sqrt().clamp(max=1)
    x = (2 * draws[:, 2] - 1) * (1 - half_width)
    y = (2 * draws[:, 3] - 1) * (1 - half_height)
    mirrored = torch.where(draws[:, 4] < 0.5, -1.0, 1.0)
    return torch.stack([x, y, half_width, half_height, mirrored], dim=1)


def crop(levels: torch.Tensor, crops: torch.Tensor, size: int) -> torch.Tensor:
    """Cut (N, 3, S, S) gray levels to (N, 3, size, size) whole gray levels, float32, bicubic.

    Rounded as a photo is: the color statistics know padding by its exact value.
    """
    x, y, half_width, half_height, mirrored = crops.to(levels.device).unbind(1)
    none = torch.zeros_like(x)
    theta = torch.stack(
        [
            torch.stack([half_width * mirrored, none, x], dim=1),
            torch.stack([none, half_height, y], dim=1),
        ],
        dim=1,
    )
    grid = functional.affine_grid(theta, [len(levels), 3, size, size], align_corners=False)
    cut = functional.grid_sample(
        levels.float(), grid, mode="bicubic", padding_mode="border", align_corners=False
    )
    return cut.round_().clamp_(0, 255)


def draw_orders(count: int, generator: torch.Generator) -> torch.Tensor:
    """An order of the three channels for each photo, (count, 3) int64, each as likely."""
    return torch.rand(count, 3, generator=generator).argsort(dim=1)


def recolor(levels: torch.Tensor, orders: torch.Tensor, fill: tuple[int, ...]) -> torch.Tensor:
    """(N, 3, S, S) levels with their channels in these orders; padding stays what it is."""
    padding = (levels == levels.new_tensor(fill).reshape(3, 1, 1)).all(dim=1, keepdim=True)
    channels = orders.to(levels.device)[:, :, None, None].expand_as(levels)
    return torch.where(padding, levels, levels.gather(1, channels))
