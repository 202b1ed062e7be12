"""Augmentation: random crops, flips and channel orders, for a whole batch at once.

It runs on the device that trains; the random numbers are drawn on the CPU, the same for any device.
"""

from __future__ import annotations

import math

import torch
from torch.nn import functional

_ASPECTS = (3 / 4, 4 / 3)


def draw_crops(count: int, smallest: float, generator: torch.Generator) -> torch.Tensor:
    """Draw random crops, (count, 5) float32.

    The columns are center x, center y, half width and half height, in units of half the photo's
    side; then 1, or -1 for a mirrored crop. Area and aspect are those of Inception's
    RandomResizedCrop (Szegedy et al. 2015, section 6): the area is uniform from the share
    `smallest` of the photo to all of it, the aspect log-uniform from 3/4 to 4/3. A crop wider or
    higher than the photo is cut to the photo's side.
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
    """Crop (N, 3, S, S) gray levels and resize them to (N, 3, size, size) float32, bicubic.

    The result is rounded to whole gray levels, because the color statistics recognize padding by
    its exact value.
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
    """Draw an order of the three channels for each photo, (count, 3) int64, uniformly."""
    return torch.rand(count, 3, generator=generator).argsort(dim=1)


def recolor(levels: torch.Tensor, orders: torch.Tensor, fill: tuple[int, ...]) -> torch.Tensor:
    """Return the levels (N, 3, S, S) with their channels in these orders; padding stays as it is,
    because the color statistics recognize it by its value."""
    padding = (levels == levels.new_tensor(fill).reshape(3, 1, 1)).all(dim=1, keepdim=True)
    channels = orders.to(levels.device)[:, :, None, None].expand_as(levels)
    return torch.where(padding, levels, levels.gather(1, channels))
