"""Objectives: what the garment network is trained for, as losses of a batch of views."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from training.loop.losses import losses  # pytorch-metric-learning, without its use of FAISS

_ACROSS_SCALE = 16.0
_KIND_SCALE = 12.0  # of cosines, before the softmax over kinds
# The exponents of the focal loss of centers: Zhou et al. 2019, "Objects as Points", equation 1.
_ALPHA, _BETA = 2.0, 4.0
# A box's heat falls to half at this share of its sides from its center.
_HALF = 0.14
_BOX_FROM = 0.5  # cells at least this hot learn the box


class ItemLoss(nn.Module):
    """Proxy-Anchor (Kim et al. 2020, arXiv 2003.13911) over items, or over their colors."""

    def __init__(self, classes: int, dim: int, margin: float = 0.1) -> None:
        super().__init__()
        self._loss = losses.ProxyAnchorLoss(classes, dim, margin=margin, alpha=32)

    @property
    def proxies(self) -> torch.Tensor:
        """(classes, dim)."""
        proxies: torch.Tensor = self._loss.proxies
        return proxies

    def forward(self, rows: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        loss: torch.Tensor = self._loss(rows, labels)
        return loss


class KindLoss(nn.Module):
    """Cross entropy over sets of admissible kinds: how unlikely it is that a row's kind is none of
    its set. A catalog's categories overlap, so one label would be false."""

    def __init__(self, kinds: int, dim: int) -> None:
        super().__init__()
        self.centers = nn.Parameter(torch.randn(kinds, dim) * 0.1)

    def forward(self, rows: torch.Tensor, admissible: torch.Tensor) -> torch.Tensor:
        known = admissible.any(dim=1)
        logits = _KIND_SCALE * rows[known] @ functional.normalize(self.centers, dim=1).T
        inside = logits.masked_fill(~admissible[known], -1e4).logsumexp(dim=1)
        return (logits.logsumexp(dim=1) - inside).mean()


class AcrossLoss(nn.Module):
    """How unlikely it is that what a shopper's photo finds in the catalog is of no admissible kind:
    cross entropy over the catalog's photos of the last batches, as a search would rank them."""

    def __init__(self, kinds: int, dim: int, memory: int = 384) -> None:
        super().__init__()
        self._memory = memory
        self.register_buffer("rows", torch.zeros(0, dim), persistent=False)
        self.register_buffer("kinds", torch.zeros(0, kinds, dtype=torch.bool), persistent=False)

    def forward(
        self,
        shoppers: torch.Tensor,
        shopper_kinds: torch.Tensor,
        catalog: torch.Tensor,
        catalog_kinds: torch.Tensor,
    ) -> torch.Tensor:
        known = catalog_kinds.any(dim=1)
        rows = torch.cat([catalog[known], self.rows])
        kinds = torch.cat([catalog_kinds[known], self.kinds])
        self.rows = rows.detach()[: self._memory]
        self.kinds = kinds[: self._memory]
        admissible = (shopper_kinds.float() @ kinds.float().T) > 0
        asked = admissible.any(dim=1) & ~admissible.all(dim=1)
        if not asked.any():
            return shoppers.sum() * 0
        logits = _ACROSS_SCALE * shoppers[asked] @ rows.T
        inside = logits.masked_fill(~admissible[asked], -1e4).logsumexp(dim=1)
        return (logits.logsumexp(dim=1) - inside).mean()


def center_loss(logits: torch.Tensor, heat: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """Penalty-reduced focal loss of score logits (N, T, H, W) against heat in 0..1 of that shape;
    per garment."""
    found = functional.logsigmoid(logits)
    missed = functional.logsigmoid(-logits)
    probability = logits.sigmoid()
    center = heat >= 0.99
    positive = -((1 - probability) ** _ALPHA) * found * center
    negative = -((1 - heat) ** _BETA) * probability**_ALPHA * missed * ~center
    total = ((positive + negative) * weight).sum()
    return total / (center & (weight > 0)).sum().clamp(min=1)


def box_loss(boxes: torch.Tensor, wanted: torch.Tensor, heat: torch.Tensor) -> torch.Tensor:
    """1 - GIoU (Rezatofighi et al. 2019) of boxes (N, H, W, 4), weighted by heat (N, H, W)."""
    weight = heat * (heat >= _BOX_FROM)
    chosen = weight > 0
    if not chosen.any():
        return boxes.sum() * 0
    a, b, w = boxes[chosen], wanted[chosen], weight[chosen]
    low, high = torch.maximum(a[:, :2], b[:, :2]), torch.minimum(a[:, 2:], b[:, 2:])
    both = (high - low).clamp(min=0).prod(dim=1)
    union = _area(a) + _area(b) - both
    around = torch.maximum(a[:, 2:], b[:, 2:]) - torch.minimum(a[:, :2], b[:, :2])
    hull = around.prod(dim=1).clamp(min=1e-9)
    giou = both / union.clamp(min=1e-9) - (hull - union) / hull
    return ((1 - giou) * w).sum() / w.sum()


def garment_loss(logits: torch.Tensor, garment: torch.Tensor) -> torch.Tensor:
    """Binary cross entropy where it is known: garment is 0..1, or -1 where it is not."""
    known = (garment >= 0).float()
    each = functional.binary_cross_entropy_with_logits(
        logits, garment.clamp(min=0), reduction="none"
    )
    return (each * known).sum() / known.sum().clamp(min=1)


def heat_of(
    places: list[tuple[int, tuple[float, float, float, float]]],
    ignored: list[tuple[int, tuple[float, float, float, float]]],
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
        weight[kind][warm > 0.1] = 1
        closer = warm > hottest
        boxes[closer] = torch.tensor(box)
        hottest[closer] = warm[closer]
    return heat, weight, boxes, hottest


def _area(boxes: torch.Tensor) -> torch.Tensor:
    return (boxes[:, 2:] - boxes[:, :2]).clamp(min=0).prod(dim=1)
