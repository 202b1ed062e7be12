"""Dresses, skirts, trousers and shorts: what hangs from the waist."""

import numpy as np
from numpy.typing import NDArray

from lambdas.local.sample.outlines import (
    Fold,
    Garment,
    Knot,
    Panel,
    Points,
    band,
    both,
    box,
    curve,
    fold,
    loop,
    oval,
    symmetric,
)
from lambdas.local.sample.tops import Cut, collar_rib, inside, sleeve, throat, torso_of


def _hanging(
    rng: np.random.Generator,
    waist: float,
    top: float,
    hem: float,
    low: float,
    count: int,
    high: float,
) -> list[Fold]:
    """The folds of a skirt: they open downward from the waist."""
    folds = []
    for k in range(count):
        at = (k + 0.5) / count * 2 - 1 + rng.uniform(-0.06, 0.06)
        start = top + rng.uniform(0, 10)
        knots: list[Knot] = [(at * waist * 0.92, start)]
        knots += [(at * (waist + hem) / 2.1, (start + low) / 2), (at * hem * 0.96, low + 2)]
        folds.append(fold(knots, rng.uniform(2.0, 3.6) * hem / 26, high * rng.uniform(0.5, 1.0)))
        knots = [(x + 3.0 * hem / 26, y) for x, y, *_ in knots]
        folds.append(fold(knots, 2.2 * hem / 26, -high * rng.uniform(0.3, 0.7)))
    return folds


def _dress(cut: Cut, back: bool, rng: np.random.Generator) -> Garment:
    """`flared`: a bodice and a full skirt; otherwise one fall from shoulder to hem."""
    t = torso_of(cut, back)
    words = cut.trim.split()
    low = 84 + 32 * cut.length
    chest, waist = 20.3 + 4.5 * cut.ease, 14.5 + 2.5 * cut.ease
    hem = 21 + 15 * cut.flare
    strappy = cut.neck == "straps"
    panels: list[Panel] = [] if back or strappy else list(inside(t, rib=False))
    if cut.sleeve and not strappy:
        panels += both(sleeve(cut, t))
    opening: list[Knot]
    if strappy:
        deep = 28 if back else 26
        opening = [(0, deep + 1.5), (7, deep - 0.8), (10.6, deep - 5, "corner"), (13.6, 29)]
        strap = band(curve((10.4, deep - 3), (9.6, 16), (7.6, 9)), 1.7)
        panels += both([Panel(strap, "trim", lift=0.3, bulge=0.6)])
    else:
        tip = 14 + 0.2 * (t.shoulder - t.neck) + 1.6
        opening = [*throat(t, cut.neck == "v" and not back), (t.shoulder - 2, tip, "corner")]
        opening.append((chest - 2.2, 30))
    folds: list[Fold] = []
    if "flared" in words:
        y = 58.0
        skirt = symmetric(
            (0, y - 1), (waist, y - 1.6, "corner"), (waist + (hem - waist) * 0.62, y + 14),
            (hem, low, "corner"), (hem * 0.5, low + 2.6), (0, low + 3.2),
        )  # fmt: skip
        stitch = curve((-hem, low - 2.6), (0, low + 0.4), (hem, low - 2.6))
        panels.append(Panel(skirt, stitches=(stitch,)))
        top = symmetric(
            *opening, (chest, 39, "corner"), (waist + 0.6, 50), (waist, y, "corner"), (0, y + 1.2)
        )
        dart = curve((8, 44), (7, y))
        panels.append(Panel(top, seams=(dart, dart * (-1, 1))))
        folds += _hanging(rng, waist, y, hem, low, 5 + int(3 * cut.flare), 0.9)
        if "belt" in words:
            sash = band(curve((-waist - 0.4, y - 1), (0, y + 0.4), (waist + 0.4, y - 1)), 4.0)
            panels.append(Panel(sash, "second", lift=0.35))
            if not back:
                tail = band(curve((3, y), (7, y + 12), (5, y + 24)), 2.2, 3.2)
                panels += [
                    Panel(tail, "second", lift=0.35),
                    Panel(box(0.6, y - 2.4, 5, y + 2.6, 1.4), "second", lift=0.4),
                ]
    else:
        side: list[Knot] = [(chest, 40, "corner"), (waist + 2.2 + 2 * cut.flare, 58)]
        side += [(hem * 0.86 + 1.5, 76), (hem, low, "corner"), (0, low + 2)]
        stitch = curve((-hem, low - 2.4), (0, low - 0.4), (hem, low - 2.4))
        panels.append(Panel(symmetric(*opening, *side), stitches=(stitch,)))
        folds += _hanging(rng, waist, 62, hem, low, 3, 0.55)
        if "tiered" in words:
            for y, wide in ((72, hem * 0.88), (low - 14, hem * 0.97)):
                tier = symmetric(
                    (0, y),
                    (wide - 1.2, y - 1.4, "corner"),
                    (wide + 2.6, y + 15, "corner"),
                    (0, y + 17),
                )
                panels.append(Panel(tier, lift=0.35, bulge=1.2))
                folds += _hanging(rng, wide, y, wide, y + 12, 9, 0.7)
    for x in (-1.0, 1.0):
        folds.append(fold([(x * 18, 41), (x * 11, 46), (x * 6, 47)], 1.8, 0.5))
        folds.append(fold([(x * 15, 56), (x * 9, 53), (x * 4, 54)], 1.6, 0.4))
    if not strappy:
        panels.append(collar_rib(cut, t, back, 1.5))
    if "buttons" in words and not back:
        panels += [
            Panel(oval(0, y, 0.9, 0.9), "button", lift=0.5)
            for y in np.arange(16 + t.depth, low - 6, 7)
        ]
    return Garment(tuple(panels), tuple(folds), (2, 36))


