"""Tailored tops: how shirts, jackets and coats are cut, from the front and from the back."""

import numpy as np

from lambdas.local.sample.outlines import Garment, Panel, band, both, box, curve, loop, symmetric
from lambdas.local.sample.tops import (
    Cut,
    body_outline,
    buttons,
    collar_rib,
    drape,
    hem_band,
    inside,
    pocket,
    sleeve,
    throat,
    torso_of,
)


def _shirt(cut: Cut, back: bool, rng: np.random.Generator) -> Garment:
    """Shirts, polos and overshirts: collar, placket, and a curved hem."""
    t = torso_of(cut, back)
    words = cut.trim.split()
    panels: list[Panel] = [] if back else list(inside(t, rib=False))
    panels += both(sleeve(cut, t, cuff=6.0 if cut.sleeve > 0.6 else 2.2))
    under = 20.3 + 4.5 * cut.ease
    low = t.bottom
    outline = symmetric(
        *throat(t, False), (t.shoulder, 19.5, "corner"), (under - 2.2, 30), (under, 42, "corner"),
        (under - 0.4, 60), (t.hem - 0.5, low - 8, "corner"), (t.hem * 0.72, low - 2), (0, low + 3),
    )  # fmt: skip
    yoke = curve((-under, 27), (0, 26), (under, 27))
    panels.append(Panel(outline, seams=(yoke,) if back else ()))
    focus = (0.0, 29.0)
    if back:
        pleat = np.array([(0.0, 26.2), (0.0, low)])
        panels[-1] = Panel(outline, seams=(yoke, np.add(pleat, (1.4, 0)), np.add(pleat, (-1.4, 0))))
        panels.append(
            Panel(symmetric((0, 9.6), (7, 9.8), (9.4, 15.5, "corner"), (0, 18.4)), "trim", lift=0.3)
        )
        return Garment(tuple(panels), tuple(drape(rng, t, cut.sleeve)), focus)
    end = 38.0 if "polo" in words else low + 3.4
    strip = symmetric((0, 19), (1.9, 18.6, "corner"), (1.9, end, "corner"), (0, end + 0.4))
    edge = np.array([(1.4, 19.0), (1.4, end)])
    panels.append(Panel(strip, "trim", lift=0.18, bulge=0.5, stitches=(edge, edge * (-1, 1))))
    panels += buttons(0, 22.5, end - (3 if "polo" in words else 8), 3 if "polo" in words else 7)
    if "pocket" in words:
        panels += pocket(11.5, 36, 10.5, 12, flap="flap" in words)
    if "pockets" in words:
        panels += both(pocket(11.5, 36, 10.5, 12, flap=True))
    stand = symmetric((0, 11.4), (6.5, 10.6), (8.4, 14, "corner"), (4, 19.2), (0, 20.2))
    panels.insert(2, Panel(stand, "lining", shade=0.74, lift=0.1))
    wing = loop(
        (7.2, 9.8, "corner"),
        (9.6, 15.4),
        (9.4, 24.5, "corner"),
        (3.6, 21.6),
        (0.3, 19.6, "corner"),
        (4.6, 15.6),
    )
    stitch = curve((8.6, 16), (8.4, 23), (4, 20.4), (1, 19))
    panels += both([Panel(wing, "trim", lift=0.4, stitches=(stitch,))])
    return Garment(tuple(panels), tuple(drape(rng, t, cut.sleeve)), focus)


