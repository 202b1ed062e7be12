"""Tops: the measures and pieces every top is made of, and how tees and knitwear are cut."""

from dataclasses import dataclass

import numpy as np

from lambdas.local.sample.motifs import motif
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

NECKS = {  # half width, depth
    "crew": (8.2, 6.0),
    "scoop": (11.0, 12.0),
    "v": (8.6, 17.0),
    "boat": (14.0, 3.6),
    "high": (7.4, 3.0),
    "straps": (12.0, 13.0),
}


@dataclass(frozen=True)
class Cut:
    """What tells one garment's shape from another of its kind; the numbers run from 0 to 1."""

    kind: str
    length: float = 0.5
    ease: float = 0.5
    sleeve: float = 0.15
    flare: float = 0.2
    neck: str = "crew"
    trim: str = ""  # words: pocket, print sun, zip, belt, ...


@dataclass(frozen=True)
class _Torso:
    """The measures that collars, sleeves and plackets are fitted to."""

    neck: float
    depth: float
    shoulder: float
    hem: float
    bottom: float


def torso_of(cut: Cut, back: bool) -> _Torso:
    neck, depth = NECKS[cut.neck]
    shoulder = 20.5 + 4.5 * cut.ease
    if cut.neck == "straps":
        shoulder = neck + 3.4
    return _Torso(
        neck=neck,
        depth=(1.6 if cut.neck != "straps" else 9.0) if back else depth,
        shoulder=shoulder,
        hem=20.0 + 4.5 * cut.ease + 9 * cut.flare,
        bottom=72 + 40 * cut.length,
    )


def throat(t: _Torso, v: bool) -> list[Knot]:
    """The neckline, from the center to the right shoulder."""
    if v:
        return [(0, 14 + t.depth, "corner"), (t.neck, 14, "corner")]
    return [(0, 14 + t.depth), (t.neck * 0.76, 14 + t.depth * 0.66), (t.neck, 14, "corner")]


def body_outline(cut: Cut, t: _Torso, back: bool, nipped: float = 0.0) -> Points:
    """The torso's outline; `nipped` takes the waist in."""
    under = 20.3 + 4.5 * cut.ease
    tip = 14 + 0.2 * (t.shoulder - t.neck) + 1.6
    return symmetric(
        *throat(t, cut.neck == "v" and not back),
        (t.shoulder, tip, "corner"),
        (min(t.shoulder, under) - 2.2, 30),
        (under, 42, "corner"),
        (under - 0.6 - nipped + (t.hem - under) * 0.35, 42 + (t.bottom - 42) * 0.45),
        (t.hem, t.bottom, "corner"),
        (0, t.bottom + 1.4),
    )


def inside(t: _Torso, rib: bool = True) -> tuple[Panel, ...]:
    """What the neck opening shows: the back's inside, its collar and a label."""
    dark = Panel(
        symmetric((0, 12.8), (t.neck * 0.8, 12.8), (t.neck + 0.4, 14.6), (0, 16 + t.depth)),
        "lining", shade=0.62, lift=0,
    )  # fmt: skip
    label = Panel(box(-2.4, 16.2, 2.4, 18.6), "label", lift=0.1, bulge=0.2, shade=0.92)
    if not rib:
        return dark, label
    back = curve((-t.neck, 13.4), (0, 14.8), (t.neck, 13.4))
    return dark, label, Panel(band(back, 2.3), "trim", shade=0.8)


def collar_rib(cut: Cut, t: _Torso, back: bool, width: float = 2.3) -> Panel:
    right = throat(t, cut.neck == "v" and not back)
    left: list[Knot] = [(-k[0], k[1]) for k in reversed(right[1:])]
    return Panel(band(curve(*left, *right), width), "trim", lift=0.12, bulge=0.7)


