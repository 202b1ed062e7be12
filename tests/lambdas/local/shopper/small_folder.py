"""A small shop and a small folder of shoppers' photos, drawn."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from tests.support.region_model import LOWER, UPPER, scene_png

MEASURED, TRAINED_ON = "48", "181"  # senders, of those folds
ITEMS = {"WOMEN/Dresses": "#2040a0", "WOMEN/Tops": "#a02030", "MEN/Pants": "#206030"}


def write_shop(folder: Path) -> None:
    """Two items of each category, a front photo and one more of each, and a train item."""
    lines = []
    for number in range(2):
        for category, color in ITEMS.items():
            for view in ("1_front", "2_side"):
                key = f"img/{category}/id_{number}{len(category)}/01_{view}.png"
                status = "query" if view == "2_side" else "gallery"
                lines.append(f"{key} id_{number}{category} {status}")
                _write(folder / key, _garment(color, 10 * number))
    _write(folder / "img/MEN/Hats/id_9/01_1_front.png", _garment("#808080", 0))
    lines.append("img/MEN/Hats/id_9/01_1_front.png id_9 train")
    header = [str(len(lines)), "image_name item_id evaluation_status"]
    (folder / "list_eval_partition.txt").write_text("\n".join([*header, *lines]) + "\n")


def write_shoppers_photos(folder: Path) -> None:
    """Photos of two senders, one of them measured; a street photo; backgrounds and negatives."""
    lines = ["file,sender,label,kids"]
    for number, (sender, kind, color) in enumerate(
        [
            (MEASURED, "dress", "#3050b0"),
            (MEASURED, "pants", "#307040"),
            (MEASURED, "hat", "#c0c000"),
            (TRAINED_ON, "dress", "#3050b0"),
        ]
    ):
        part = "validation" if number % 2 else "train"
        _write(folder / part / kind / f"{number}.png", _garment(color, 0, around="#b0b0a0"))
        lines.append(f"{part}/{kind}/{number}.png,{sender},{kind},False")
    lines.append(f"extra/dress/9.png,{MEASURED},Dress,False")
    (folder / "photos.csv").write_text("\n".join(lines) + "\n")
    mapping = {
        "kinds": {"dress": ["Dresses"], "pants": ["Pants"], "skirt": ["Skirts"]},
        "not_sold": ["hat"],
    }
    (folder / "mapping.json").write_text(json.dumps(mapping))
    for number in range(3):
        _write(folder / "backgrounds" / f"{number}.png", scene_png(number, {}))
    _write(folder / "negatives/text/a.png", scene_png(7, {}))
    (folder / "negatives/empty").mkdir()
    # A red and a lime quarter, both labeled; a skirt, which the shop does not sell.
    _write(folder / "street/one.png", scene_png(5, {0: UPPER, 3: LOWER}))
    labels = {
        "one.png": [
            {"kind": "coat", "categories": ["Tops"], "box": [0, 0, 32, 32]},
            {"kind": "jeans", "categories": ["Pants"], "box": [0, 32, 32, 64]},
            {"kind": "skirt", "categories": ["Skirts"], "box": [32, 32, 64, 64]},
        ]
    }
    (folder / "street/boxes.json").write_text(json.dumps(labels))


def _garment(color: str, shift: int, around: str = "white") -> bytes:
    image = Image.new("RGB", (64, 80), around)
    image.paste(color, (12 + shift, 10, 48, 70))
    noisy = np.asarray(image).astype(int) - np.random.default_rng(shift).integers(0, 9, (80, 64, 1))
    out = BytesIO()
    Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(out, "PNG")
    return out.getvalue()


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