def _coat(cut: Cut, back: bool, rng: np.random.Generator) -> Garment:
    """Jackets and coats: lapels or a stand collar, pockets, buttons or a zip."""
    t = torso_of(cut, back)
    words = cut.trim.split()
    panels: list[Panel] = [] if back else list(inside(t, rib=False))
    panels += both(sleeve(cut, t, cuff=6.0 if "bomber" in words else 0))
    princess = curve((13, 30), (11.5, 56), (14, t.bottom))
    body = Panel(
        body_outline(cut, t, back),
        seams=(princess, princess * (-1, 1)) if "denim" in words or back else (),
    )
    panels.append(body)
    line = np.array([(0.0, 18.0), (0.0, t.bottom + 1.4)])
    if "bomber" in words:
        panels.append(hem_band(t, 6))
    if not back:
        if "zip" in words:
            panels += [
                Panel(band(line, 2.6), "second", lift=0.15),
                Panel(band(line, 0.8), "hardware"),
            ]
            panels += [Panel(box(-0.7, 21, 0.7, 25, 0.6), "hardware", lift=0.4)]
        elif "lapels" not in words:
            panels.append(
                Panel(
                    band(line, 4.0),
                    "main",
                    lift=0.2,
                    stitches=(np.add(line, (1.5, 0)), np.add(line, (-1.5, 0))),
                )
            )
            panels += buttons(0, 24, t.bottom - 6, 6, 1.05)
        y = t.bottom - 25 + 6 * (1 - cut.length)
        slant = band(np.array([(13.0, y + 9), (17.0, y)]), 2.0)
        welt = slant if "lapels" not in words else box(9, y, 19, y + 3.6, 0.6)
        panels += both([Panel(welt, lift=0.3, bulge=0.8)])
        if "denim" in words:
            panels += both(pocket(11.5, 36, 10, 11, flap=True))
    if "lapels" in words and not back:
        drop = 52.0
        edge = Panel(np.array([(0.9, drop), (0.9, t.bottom + 1.4)]) @ np.eye(2), lift=0)
        panels.append(Panel(band(edge.outline, 0.5), shade=0.6, lift=0.3, bulge=0.2))
        shirt = symmetric((0, 15), (6.4, 13.6, "corner"), (0, drop, "corner"))
        panels.append(Panel(shirt, "lining", shade=0.6, lift=0, bulge=1.4))
        lapel = loop(
            (7.6, 12, "corner"),
            (14.6, 25, "corner"),
            (13, 27.4, "corner"),
            (15.6, 29, "corner"),
            (9, 42),
            (0.6, drop + 1, "corner"),
            (3.4, 36),
        )
        notch = np.array([(14.0, 26.4), (6.6, 21.0)])
        panels += both([Panel(lapel, lift=0.45, seams=(notch,))])
        pairs = (3.6, -3.6) if "double" in words else (0.0,)
        for x in pairs:
            panels += buttons(
                x,
                drop + 3,
                drop + (3 if cut.length < 0.3 else 24),
                1 + (cut.length > 0.1) + (cut.length > 0.5),
                1.35,
            )
    elif "bomber" in words:
        panels.append(collar_rib(cut, t, back, 4.6))
    elif "hood" in words:
        shape = (
            ((0, 3), (10, 5), (13.6, 13), (11, 20), (0, 25))
            if not back
            else ((0, 5), (11, 8), (14, 17), (8, 28), (0, 32))
        )
        panels.append(Panel(symmetric(*shape), lift=0.4, bulge=1.5))
        if not back:
            hole = symmetric((0, 7), (6, 8.6), (7.8, 13.5), (5, 20), (0, 23))
            panels.append(Panel(hole, "lining", shade=0.6, lift=0, bulge=1.5))
    else:
        tall = symmetric((0, 9.6), (7, 9.8), (9.6, 16, "corner"), (0, 18.8))
        wing = loop(
            (7, 9.4, "corner"),
            (11, 17),
            (10.6, 24, "corner"),
            (4, 22),
            (0.2, 19, "corner"),
            (4.6, 15),
        )
        panels += [Panel(tall, "trim", lift=0.3)] if back else both([Panel(wing, "trim", lift=0.4)])
    if "belt" in words:
        y = 58.0
        wide = 20.3 + 4.5 * cut.ease + 2
        panels.append(Panel(band(curve((-wide, y), (0, y + 1.2), (wide, y)), 4.4), lift=0.4))
        if not back:
            panels.append(Panel(box(-3, y - 1.6, 3, y + 4, 0.8), "hardware", lift=0.4))
            panels.append(Panel(box(-1.9, y - 0.6, 1.9, y + 3, 0.4), lift=0, bulge=0.4))
    return Garment(tuple(panels), tuple(drape(rng, t, cut.sleeve, 1.2)), (4, 30))


TAILORED = {"shirt": _shirt, "coat": _coat}