def _skirt(cut: Cut, back: bool, rng: np.random.Generator) -> Garment:
    words = cut.trim.split()
    waist, top = 17.5 + 2 * cut.ease, 26.0
    low, hem = 62 + 46 * cut.length, 22 + 17 * cut.flare
    hips = waist + (hem - waist) * 0.5 + 2.5 * (1 - cut.flare)
    outline = symmetric(
        (0, top), (waist, top - 0.6, "corner"), (hips, top + 18), (hem, low, "corner"),
        (hem * 0.5, low + 2.4 * cut.flare + 0.8), (0, low + 3 * cut.flare + 1),
    )  # fmt: skip
    stitch = curve((-hem, low - 2.4), (0, low + 0.6 * cut.flare), (hem, low - 2.4))
    seams: tuple[Points, ...] = ()
    folds: list[Fold] = []
    if "pleats" in words:
        for at in np.linspace(-0.86, 0.86, 9):
            seams += (np.array([(at * waist, top + 4.0), (at * hem, low + 1.5)]),)
            knots: list[Knot] = [(at * waist + 1.0, top + 4), (at * hem + 2.0, low + 2)]
            folds.append(fold(knots, 3.4, 0.8))
    else:
        folds += _hanging(
            rng, waist, top + 8, hem, low, 3 + int(4 * cut.flare), 0.4 + 0.6 * cut.flare
        )
    panels = [Panel(outline, seams=seams, stitches=() if "pleats" in words else (stitch,))]
    panels.append(_waistband(waist, top, 5.0))
    if "buttons" in words and not back:
        line = np.array([(0.0, top - 3), (0.0, low + 2)])
        panels.append(Panel(band(line, 4), lift=0.15, bulge=0.5))
        panels += [
            Panel(oval(0, y, 1.1, 1.1), "button", lift=0.5) for y in np.arange(top - 1, low - 5, 8)
        ]
    if "pockets" in words:
        panels += both([Panel(box(7, top + 9, 17, top + 21, 1.2), lift=0.25, bulge=0.6)])
    return Garment(tuple(panels), tuple(folds), (5, 36))


def _waistband(waist: float, top: float, deep: float) -> Panel:
    knots: list[Knot] = [(0, top - deep + 0.8), (waist - 0.6, top - deep, "corner")]
    knots += [(waist + 0.4, top, "corner"), (0, top + 1.2)]
    edge = curve((-waist, top - 0.8), (0, top + 0.4), (waist, top - 0.8))
    return Panel(symmetric(*knots), "trim", lift=0.2, bulge=0.7, stitches=(edge,))


