"""Objectives: what the garment network is trained for, as losses of a batch of views."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from training.garment.batches import Batch
from training.garment.labels import KINDS
from training.garment.material import Material
from training.garment.neighbors import Before, NeighborLoss
from training.garment.network import GarmentNetwork
from training.garment.plan import Phase
from training.loop.losses import proxy_anchor

_ACROSS_SCALE = 16.0
_KIND_SCALE = 12.0  # of cosines, before the softmax over kinds
# The exponents of the focal loss of centers: Zhou et al. 2019, "Objects as Points", equation 1.
_ALPHA, _BETA = 2.0, 4.0
_BOX_FROM = 0.5  # cells at least this hot learn the box


class Objectives(nn.Module):
    """All that a phase is trained for, with the objectives' own weights."""

    def __init__(
        self, network: GarmentNetwork, phase: Phase, material: Material, before: Before
    ) -> None:
        super().__init__()
        self._phase = phase
        colors = 1 + max(photo.color for photo in material.catalog)
        self.items = ItemLoss(material.items, network.shape.out_features)
        self.colors = ItemLoss(colors, network.color.out_features)
        self.kinds = KindLoss(len(KINDS), network.shape.out_features)
        self.across = AcrossLoss(len(KINDS), network.shape.out_features)
        self.neighbors = NeighborLoss(before.shapes, network.shape.out_features)
        self.tints = NeighborLoss(before.colors, network.color.out_features)

    def forward(
        self, network: GarmentNetwork, batch: Batch, orders: torch.Tensor
    ) -> dict[str, torch.Tensor]:
        """Each objective's weighted loss, by name; their sum is to be minimized.

        orders: (N, 3) int64, in which order the trunk sees each view's channels, so that the shape
        part learns nothing about color. The color part sees the pixels as they are.
        """
        phase, n = self._phase, batch.crops
        catalog = slice(0, int((batch.items >= 0).sum()))
        channels = orders[:, :, None, None].expand_as(batch.pixels)
        maps = network.maps(batch.pixels.gather(1, channels))
        scores, boxes, garment = network.places(*maps)
        # What is garment is learned from its own loss alone, not from what it would help.
        mask = garment[:n].sigmoid().detach()
        shape, color = network.parts(batch.pixels[:n], maps[2][:n], mask)
        return {
            "items": self.items(shape[catalog], batch.items[catalog]),
            "kinds": phase.kind_weight * self.kinds(shape, batch.kinds),
            "across": phase.across_weight
            * self.across(
                shape[catalog.stop :],
                batch.kinds[catalog.stop :],
                shape[catalog],
                batch.kinds[catalog],
            ),
            "colors": phase.color_weight * self.colors(color[catalog], batch.colors[catalog]),
            "neighbors": phase.neighbor_weight * self.neighbors(shape, batch.photos),
            "tints": phase.tint_weight * self.tints(color, batch.photos),
            "places": phase.place_weight * center_loss(scores, batch.heat, batch.weight),
            "boxes": phase.box_weight * box_loss(boxes, batch.boxes, batch.hottest),
            "garment": phase.garment_weight * garment_loss(garment, batch.garment),
        }


class ItemLoss(nn.Module):
    """Proxy-Anchor over items, or over their colors."""

    def __init__(self, classes: int, dim: int, margin: float = 0.1) -> None:
        super().__init__()
        self._loss = proxy_anchor(classes, dim, margin)

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
        # Of a batch in which no kind is known, nothing is to be learned.
        return (logits.logsumexp(dim=1) - inside).sum() / known.sum().clamp(min=1)


class AcrossLoss(nn.Module):
    """How unlikely it is that what a shopper's photo finds in the catalog is of no admissible kind:
    cross entropy over the catalog's photos of the last batches, as a search would rank them."""

    rows: torch.Tensor
    allowed: torch.Tensor
    filled: torch.Tensor

    def __init__(self, kinds: int, dim: int, memory: int = 384) -> None:
        super().__init__()
        self.register_buffer("rows", torch.zeros(memory, dim))
        self.register_buffer("allowed", torch.zeros(memory, kinds, dtype=torch.bool))
        self.register_buffer("filled", torch.zeros((), dtype=torch.int64))

    def forward(
        self,
        shoppers: torch.Tensor,
        shopper_kinds: torch.Tensor,
        catalog: torch.Tensor,
        catalog_kinds: torch.Tensor,
    ) -> torch.Tensor:
        """shoppers, catalog: unit rows (A, D) and (B, D); their kinds (A, K) and (B, K), bool."""
        known = catalog_kinds.any(dim=1)
        filled = int(self.filled)
        rows = torch.cat([catalog[known], self.rows[:filled].clone()])
        allowed = torch.cat([catalog_kinds[known], self.allowed[:filled]])
        keep = min(len(rows), len(self.rows))
        self.rows[:keep] = rows[:keep].detach()
        self.allowed[:keep] = allowed[:keep]
        self.filled.fill_(keep)
        admissible = (shopper_kinds.float() @ allowed.float().T) > 0
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


def _area(boxes: torch.Tensor) -> torch.Tensor:
    return (boxes[:, 2:] - boxes[:, :2]).clamp(min=0).prod(dim=1)
