"""Drawn garments: labeled photos, a catalog on white, and shoppers' photos, all made of rectangles.

What is where in them is known, so what a label or a view says can be compared with it.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from training.garment.labels import KINDS, PLACES, Box, Labeled
from training.garment.material import Material

SKIN = (224, 172, 140)
FIGURE = (300, 400)  # width and height of a drawn catalog photo
# Of the figure, in pixels: x0, y0, x1, y1.
HEAD, TORSO, LEGS, FEET = (
    (135, 30, 165, 80),
    (100, 95, 200, 225),
    (110, 215, 190, 360),
    (110, 360, 190, 385),
)
SHOULDERS, HIPS, ANKLES = 0.25, 0.55, 0.92


def landmarks(visible: float = 0.99) -> NDArray[np.float32]:
    """The pose of the figure, as teachers.Pose gives it: only heights count."""
    points = np.zeros((33, 3), np.float32)
    points[:, 2] = visible
    points[[11, 12], 1], points[[23, 24], 1], points[[27, 28], 1] = SHOULDERS, HIPS, ANKLES
    return points


def figure(top: tuple[int, int, int], bottom: tuple[int, int, int]) -> NDArray[np.uint8]:
    """A person on white in two garments, (400, 300, 3); the top covers the waist."""
    width, height = FIGURE
    pixels = np.full((height, width, 3), 255, np.uint8)
    for (x0, y0, x1, y1), color in (
        (HEAD, SKIN),
        (FEET, SKIN),
        (LEGS, bottom),
        (TORSO, top),
        ((145, 80, 155, 95), SKIN),  # the neck
    ):
        pixels[y0:y1, x0:x1] = color
    return pixels


def labeled(
    color: tuple[int, int, int] = (230, 0, 220),
    *,
    place: str = "upper",
    kind: str = "t-shirt",
    box: tuple[int, int, int, int] = (40, 60, 160, 200),
    size: tuple[int, int] = (216, 288),
    behind: int = 128,
    unsure: frozenset[int] = frozenset(),
    item: int = -1,
    color_number: int = -1,
) -> Labeled:
    """A photo of a rectangle of one color before gray, with its true mask."""
    width, height = size
    image = np.full((height, width, 3), behind, np.uint8)
    mask = np.zeros((height, width), np.uint8)
    x0, y0, x1, y1 = box
    image[y0:y1, x0:x1], mask[y0:y1, x0:x1] = color, 255
    bounds: Box = (float(x0), float(y0), float(x1), float(y1))
    return Labeled(
        name="drawn",
        image=image,
        mask=mask,
        cut_out=mask,
        places=((PLACES.index(place), bounds),),
        unsure=unsure,
        kinds=np.array([each == kind for each in KINDS]),
        item=item,
        color=color_number,
    )


def backgrounds(count: int = 3) -> tuple[NDArray[np.uint8], ...]:
    """Gray noise, brighter from one to the next."""
    random = np.random.default_rng(0)
    return tuple(
        np.repeat(random.integers(20 + 60 * n, 80 + 60 * n, (90, 120, 1)), 3, axis=2).astype(
            np.uint8
        )
        for n in range(count)
    )


def material(items: int = 3) -> Material:
    """A top or trousers for each item, two photos of each in colors of their own, and shoppers'."""
    catalog = []
    for item in range(items):
        color = tuple(int(v) for v in np.random.default_rng(item).integers(0, 256, 3))
        assert len(color) == 3
        place, kind = ("lower", "pants") if item % 2 else ("upper", "t-shirt")
        for n in range(2):
            box = (50, 40, 150 + 10 * n, 180) if place == "upper" else (60, 50, 140, 260)
            catalog.append(
                labeled(
                    color,
                    place=place,
                    kind=kind,
                    box=box,
                    behind=255,
                    item=item,
                    color_number=2 * item + n,
                )
            )
    kinds = (("dress", "one_piece"), ("shoes", "shoes"), ("t-shirt", "upper"), ("pants", "lower"))
    shoppers = [labeled((30 * n, 200, 90), place=of, kind=k) for n, (k, of) in enumerate(kinds)]
    return Material(tuple(catalog), tuple(shoppers), backgrounds())


def draw_catalog(root: Path, *, train: int, test: int) -> Path:
    """A catalog in In-Shop's layout: figures in tops and trousers, two colors of each item."""
    lines = []
    for item in range(train + test):
        group = "Pants" if item % 2 else "Tops"
        for color in range(2):
            # More blue than red: no skin.
            red, green, blue = sorted(np.random.default_rng((item, color)).integers(0, 120, 3))
            own = (int(red), int(green), int(blue))
            key = f"img/WOMEN/{group}/id_{item:08}/{color + 1:02}_1_front.png"
            pixels = figure(own, (60, 60, 70)) if group == "Tops" else figure((70, 70, 60), own)
            _save(root / key, pixels)
            lines.append(f"{key} id_{item:08} {'train' if item < train else 'query'}")
    header = [str(len(lines)), "image_name item_id evaluation_status"]
    (root / "list_eval_partition.txt").write_text("\n".join([*header, *lines]) + "\n")
    return root


# Senders by what they are for: lens.evaluation.senders.
TRAINED_ON, MEASURED = "181", "48"


def draw_shoppers(root: Path, count: int = 6) -> Path:
    """Garments on gray floors; the last photo is of a sender who is measured."""
    rows = []
    for n in range(count):
        label = ("t-shirt", "pants", "dress")[n % 3]
        file = f"train/{label}/{n}.png"
        pixels = np.full((320, 240, 3), 100 + 10 * n, np.uint8)
        pixels[80:240, 60:180] = (200 - 10 * n, 20, 20 + 30 * n)
        _save(root / file, pixels)
        sender = MEASURED if n == count - 1 else TRAINED_ON
        rows.append({"file": file, "sender": sender, "label": label})
    with (root / "photos.csv").open("w", newline="") as out:
        writer = csv.DictWriter(out, ["file", "sender", "label"])
        writer.writeheader()
        writer.writerows(rows)
    for n, levels in enumerate(backgrounds()):
        _save(root / f"surfaces/{n}.png", levels)
    return root


def _save(path: Path, pixels: NDArray[np.uint8]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
