"""Catalogs of a few drawn photos, in which an item is a color."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

VIEWS = ("1_front", "2_side", "3_back", "4_full")


def draw_photo(file: Path, item: int, view: int, side: int = 40) -> None:
    """A photo of noise around the item's color."""
    random = np.random.default_rng((item, view))
    color = np.random.default_rng(item).integers(40, 216, 3)
    levels = np.clip(color + random.normal(0, 12, (side, side * 3 // 4, 3)), 0, 255)
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(levels.astype(np.uint8)).save(file)


def draw_inshop(root: Path, *, train: int, test: int) -> Path:
    """Items of four photos; of a test item two are queries and two the gallery."""
    lines = []
    for item in range(train + test):
        for i, view in enumerate(VIEWS):
            key = f"img/WOMEN/{'Tops' if item % 2 else 'Dresses'}/id_{item:08}/01_{view}.png"
            draw_photo(root / key, item, i)
            status = "train" if item < train else "query" if i >= 2 else "gallery"
            lines.append(f"{key} id_{item:08} {status}")
    header = [str(len(lines)), "image_name item_id evaluation_status"]
    (root / "list_eval_partition.txt").write_text("\n".join([*header, *lines]) + "\n")
    return root


def draw_folders(root: Path, *, items: int, photos: int = 3) -> Path:
    """A folder of photos per item, and no partition file."""
    for item in range(items):
        for i in range(photos):
            draw_photo(root / f"shoes/item-{item}/{i}.png", item, i)
    return root