def sleeve(cut: Cut, t: _Torso, cuff: float = 0.0) -> tuple[Panel, ...]:
    """The right sleeve, its end finished by a cuff of a length or, without one, by a hem stitch."""
    s, tip = cut.sleeve, 14 + 0.2 * (t.shoulder - t.neck) + 1.6
    under = 20.3 + 4.5 * cut.ease
    top, start = np.array([t.shoulder - 1, tip - 0.3]), np.array([under - 2, 30.0])
    end = np.array([under + 13.5 - 1.5 * s, 33 + 52 * s])
    along = (end - start) / np.hypot(*(end - start))
    out = np.array([along[1], -along[0]])
    wide = (8.6 - 4.4 * s) * (0.86 + 0.28 * cut.ease)
    middle = (start + end) / 2
    knots: list[Knot] = [
        (top[0], top[1], "corner"),
        (t.shoulder + 3.6, tip + 3.2),
        tuple(middle + out * (wide + 3.0 * s + 0.8)),
        (*(end + out * wide), "corner"),
        (*(end - out * wide), "corner"),
        tuple(middle - out * (wide + 1.9 * s + 0.2)),
        (under - 0.8, 43.2, "corner"),
        (under - 6, 34, "corner"),
    ]
    grain = float(np.degrees(np.arctan2(along[0], along[1])))

    def across(at: float, reach: float = 1.0) -> Points:
        point = end - along * at
        return np.array([point - out * wide * reach * 1.2, point + out * wide * reach * 1.2])

    if not cuff:
        return (Panel(loop(*knots), grain=grain, lift=0.2, stitches=(across(1.6), across(2.3))),)
    near, far = end - along * cuff, end + along * 0.6
    ends = [near + out * wide * 1.08, far + out * wide * 0.86]
    ends += [far - out * wide * 0.86, near - out * wide * 1.08]
    return (
        Panel(loop(*knots), grain=grain, lift=0.2),
        Panel(np.array(ends), "trim", grain=grain, lift=0.2),
    )


def hem_band(t: _Torso, deep: float = 5.5) -> Panel:
    top = t.bottom - deep
    knots: list[Knot] = [(0, top + 1.2), (t.hem + 0.2, top, "corner")]
    knots += [(t.hem - 1.6, t.bottom + 0.8, "corner"), (0, t.bottom + 2.2)]
    return Panel(symmetric(*knots), "trim", lift=0.2)


def _hem_stitch(t: _Torso) -> tuple[Points, ...]:
    return tuple(
        curve((-t.hem - 1, t.bottom - d), (0, t.bottom - d + 1.4), (t.hem + 1, t.bottom - d))
        for d in (1.7, 2.5)
    )


def drape(rng: np.random.Generator, t: _Torso, sleeve: float, soft: float = 1.0) -> list[Fold]:
    """The creases of a hanging top: from the armpits, down to the hem, and around the elbows."""
    folds = []
    for side in (-1.0, 1.0):
        x = side * (t.hem - 2)
        for _ in range(2):
            reach, drop = rng.uniform(8, 17), rng.uniform(8, 20)
            knots: list[Knot] = [(side * 21, 42 + rng.uniform(-1, 3))]
            knots += [
                (side * (21 - reach * 0.5), 42 + drop * 0.62),
                (side * (21 - reach), 42 + drop),
            ]
            folds.append(fold(knots, rng.uniform(1.4, 2.6), soft * rng.uniform(0.35, 0.7)))
        low = t.bottom - rng.uniform(14, 26)
        lines: list[Knot] = [(x * rng.uniform(0.35, 0.8), low), (x * 0.75, t.bottom - 8)]
        lines.append((x * rng.uniform(0.6, 0.95), t.bottom + 1))
        folds.append(fold(lines, rng.uniform(2.0, 3.6), soft * rng.uniform(0.3, 0.6)))
        if sleeve > 0.35:
            elbow = 30 + 30 * sleeve
            for k in range(4):
                y = elbow - 8 + 5 * k + rng.uniform(-1.5, 1.5)
                across: list[Knot] = [(side * (t.shoulder + 1 + k), y + 4)]
                across.append((side * (t.shoulder + 10 + k), y + rng.uniform(-2, 2)))
                folds.append(fold(across, rng.uniform(1.2, 2.0), soft * rng.choice([0.5, -0.4])))
    for _ in range(3):
        x, y = rng.uniform(-13, 13), rng.uniform(48, t.bottom - 14)
        sway: list[Knot] = [
            (x, y),
            (x + rng.uniform(-3, 3), y + 9),
            (x + rng.uniform(-4, 4), y + 17),
        ]
        folds.append(fold(sway, rng.uniform(2.2, 4.0), soft * rng.uniform(-0.4, 0.45)))
    return folds


def pocket(x: float, y: float, wide: float, deep: float, flap: bool = False) -> list[Panel]:
    outline = loop(
        (x - wide / 2, y, "corner"), (x + wide / 2, y, "corner"),
        (x + wide / 2, y + deep * 0.8, "corner"), (x, y + deep, "corner"),
        (x - wide / 2, y + deep * 0.8, "corner"),
    )  # fmt: skip
    inner = (outline - (x, y + deep / 2)) * 0.86 + (x, y + deep / 2)
    panels = [Panel(outline, lift=0.22, bulge=0.5, stitches=(np.vstack([inner, inner[:1]]),))]
    if flap:
        lid = box(x - wide / 2 - 0.3, y - 1, x + wide / 2 + 0.3, y + 3.2, 0.8)
        panels += [Panel(lid, lift=0.3, bulge=0.6), Panel(oval(x, y + 1.6, 0.6, 0.6), "button")]
    return panels


