"""Fitting: trains the garment network on views of both kinds of photo, step by step."""

from __future__ import annotations

import copy
import math
import multiprocessing
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from training.garment.labels import KINDS, PLACES, Labeled
from training.garment.network import GarmentNetwork
from training.garment.objectives import (
    AcrossLoss,
    ItemLoss,
    KindLoss,
    box_loss,
    center_loss,
    garment_loss,
    heat_of,
)
from training.garment.views import View, Views


@dataclass(frozen=True)
class Plan:
    """How the network is trained."""

    size: int = 192
    steps: int = 1500
    items: int = 10  # items in a batch, of the catalog
    photos_each: int = 3
    shoppers: int = 36  # photos of shoppers in a batch
    scenes: int = 24
    trunk_lr: float = 4e-4
    lr: float = 1.5e-3
    proxy_lr: float = 1e-2
    weight_decay: float = 2e-2
    warmup: int = 60  # steps
    frozen: int = 5  # the trunk's first blocks are left as they are
    recolored: float = 0.6  # share of crops whose channels the trunk sees in another order
    kind_weight: float = 6.0
    across_weight: float = 3.0
    color_weight: float = 0.5
    place_weight: float = 1.0
    box_weight: float = 2.0
    garment_weight: float = 2.0
    averaging: float = 0.995  # of the weights, over steps
    seed: int = 0


@dataclass(frozen=True)
class Batch:
    """Pixels of crops (first the catalog's) and scenes, and what is known of them."""

    pixels: torch.Tensor
    items: torch.Tensor
    colors: torch.Tensor
    kinds: torch.Tensor
    crops: int
    garment: torch.Tensor
    heat: torch.Tensor
    weight: torch.Tensor
    boxes: torch.Tensor
    hottest: torch.Tensor


class Batches:
    """Draws a plan's batches from labeled photos."""

    def __init__(
        self,
        catalog: Sequence[Labeled],
        shoppers: Sequence[Labeled],
        backgrounds: Sequence[NDArray[np.uint8]],
        plan: Plan,
        seed: int,
    ) -> None:
        self._plan = plan
        self._random = np.random.default_rng([plan.seed, seed])
        self._views = Views(backgrounds, plan.size, seed)
        self._catalog, self._shoppers = catalog, shoppers
        self._of_item: dict[int, list[Labeled]] = {}
        for photo in catalog:
            self._of_item.setdefault(photo.item, []).append(photo)
        # Kinds are drawn evenly, half way: by the root of how many photos they have.
        kind = np.array([int(np.flatnonzero(photo.kinds)[0]) for photo in shoppers])
        share = np.bincount(kind, minlength=len(KINDS)).clip(min=1) ** -0.5
        self._chance = share[kind] / share[kind].sum()
        self._tops = [p for p in catalog if p.places and p.places[0][0] == 0 and _cut(p)]
        self._bottoms = [p for p in catalog if p.places and p.places[0][0] == 1 and _cut(p)]
        # Dresses are few in a catalog, and look like a top over a skirt: drawn as often as these.
        placed = [p for p in catalog if _cut(p) and p.places]
        self._by_place = [
            [p for p in placed if p.places[0][0] == place]
            for place in sorted({p.places[0][0] for p in placed})
        ]

    def draw(self) -> tuple[list[tuple[View, Labeled]], list[View]]:
        """Crops, the catalog's first, and scenes."""
        r, plan, views = self._random, self._plan, self._views
        crops = []
        for item in r.choice(list(self._of_item), plan.items, replace=False):
            photos = self._of_item[item]
            for n in r.choice(len(photos), plan.photos_each, replace=len(photos) < plan.photos_each):
                crops.append((views.crop(photos[n]), photos[n]))
        for n in r.choice(len(self._shoppers), plan.shoppers, p=self._chance):
            crops.append((views.crop(self._shoppers[n]), self._shoppers[n]))
        scenes = []
        for _ in range(plan.scenes):
            draw = r.random()
            if draw < 0.22:
                scenes.append(views.outfit(_one(r, self._tops), _one(r, self._bottoms)))
            elif draw < 0.46:
                scenes.append(views.scene([self._worn(), _one(r, self._shoppers)]))
            elif draw < 0.82:
                n = int(r.choice(len(self._shoppers), p=self._chance))
                photos = [p for p in (self._shoppers[n], _one(r, self._shoppers)) if _cut(p)]
                scenes.append(views.scene(photos or [self._shoppers[n]]))
            else:
                scenes.append(views.empty(_one(r, self._shoppers)))
        return crops, scenes

    def _worn(self) -> Labeled:
        return _one(self._random, self._by_place[int(self._random.integers(len(self._by_place)))])

    def batch(self) -> dict[str, NDArray[Any]]:
        """A batch as arrays, which a process can hand over cheaply."""
        crops, scenes = self.draw()
        views = [view for view, _ in crops] + scenes
        size = self._plan.size
        cells = size // 16
        heats = [
            heat_of(
                [(p, _share(b, size)) for p, b in view.places],
                [(p, _share(b, size)) for p, b in view.ignored],
                len(PLACES),
                cells,
            )
            for view in views
        ]
        stacked = [torch.stack(each).numpy() for each in zip(*heats, strict=True)]
        garment = np.stack([view.garment for view in views]).reshape(
            len(views), size // 8, 8, size // 8, 8
        )
        unknown = (garment == 128).mean(axis=(2, 4)) > 0.25
        share = (garment == 255).mean(axis=(2, 4)).astype(np.float32)
        return {
            "pixels": np.stack([view.image for view in views]),
            "items": np.array([photo.item for _, photo in crops]),
            "colors": np.array([photo.color for _, photo in crops]),
            "kinds": np.stack([photo.kinds for _, photo in crops]),
            "garment": np.where(unknown, -1, share)[:, None],
            "heat": stacked[0],
            "weight": stacked[1],
            "boxes": stacked[2],
            "hottest": stacked[3],
        }


