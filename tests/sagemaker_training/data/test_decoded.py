"""Photos decoded once as serving decodes them, and again after a change."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from lens.models.manifest import Preprocessing
from lens.models.preprocessing import to_pixels
from training.data.decoded import build_decoded

PIXELS = Preprocessing(size=28, fill=(255, 255, 254), mean=(127,) * 3, std=(128,) * 3)


def test_a_square_holds_the_very_levels_that_serving_would_see(inshop: Path) -> None:
    keys = [file.relative_to(inshop).as_posix() for file in sorted(inshop.rglob("*.png"))]
    decoded = build_decoded(inshop / "cache", inshop, keys, PIXELS)
    for key in keys[::7]:
        served = to_pixels(Image.open(inshop / key).convert("RGB"), PIXELS)
        square = decoded.levels[decoded.positions[key]].transpose(2, 0, 1)
        assert np.array_equal(((square.astype(np.float64) - 127) / 128).astype(np.float32), served)


def test_the_same_photos_are_decoded_once_and_changed_ones_again(inshop: Path) -> None:
    keys = [file.relative_to(inshop).as_posix() for file in sorted(inshop.rglob("*.png"))]
    decoded: list[int] = []

    def progress(done: int, total: int) -> None:
        decoded.append(done)

    build_decoded(inshop / "cache", inshop, keys, PIXELS, progress)
    build_decoded(inshop / "cache", inshop, keys, PIXELS, progress)
    assert len(decoded) == len(keys)
    Image.new("RGB", (9, 9)).save(inshop / keys[0])
    changed = build_decoded(inshop / "cache", inshop, keys, PIXELS, progress)
    assert len(decoded) == 2 * len(keys)
    assert not changed.levels[0].any()


def test_photos_that_cannot_be_decoded_are_named_with_their_reason(inshop: Path) -> None:
    keys = [file.relative_to(inshop).as_posix() for file in sorted(inshop.rglob("*.png"))]
    (inshop / keys[1]).write_bytes((inshop / keys[1]).read_bytes()[:200])
    (inshop / keys[2]).write_text("hello")
    decoded = build_decoded(inshop / "cache", inshop, keys, PIXELS)
    assert list(decoded.broken) == keys[1:3]
    assert "truncated or damaged" in decoded.broken[keys[1]]
    assert "not a photo" in decoded.broken[keys[2]]