def buttons(x: float, top: float, bottom: float, count: int, size: float = 0.85) -> list[Panel]:
    return [
        Panel(oval(x, y, size, size), "button", lift=0.5) for y in np.linspace(top, bottom, count)
    ]


def _tee(cut: Cut, back: bool, rng: np.random.Generator) -> Garment:
    t = torso_of(cut, back)
    bare = cut.sleeve == 0
    panels: list[Panel] = [] if back else list(inside(t))
    if not bare:
        panels += both(sleeve(cut, t))
    panels.append(Panel(body_outline(cut, t, back), stitches=_hem_stitch(t)))
    panels.append(collar_rib(cut, t, back))
    words = cut.trim.split()
    if not back:
        panels += motif(words[-1] if "print" in words else "")
        if "pocket" in words:
            panels += pocket(10.5, 33, 10, 11)
    return Garment(
        tuple(panels), tuple(drape(rng, t, cut.sleeve)), (5, 31) if not back else (0, 30)
    )


def _knit(cut: Cut, back: bool, rng: np.random.Generator) -> Garment:
    """Sweaters, sweatshirts, hoodies and cardigans: ribbed at the neck, the cuffs and the hem."""
    t = torso_of(cut, back)
    words = cut.trim.split()
    panels: list[Panel] = []
    hood = "hood" in words
    if hood and not back:
        panels.append(Panel(symmetric((0, 1.5), (9, 3.2), (13.5, 12), (11, 21), (0, 24)), lift=0.2))
        hole = symmetric((0, 5.2), (6.4, 7.2), (8.6, 13.5), (6.6, 20), (0, 23.5))
        panels.append(Panel(hole, "lining", shade=0.5, lift=0, bulge=1.6))
    elif not back:
        panels += inside(t)
    panels += both(sleeve(cut, t, cuff=6.5))
    body = Panel(body_outline(cut, t, back))
    panels += [body, hem_band(t, 6.5)]
    if cut.neck == "high":
        roll = symmetric((0, 6.6), (6.6, 6.4), (8.2, 8.6), (8.8, 15.4), (0, 18))
        panels.append(Panel(roll, "trim", lift=0.35, bulge=1.3))
    elif not hood or back:
        panels.append(collar_rib(cut, t, back, 3.4))
    if hood and back:
        fall = symmetric((0, 9), (10, 10), (14.5, 17), (9, 30), (0, 36))
        panels.append(Panel(fall, lift=0.45, bulge=1.4, seams=(curve((0, 9), (0, 36)),)))
    if hood and not back:
        for side in (-1, 1):
            lapel = loop((side * 10.5, 8), (side * 12.4, 15), (0, 30, "corner"), (side * 6.5, 19))
            panels.append(Panel(lapel, lift=0.3))
            cord = curve((side * 3.4, 24.5), (side * 4.2, 34), (side * 3.6, 43 + 2 * side))
            panels += [Panel(band(cord, 0.9), "print", lift=0.3)]
            panels += [Panel(oval(side * 3.4, 24.5, 0.8, 0.8), "button", lift=0.1)]
        y = t.bottom - 8
        pouch = symmetric(
            (0, y - 19), (9.5, y - 19, "corner"), (16, y - 7), (16.4, y + 1.5, "corner"), (0, y + 2)
        )
        slit = curve((9, y - 18), (15, y - 6.4))
        panels.append(Panel(pouch, lift=0.25, stitches=(slit, slit * (-1, 1))))
    if "open" in words and not back:
        x = 1.6
        seam = np.array([(0.0, 14 + t.depth), (0.0, t.bottom + 2)])
        panels.append(Panel(band(seam, 4.2), "trim", lift=0.2, bulge=0.6))
        panels += buttons(x - 1.6, 17 + t.depth, t.bottom - 3, 6, 1.15)
    if "zip" in words and not back:
        seam = np.array([(0.0, 24.0), (0.0, t.bottom + 2)])
        panels += [Panel(band(seam, 2.6), "second", lift=0.1), Panel(band(seam, 0.9), "hardware")]
    if "print" in words and not back:
        panels += motif(words[-1])
    return Garment(tuple(panels), tuple(drape(rng, t, cut.sleeve, 1.25)), (3, 28))


TOPS = {"tee": _tee, "knit": _knit}