def prepared(arrays: dict[str, NDArray[Any]]) -> Batch:
    """A batch as tensors."""
    t = {name: torch.from_numpy(each) for name, each in arrays.items()}
    pixels = (t["pixels"].permute(0, 3, 1, 2).float() - 127) / 128
    del t["pixels"]
    return Batch(pixels=pixels, crops=len(t["items"]), **t)


def fit(
    network: GarmentNetwork,
    catalog: Sequence[Labeled],
    shoppers: Sequence[Labeled],
    backgrounds: Sequence[NDArray[np.uint8]],
    plan: Plan,
    *,
    say: Callable[[str], None] = print,
    look: Callable[[GarmentNetwork, int], None] | None = None,
    every: int = 300,
    save: Callable[[dict[str, Any]], None] | None = None,
) -> GarmentNetwork:
    """Train a network in place; returns the average of its weights over the last steps."""
    torch.manual_seed(plan.seed)
    trunk = network.trunk
    for block in [trunk.stem, *trunk.stages[: plan.frozen]]:
        block.requires_grad_(False)
    items = ItemLoss(1 + max(p.item for p in catalog), network.shape.out_features)
    colors = ItemLoss(1 + max(p.color for p in catalog), network.color.out_features)
    kinds = KindLoss(len(KINDS), network.shape.out_features)
    across = AcrossLoss(len(KINDS), network.shape.out_features)
    trunk_weights = {id(p) for p in trunk.parameters()}
    groups = [
        {"params": [p for p in trunk.parameters() if p.requires_grad], "lr": plan.trunk_lr},
        {
            "params": [p for p in network.parameters() if id(p) not in trunk_weights],
            "lr": plan.lr,
        },
        {
            "params": [*items.parameters(), *kinds.parameters(), *colors.parameters()],
            "lr": plan.proxy_lr,
            "weight_decay": 0.0,
        },
    ]
    optimizer = torch.optim.AdamW(groups, weight_decay=plan.weight_decay)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _pace(step, plan))
    _start_proxies(network, catalog, items, colors, plan)
    average = copy.deepcopy(network)
    began, sums = time.monotonic(), np.zeros(7)
    order = np.random.default_rng(plan.seed)
    for step, batch in enumerate(_stream(catalog, shoppers, backgrounds, plan), start=1):
        parts = _losses(network, batch, items, colors, kinds, across, plan, order)
        loss = sum(parts)
        assert isinstance(loss, torch.Tensor)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimizer.step()
        schedule.step()
        with torch.no_grad():
            keep = min(plan.averaging, (1 + step) / (10 + step))
            for a, b in zip(average.parameters(), network.parameters(), strict=True):
                a.lerp_(b, 1 - keep)
        sums += [float(part.detach()) for part in parts]
        if step % 25 == 0:
            means = " ".join(f"{v:.3f}" for v in sums / 25)
            say(f"step {step} {means} {(time.monotonic() - began) / step:.2f} s a step")
            sums[:] = 0
        if step % every == 0 or step == plan.steps:
            if save is not None:
                save({"average": average.state_dict(), "step": step})
            if look is not None:
                look(average, step)
        if step == plan.steps:
            break
    return average


