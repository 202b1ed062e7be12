"""Heat: where in a view garments are, for each cell of the network's map."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from training.garment.labels import Box

# A box's heat falls to half at this share of its sides from its center.
_HALF = 0.14
# A cell this hot counts even where another garment may be unlabeled.
_WARM = 0.1


def heat_of(
    places: Sequence[tuple[int, Box]],
    ignored: Sequence[tuple[int, Box]],
    kinds: int,
    cells: int,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Of boxes in fractions of the square: heat (T, H, W), its weight, each cell's box (H, W, 4)
    and the heat of that box (H, W)."""
    heat = torch.zeros(kinds, cells, cells)
    weight = torch.ones(kinds, cells, cells)
    boxes = torch.zeros(cells, cells, 4)
    hottest = torch.zeros(cells, cells)
    at = (torch.arange(cells) + 0.5) / cells
    for kind, (x0, y0, x1, y1) in ignored:
        inside = ((at >= y0) & (at <= y1))[:, None] & ((at >= x0) & (at <= x1))[None]
        weight[kind][inside] = 0
    for kind, box in places:
        x0, y0, x1, y1 = box
        # No narrower than a cell, so that the cell of the center is always hot.
        wide, high = (max(_HALF * side, 0.6 / cells) for side in (x1 - x0, y1 - y0))
        across = ((at - (x0 + x1) / 2) / wide) ** 2
        down = ((at - (y0 + y1) / 2) / high) ** 2
        warm = torch.exp2(-(down[:, None] + across[None]))
        row, column = (int(min(cells - 1, v * cells)) for v in ((y0 + y1) / 2, (x0 + x1) / 2))
        warm[row, column] = 1
        heat[kind] = torch.maximum(heat[kind], warm)
        weight[kind][warm > _WARM] = 1
        closer = warm > hottest
        boxes[closer] = torch.tensor(box)
        hottest[closer] = warm[closer]
    return heat, weight, boxes, hottest
