"""Accessories: bags and hats."""

import numpy as np

from lambdas.local.sample.outlines import (
    Fold,
    Garment,
    Knot,
    Panel,
    band,
    both,
    box,
    curve,
    fold,
    oval,
    symmetric,
)
from lambdas.local.sample.tops import Cut


def _tote(cut: Cut, back: bool, rng: np.random.Generator) -> Garment:
    words = cut.trim.split()
    wide, low = 24 + 8 * cut.ease, 88 + 16 * cut.length
    reach = 12 + 20 * cut.flare
    top = 50.0

    def handle(rise: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
        return curve(
            (-13, top + 10),
            (-12.4, top - reach * 0.7),
            (0, top - reach - rise),
            (12.4, top - reach * 0.7),
            (13, top + 10),
        )

    bag = symmetric(
        (0, top + 0.6),
        (wide, top, "corner"),
        (wide + 0.8 - 3 * cut.flare, low - 4),
        (wide - 3, low, "corner"),
        (0, low + 1),
    )
    panels = [
        Panel(band(handle(3), 3.2), "second", shade=0.8, lift=0.2),
        Panel(
            symmetric(
                (0, top - 2.4),
                (wide - 2, top - 2, "corner"),
                (wide, top + 1, "corner"),
                (0, top + 3),
            ),
            "lining",
            shade=0.6,
        ),
        Panel(bag, bulge=1.3, stitches=(curve((-wide, top + 4), (0, top + 4.6), (wide, top + 4)),)),
    ]
    if "base" in words:
        base = symmetric(
            (0, low - 13),
            (wide + 0.2, low - 13.6, "corner"),
            (wide - 1, low - 4),
            (wide - 3, low, "corner"),
            (0, low + 1),
        )
        panels.append(Panel(base, "second", lift=0.15))
    front = handle(0)
    panels.append(Panel(band(front, 3.2), "second", lift=0.4))
    for x in (-13, 13):
        panels.append(
            Panel(
                box(x - 2.6, top + 6, x + 2.6, top + 13, 0.5),
                "second",
                lift=0.3,
                stitches=(box(x - 1.7, top + 7, x + 1.7, top + 12),),
            )
        )
    if "print" in words and not back:
        panels += [
            Panel(oval(0, top + 25, 10, 10), "print", lift=0, bulge=0),
            Panel(oval(3.4, top + 22, 8, 8), "main", lift=0, bulge=0),
        ]
    if "pocket" in words and not back:
        panels.append(
            Panel(
                box(-12, top + 16, 12, low - 6, 2),
                lift=0.3,
                stitches=(box(-10.8, top + 17.4, 10.8, low - 7.2),),
            )
        )
    folds = [
        fold(
            [(x, top + 6), (x + rng.uniform(-3, 3), (top + low) / 2), (x * 0.9, low - 3)],
            4,
            rng.uniform(-0.35, 0.4),
        )
        for x in (-20, -7, 6, 19)
    ]
    return Garment(tuple(panels), tuple(folds), (8, 62))


def _handbag(cut: Cut, back: bool, rng: np.random.Generator) -> Garment:
    """A structured bag with a flap and a strap."""
    words = cut.trim.split()
    wide, low, top = 25 + 9 * cut.ease, 86 + 12 * cut.length, 56.0
    rise = 8 + 26 * cut.flare
    strap = curve(
        (-wide + 3, top + 4),
        (-wide * 0.72, top - rise * 0.75),
        (0, top - rise - 4),
        (wide * 0.72, top - rise * 0.75),
        (wide - 3, top + 4),
    )
    round_by = 5.0 if "round" in words else 1.5
    body = symmetric(
        (0, top),
        (wide - 2, top + 0.6),
        (wide + 0.6, low - 6),
        (wide - round_by, low, "corner"),
        (0, low + 0.8),
    )
    panels = [
        Panel(band(strap, 2.4), "second", lift=0.35),
        Panel(
            body,
            bulge=1.7,
            stitches=(curve((-wide + 2, low - 2.2), (0, low - 1.2), (wide - 2, low - 2.2)),),
        ),
    ]
    for x in (-wide + 3, wide - 3):
        panels += [
            Panel(oval(x, top + 3.4, 2.3, 2.3), "hardware", lift=0.4),
            Panel(oval(x, top + 3.4, 1.2, 1.2), lift=0),
        ]
    if back:
        panels.append(
            Panel(
                band(curve((-wide + 6, top + 12), (0, top + 12.6), (wide - 6, top + 12)), 1.0),
                shade=0.7,
                lift=0.2,
            )
        )
        return Garment(tuple(panels), (), (8, 66))
    drop = top + (low - top) * (0.66 if "deep" in words else 0.48)
    lid = symmetric(
        (0, top - 1.4),
        (wide - 3, top - 1, "corner"),
        (wide, top + 6),
        (wide - 1, drop - 5),
        (wide * 0.6, drop),
        (0, drop + 2.4),
    )
    edge = curve(
        (-wide + 2, top + 6),
        (-wide + 2.8, drop - 6),
        (-wide * 0.58, drop - 2),
        (0, drop + 0.6),
        (wide * 0.58, drop - 2),
        (wide - 2.8, drop - 6),
        (wide - 2, top + 6),
    )
    panels.append(Panel(lid, lift=0.45, bulge=1.3, stitches=(edge,)))
    if "tassel" in words:
        tail = band(curve((0, drop), (0.4, drop + 8), (0, drop + 17)), 2.4, 5.0)
        panels.append(Panel(tail, "second", lift=0.4))
    panels += [
        Panel(box(-3.4, drop - 2.4, 3.4, drop + 2.6, 1.0), "hardware", lift=0.45),
        Panel(box(-1.6, drop - 1, 1.6, drop + 1.2, 0.4), "second", lift=0),
    ]
    return Garment(tuple(panels), (), (4, drop - 6))


def _cap(cut: Cut, back: bool, rng: np.random.Generator) -> Garment:
    words = cut.trim.split()
    wide, top, y = 27.0, 40.0 - 4 * cut.length, 74.0
    crown = symmetric(
        (0, top),
        (14, top + 3),
        (23.5, top + 14),
        (wide, y - 2, "corner"),
        (14, y + 1.6),
        (0, y + 2.6),
    )
    seam = curve((0.2, top), (9.5, top + 12), (12.4, y))
    panels = [
        Panel(crown, bulge=2.0, seams=(seam, seam * (-1, 1), np.array([(0.0, top), (0.0, y + 2)])))
    ]
    panels += [Panel(oval(0, top, 2.2, 1.3), "second", lift=0.3)]
    panels += both([Panel(oval(13, top + 12, 0.9, 0.9), "second", lift=0, shade=0.8)])
    if back:
        hole = symmetric((0, y - 15), (9, y - 10), (11, y + 3, "corner"), (0, y + 3.5))
        strap = band(curve((-12, y), (0, y + 1), (12, y)), 4.2)
        panels += [
            Panel(hole, "lining", shade=0.5, lift=0),
            Panel(strap, "second", lift=0.35),
            Panel(box(-1.8, y - 1.8, 1.8, y + 3.4, 0.6), "hardware", lift=0.4),
        ]
        return Garment(tuple(panels), (), (6, 66))
    peak = symmetric(
        (0, y - 4.6),
        (13, y - 4),
        (21.5, y - 0.6, "corner"),
        (24, y + 7),
        (13, y + 12),
        (0, y + 13.4),
    )
    rows = tuple(
        curve((-21 + k, y + 3 + 2 * k), (0, y + 1.6 + 2.4 * k), (21 - k, y + 3 + 2 * k))
        for k in range(3)
    )
    panels.append(
        Panel(
            peak, "second" if "contrast" in words else "main", lift=0.45, bulge=1.4, stitches=rows
        )
    )
    if "badge" in words:
        panels += [
            Panel(box(-7, 53, 7, 63, 2), "print", lift=0.25, bulge=0.6),
            Panel(oval(0, 58, 2.6, 2.6), "main", lift=0, bulge=0),
        ]
    elif "letter" in words:
        mark = curve((-5, 64), (-5, 53), (0, 59), (5, 53), (5, 64))
        panels.append(Panel(band(mark, 2.4), "print", lift=0.2, bulge=0.6))
    return Garment(tuple(panels), (), (3, 63))


def _beanie(cut: Cut, back: bool, rng: np.random.Generator) -> Garment:
    words = cut.trim.split()
    wide, top, y = 24.5 + 2 * cut.ease, 38.0 - 9 * cut.length, 76.0
    crown = symmetric((0, top), (12, top + 2.6), (22, top + 15), (wide, y, "corner"), (0, y + 1))
    cuff = symmetric(
        (0, y - 6),
        (wide + 0.6, y - 7, "corner"),
        (wide + 1.6, y + 4),
        (wide + 0.4, y + 9.4, "corner"),
        (0, y + 11),
    )
    panels = [Panel(crown, bulge=2.0), Panel(cuff, "trim", lift=0.4, bulge=1.6)]
    if "pom" in words:
        turn = np.linspace(0, 2 * np.pi, 90, endpoint=False)
        reach = 8.6 + rng.uniform(-0.8, 0.8, 90)
        ball = np.stack([reach * np.cos(turn), top - 4 + reach * np.sin(turn)], axis=1)
        panels.insert(0, Panel(ball, "second", bulge=2.4))
    if not back:
        panels.append(Panel(box(-5, y - 1, 5, y + 5.4, 0.6), "print", lift=0.3, bulge=0.5))
    folds: list[Fold] = []
    for x in (-14, -5, 5, 14):
        knots: list[Knot] = [(x * 0.35, top + 4), (x * 0.85, top + 18), (x, y - 8)]
        folds.append(fold(knots, 2.6, 0.5))
    return Garment(tuple(panels), tuple(folds), (3, 66))


ACCESSORIES = {"tote": _tote, "handbag": _handbag, "cap": _cap, "beanie": _beanie}