@torch.no_grad()
def _start_proxies(
    network: GarmentNetwork,
    catalog: Sequence[Labeled],
    items: ItemLoss,
    colors: ItemLoss,
    plan: Plan,
) -> None:
    """Set the proxies to the centers of what the network makes of the photos."""
    views = Views([catalog[0].image], plan.size, plan.seed)
    shapes, tints = [], []
    for photo in catalog:
        view = views.crop(replace(photo, cut_out=None))
        pixels = (torch.from_numpy(view.image).permute(2, 0, 1)[None].float() - 127) / 128
        maps = network.maps(pixels)
        garment = network.places(*maps)[2].sigmoid()
        shape, color = network.parts(pixels, maps[2], garment)
        shapes.append(shape[0])
        tints.append(color[0])
    for loss, rows, labels in (
        (items, shapes, [p.item for p in catalog]),
        (colors, tints, [p.color for p in catalog]),
    ):
        centers = loss.proxies.data
        centers.zero_().index_add_(0, torch.tensor(labels), torch.stack(rows))
        centers.copy_(functional.normalize(centers, dim=1))


def _losses(
    network: GarmentNetwork,
    batch: Batch,
    items: ItemLoss,
    colors: ItemLoss,
    kinds: KindLoss,
    across: AcrossLoss,
    plan: Plan,
    order: np.random.Generator,
) -> list[torch.Tensor]:
    n, of_catalog = batch.crops, int((batch.items >= 0).sum())
    seen = batch.pixels.clone()
    for row in range(n):
        if order.random() < plan.recolored:
            seen[row] = seen[row][torch.from_numpy(order.permutation(3))]
    maps = network.maps(seen)
    scores, boxes, garment = network.places(*maps)
    mask = garment[:n].sigmoid().detach()
    shape, color = network.parts(batch.pixels[:n], maps[2][:n], mask)
    return [
        items(shape[:of_catalog], batch.items[:of_catalog]),
        plan.kind_weight * kinds(shape, batch.kinds),
        plan.across_weight
        * across(
            shape[of_catalog:], batch.kinds[of_catalog:], shape[:of_catalog], batch.kinds[:of_catalog]
        ),
        plan.color_weight * colors(color[:of_catalog], batch.colors[:of_catalog]),
        plan.place_weight * center_loss(scores, batch.heat, batch.weight),
        plan.box_weight * box_loss(boxes, batch.boxes, batch.hottest),
        plan.garment_weight * garment_loss(garment, batch.garment),
    ]


def _stream(
    catalog: Sequence[Labeled],
    shoppers: Sequence[Labeled],
    backgrounds: Sequence[NDArray[np.uint8]],
    plan: Plan,
) -> Iterator[Batch]:
    """Batches without end, made by a process beside."""
    context = multiprocessing.get_context("fork")
    queue: Any = context.Queue(maxsize=6)

    def work(seed: int) -> None:
        torch.set_num_threads(1)
        batches = Batches(catalog, shoppers, backgrounds, plan, seed)
        while True:
            queue.put(batches.batch())

    worker = context.Process(target=work, args=(plan.seed + 1,), daemon=True)
    worker.start()
    try:
        while True:
            yield prepared(queue.get())
    finally:
        worker.terminate()


def _pace(step: int, plan: Plan) -> float:
    if step < plan.warmup:
        return (step + 1) / plan.warmup
    done = (step - plan.warmup) / max(1, plan.steps - plan.warmup)
    return 0.5 * (1 + math.cos(math.pi * min(1.0, done))) * 0.98 + 0.02


def _share(box: tuple[float, float, float, float], size: int) -> tuple[float, float, float, float]:
    x0, y0, x1, y1 = (v / size for v in box)
    return (x0, y0, x1, y1)


def _cut(photo: Labeled) -> bool:
    return photo.cut_out is not None


def _one(random: np.random.Generator, photos: Sequence[Labeled]) -> Labeled:
    return photos[int(random.integers(len(photos)))]
