"""Shoes: a pair of sneakers, seen from its outer and its inner side."""

from dataclasses import replace

import numpy as np

from lambdas.local.sample.outlines import Garment, Panel, band, curve, loop, moved, oval
from lambdas.local.sample.tops import Cut


def _shoe(cut: Cut, plain: bool) -> list[Panel]:
    """One shoe in profile, its toe to the right."""
    words = cut.trim.split()
    high = 20 * cut.length
    thick = 5 + 4 * cut.ease
    y = 78.0
    top = 56 - high
    upper = loop(
        (-37, y, "corner"), (-37.5, 66), (-35, top + 1, "corner"), (-27, top - 2.5),
        (-13, top + 2.5, "corner"), (-8, top + 7 + high * 0.5), (5, 62), (18, 64.6),
        (31, 66.5), (38.4, 71.5), (39.5, y, "corner"),
    )  # fmt: skip
    mouth = loop((-34, top + 1.2), (-26, top - 1.6), (-14.5, top + 2.4), (-24, top + 2.4))
    tongue = loop((-20, top + 3), (-15, top - 5), (-8.5, top - 3.6), (-3, 64), (-10, 66))
    panels = [
        Panel(tongue, "trim", lift=0.3),
        Panel(upper, lift=0.2, bulge=1.6),
        Panel(mouth, "lining", shade=0.6, lift=0, bulge=1.2),
    ]
    toe = loop(
        (20, 64.8, "corner"),
        (26.5, 70),
        (24, y, "corner"),
        (39.5, y, "corner"),
        (38.4, 71.5),
        (31, 66.3),
    )
    heel = loop(
        (-37, y, "corner"), (-37.5, 66), (-36, top + 8, "corner"), (-27, 66), (-24, y, "corner")
    )
    if "toe" in words:
        panels.append(Panel(toe, "sole", lift=0.2, bulge=1.4))
    elif "overlay" in words:
        panels.append(
            Panel(toe, "second", lift=0.2, stitches=(curve((21, 66.4), (27.4, 70.6), (25, y)),))
        )
    panels.append(
        Panel(heel, "second", lift=0.2, stitches=(curve((-35, top + 10), (-26, 67), (-23, y)),))
    )
    facing = loop(
        (-14.5, top + 3.4, "corner"),
        (-8.4, top + 8 + high * 0.5),
        (8, 62.6, "corner"),
        (4.4, 67.5),
        (-11, 65),
        (-18, top + 8, "corner"),
    )
    panels.append(Panel(facing, "trim" if "toe" in words else "second", lift=0.25, bulge=0.8))
    steps = 4 + round(high / 7)
    for at in np.linspace(0, 1, steps):
        x, up = -14 + 18 * at, top + 5 + (59.5 - top) * at**0.9
        lace = curve((x - 2.6, up + 3.6), (x + 0.6, up + 0.2), (x + 3.6, up - 2.8))
        panels += [Panel(band(lace, 1.9), "lace", lift=0.45, bulge=1.0)]
    if not plain:
        if "swoosh" in words:
            mark = loop((-22, 70, "corner"), (-8, 75.5), (17, 68.6, "corner"), (-8, 71.8))
            panels.append(Panel(mark, "print", lift=0.15, bulge=0.5))
        if "bars" in words:
            for k in range(3):
                line = np.array([(-4.0 - 5 * k, 66.5 - k), (-9.0 - 5 * k, y)])
                panels.append(Panel(band(line, 2.3), "print", lift=0.1, bulge=0.4))
        if "patch" in words:
            panels += [Panel(oval(-24, top + 16, 4.6, 4.6), "print", lift=0.2)]
    sole = loop(
        (-39, y - 2, "corner"), (-39.5, y + thick * 0.6), (-36, y + thick, "corner"),
        (0, y + thick), (32, y + thick, "corner"), (40, y + thick * 0.5),
        (40.6, y - 2.4, "corner"), (0, y - 1),
    )  # fmt: skip
    line = curve((-39, y + thick * 0.55), (0, y + thick * 0.5), (40, y + thick * 0.4))
    panels.append(Panel(sole, "sole", lift=0.3, bulge=1.4, seams=(line,)))
    tread = loop(
        (-36, y + thick - 1.3, "corner"),
        (30, y + thick - 1.3, "corner"),
        (28, y + thick + 0.8, "corner"),
        (-34, y + thick + 0.8, "corner"),
    )
    panels.append(Panel(tread, "rubber", lift=0.1))
    return panels


def _sneakers(cut: Cut, back: bool, rng: np.random.Generator) -> Garment:
    """A pair: one in profile before the other. From the back it is the inner side that shows."""
    one = _shoe(cut, plain=back)
    pair = [moved(panel, 7, -13, 0.9) for panel in one] + [moved(panel, -4, 4) for panel in one]
    if back:
        pair = [
            replace(
                p,
                outline=p.outline * (-1, 1),
                seams=tuple(s * (-1, 1) for s in p.seams),
                stitches=tuple(s * (-1, 1) for s in p.stitches),
            )
            for p in pair
        ]
    return Garment(tuple(pair), (), (-14, 70) if not back else (14, 70))


SHOES = {"sneakers": _sneakers}