def _trousers(cut: Cut, back: bool, rng: np.random.Generator) -> Garment:
    """Jeans, chinos, joggers and shorts; `length` below 0.3 is shorts, `flare` widens the ankle."""
    words = cut.trim.split()
    waist, top, fork = 16.4 + 2.4 * cut.ease, 14.0, 43.0
    low = 46 + 66 * cut.length
    short = cut.length < 0.3
    hips = waist + 3.4 + 1.6 * cut.ease
    knee_y = fork + (low - fork) * 0.5
    ankle = 5.6 + 9 * cut.flare if not short else 9.5 + 3 * cut.flare
    knee = 7.4 + 3.2 * cut.ease + 2.2 * cut.flare
    center = 11.5 + 2.0 * cut.ease + (1.5 if not short else 0.5)
    shape: list[Knot] = [(0, top, "corner"), (waist, top - 0.8, "corner"), (hips, top + 15)]
    if not short:
        shape += [(center - 0.6 + knee, knee_y)]
    shape += [(center + ankle + (2.2 if short else 0.4), low, "corner")]
    shape += [(center - ankle + (0.4 if not short else -0.6), low + 1.0, "corner")]
    if not short:
        shape += [(center - 0.6 - knee * 0.92, knee_y)]
    shape += [(0.5, fork, "corner"), (0, fork - 2, "corner")]
    outer = curve((hips - 1.4, top + 18), (center + knee - 2, knee_y), (center + ankle - 0.8, low))
    hem = np.array([(center - ankle - 2, low - 1.6), (center + ankle + 3, low - 2.2)])
    seams: tuple[NDArray[np.float64], ...] = (outer,) if "denim" in words else ()
    if "crease" in words:
        seams += (curve((8.5, top + 8), (center - 0.6, knee_y), (center, low)),)
    leg = Panel(
        loop(*shape),
        lift=0.22,
        grain=2.5,
        seams=seams,
        stitches=() if "jogger" in words else (hem,),
    )
    panels: list[Panel] = list(both([leg]))
    if "jogger" in words:
        cuff = box(center - ankle * 0.9, low - 3.6, center + ankle * 0.94, low + 2, 0.8)
        panels += both([Panel(cuff, "trim", lift=0.2)])
    if not back:
        inside = symmetric((0, top - 4), (waist - 1, top - 5.4), (waist - 1, top - 1), (0, top + 1))
        panels.insert(0, Panel(inside, "lining", shade=0.6))
    fly = curve((0, top), (0, fork - 2))
    panels.append(Panel(band(fly, 0.5), shade=0.66, lift=0.15, bulge=0.2))
    if not back:
        curl = curve((4.2, top + 1), (4.0, top + 14), (0.4, top + 20))
        panels.append(Panel(band(curl, 0.1), lift=0, bulge=0, stitches=(curl,)))
        scoop = curve((waist - 6.5, top + 1), (waist - 4.5, top + 7), (waist + 1.2, top + 10))
        panels += both(
            [
                Panel(
                    band(scoop, 1.0),
                    shade=0.82,
                    lift=0.3,
                    bulge=0.5,
                    stitches=(np.add(scoop, (-0.9, 0.9)),),
                )
            ]
        )
    else:
        panels += both([_patch(8.8, top + 10)])
        seam = curve((0, top + 7), (waist + 1, top + 4))
        panels += both([Panel(band(seam, 0.5), shade=0.8, lift=0.1, bulge=0.2)])
    if "cargo" in words:
        y = fork + 12 if not short else fork - 4
        panels += both(
            [
                Panel(box(hips - 6.4, y, hips + 1.6, y + 13, 1), lift=0.35),
                Panel(box(hips - 6.8, y - 1, hips + 2, y + 3, 0.8), lift=0.3),
            ]
        )
    panels.append(_waistband(waist, top, 4.6))
    if "jogger" in words and not back:
        for side in (-1.0, 1.0):
            cord = curve((side * 1.6, top - 1), (side * 2.6, top + 8), (side * 2, top + 14 + side))
            panels.append(Panel(band(cord, 0.8), "label", lift=0.3))
    else:
        for x in (-11.5, -5.5, 5.5, 11.5):
            panels.append(
                Panel(box(x - 0.6, top - 4.2, x + 0.6, top + 1.2, 0.3), "trim", lift=0.25)
            )
        panels.append(Panel(oval(0, top - 1.8, 1.1, 1.1), "button", lift=0.4))
    folds = []
    for side in (-1.0, 1.0):
        for k in range(3):
            y = fork - 5 + 3.4 * k
            folds.append(
                fold(
                    [(side * 1.5, y), (side * 8, y - 1 + 2 * k), (side * 14, y - 4 + 3 * k)],
                    1.5,
                    rng.uniform(0.3, 0.6),
                )
            )
        if not short:
            for _ in range(3):
                y = rng.uniform(knee_y - 9, low - 8)
                folds.append(
                    fold(
                        [
                            (side * (center - 6), y),
                            (side * center, y + 2),
                            (side * (center + 6), y - 2),
                        ],
                        1.7,
                        rng.choice([-0.4, 0.5]),
                    )
                )
        folds.append(fold([(side * (center - 1), fork + 4), (side * center, low)], 4.0, 0.5))
    return Garment(tuple(panels), tuple(folds), (5, 24))


def _patch(x: float, y: float) -> Panel:
    outline = loop(
        (x - 5.4, y, "corner"), (x + 5.4, y, "corner"), (x + 5, y + 9, "corner"),
        (x, y + 12, "corner"), (x - 5, y + 9, "corner"),
    )  # fmt: skip
    inner = (outline - (x, y + 6)) * 0.86 + (x, y + 6)
    return Panel(outline, lift=0.25, bulge=0.6, stitches=(np.vstack([inner, inner[:1]]),))


BOTTOMS = {"dress": _dress, "skirt": _skirt, "trousers": _trousers}
