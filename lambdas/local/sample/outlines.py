"""Smooth outlines: the curves, panels and whole garments that the sample catalog is cut from.

Units: a garment lies on a sheet 100 wide and 120 high; x is 0 on its axis of symmetry, y grows
downward, and `SHEET` is that sheet.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
Knot = tuple[float, float] | tuple[float, float, str]
"""(x, y) is passed smoothly; (x, y, "corner") is turned at sharply."""

SHEET = (100.0, 120.0)
STEPS = 14  # straight pieces per span; at the catalog's sizes the eye sees a curve


@dataclass(frozen=True)
class Panel:
    """One piece of cloth (or metal, rubber, wood): what it covers, and how it lies."""

    outline: Points
    cloth: str = "main"
    grain: float = 0.0  # degrees that the fabric is turned by
    lift: float = 0.3  # darkness of the shadow it casts on the panels beneath
    bulge: float = 1.0  # how round its edges are; 0 is a print
    shade: float = 1.0
    seams: tuple[Points, ...] = ()
    stitches: tuple[Points, ...] = ()


@dataclass(frozen=True)
class Fold:
    """A crease of the cloth: a spindle along `spine`, raised by `height` (negative: a furrow)."""

    spine: Points
    width: float
    height: float


@dataclass(frozen=True)
class Garment:
    """Panels from the bottom of the pile to its top, the folds over all of them, and its detail."""

    panels: tuple[Panel, ...]
    folds: tuple[Fold, ...]
    focus: tuple[float, float]  # the center of the detail photo


def curve(*knots: Knot, closed: bool = False) -> Points:
    """The smooth line through the knots, (N, 2).

    Cubic Hermite spans whose tangents are as long as their own span: unlike Catmull-Rom's, they
    do not overshoot where a short span follows a long one.
    """
    at = np.array([knot[:2] for knot in knots], dtype=np.float64)
    corner = np.array([len(knot) == 3 for knot in knots])
    if not closed:
        corner[[0, -1]] = True
    ahead = np.roll(at, -1, axis=0) - at
    length = np.maximum(np.hypot(ahead[:, 0], ahead[:, 1]), 1e-9)[:, None]
    along = ahead / length
    through = along + np.roll(along, 1, axis=0)
    through /= np.maximum(np.hypot(through[:, 0], through[:, 1]), 1e-9)[:, None]
    leaving = np.where(corner[:, None], along, through) * length
    arriving = np.where(np.roll(corner, -1)[:, None], along, np.roll(through, -1, axis=0)) * length
    t = (np.arange(STEPS) / STEPS)[None, :, None]
    end = np.roll(at, -1, axis=0)
    spans = (
        (2 * t**3 - 3 * t**2 + 1) * at[:, None]
        + (t**3 - 2 * t**2 + t) * leaving[:, None]
        + (3 * t**2 - 2 * t**3) * end[:, None]
        + (t**3 - t**2) * arriving[:, None]
    )
    if closed:
        return np.asarray(spans.reshape(-1, 2))
    return np.vstack([spans[:-1].reshape(-1, 2), at[-1:]])


def loop(*knots: Knot) -> Points:
    return curve(*knots, closed=True)


def symmetric(*knots: Knot) -> Points:
    """The closed outline whose right half runs through the knots; knots on the axis count once."""
    left = [flipped(knot) for knot in reversed(knots) if knot[0] != 0]
    return loop(*knots, *left)


def flipped(knot: Knot) -> Knot:
    return (-knot[0], knot[1]) if len(knot) == 2 else (-knot[0], knot[1], "corner")


def oval(x: float, y: float, rx: float, ry: float) -> Points:
    turn = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    return np.stack([x + rx * np.cos(turn), y + ry * np.sin(turn)], axis=1)


def box(x0: float, y0: float, x1: float, y1: float, round_by: float = 0.0) -> Points:
    """A rectangle, its corners cut in a curve."""
    r = round_by
    if r == 0:
        return np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], dtype=np.float64)
    arcs = [(x1 - r, y0 + r, -90), (x1 - r, y1 - r, 0), (x0 + r, y1 - r, 90), (x0 + r, y0 + r, 180)]
    turn = np.radians(np.linspace(0, 90, 9))
    return np.vstack(
        [
            np.stack(
                [x + r * np.cos(turn + np.radians(a)), y + r * np.sin(turn + np.radians(a))], 1
            )
            for x, y, a in arcs
        ]
    )


def band(spine: Points, width: float, end_width: float | None = None) -> Points:
    """The outline of a ribbon along the spine, which may narrow toward its end."""
    step = np.gradient(spine, axis=0)
    normal = np.stack([-step[:, 1], step[:, 0]], axis=1)
    normal /= np.maximum(np.hypot(normal[:, 0], normal[:, 1]), 1e-9)[:, None]
    half = np.linspace(width, width if end_width is None else end_width, len(spine))[:, None] / 2
    return np.vstack([spine + normal * half, (spine - normal * half)[::-1]])


def mirror(panel: Panel) -> Panel:
    return replace(
        panel,
        outline=panel.outline * (-1, 1),
        grain=-panel.grain,
        seams=tuple(seam * (-1, 1) for seam in panel.seams),
        stitches=tuple(stitch * (-1, 1) for stitch in panel.stitches),
    )


def moved(panel: Panel, dx: float, dy: float, shade: float = 1.0) -> Panel:
    return replace(
        panel,
        outline=np.add(panel.outline, (dx, dy)),
        shade=panel.shade * shade,
        seams=tuple(np.add(seam, (dx, dy)) for seam in panel.seams),
        stitches=tuple(np.add(stitch, (dx, dy)) for stitch in panel.stitches),
    )


def both(panels: Iterable[Panel]) -> tuple[Panel, ...]:
    """The panels and their mirror images."""
    drawn = tuple(panels)
    return tuple(mirror(panel) for panel in drawn) + drawn


def fold(knots: Iterable[Knot], width: float, height: float) -> Fold:
    return Fold(curve(*knots), width, height)
