"""Worn garments: boxes and masks of a catalog's photos, by their white backdrop, the pose of who
wears the garment, and the color of skin."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from training.garment.labels import PLACES, Box, Place

Mask = NDArray[np.bool_]

# Of the darkest channel: shadows that a backdrop keeps are lighter than nearly every garment. What
# shows between legs is hardly ever shaded.
_BACKDROP, _BETWEEN = 236, 251
_SMALLEST_GAP = 0.004  # share of the photo
_CLOSE_UP = 0.62  # share of the photo that is not backdrop, from which it is no whole garment

# Points of the pose, by MediaPipe's numbers.
_SHOULDERS, _HIPS, _ANKLES = [11, 12], [23, 24], [27, 28]


@dataclass(frozen=True)
class Worn:
    """What is known about a catalog's photo.

    garment: (H, W), the main garment, or None. cut_out: (H, W), all that is not backdrop; None for
    a close-up. places: each garment's place and its box in pixels, the main one first. unsure:
    places that may be in the photo and have no box.
    """

    garment: Mask | None
    cut_out: Mask | None
    places: tuple[tuple[Place, Box], ...]
    unsure: frozenset[Place]


@dataclass(frozen=True)
class _Pose:
    """Heights in pixels; a part is only believed where it is visible, 0 to 1."""

    shoulders: float
    hips: float
    ankles: float
    shoulders_visible: float
    ankles_visible: float

    @property
    def torso(self) -> float:
        return self.hips - self.shoulders


@dataclass(frozen=True)
class _Figure:
    """A photo in parts: what is not backdrop, what of it is skin, and the row of each pixel."""

    all: Mask
    skin: Mask
    rows: NDArray[np.intp]  # (H, 1)
    pose: _Pose | None

    def above(self, row: float) -> Mask:
        above: Mask = self.all & (self.rows < row)
        return above

    def below(self, row: float) -> Mask:
        below: Mask = self.all & (self.rows > row)
        return below


def label_worn(
    pixels: NDArray[np.uint8], place: Place | None, landmarks: NDArray[np.float32] | None
) -> Worn:
    """Label a photo, (H, W, 3) uint8, whose main garment has this place.

    landmarks: (33, 3) of who wears it, as teachers.Pose gives them, or None. Without a pose only
    lower garments are found, and with place None nothing but the thing itself.
    """
    all_of_it = _not_backdrop(pixels)
    share = float(all_of_it.mean())
    if place in ("lower", "one_piece"):
        all_of_it &= ~_gaps(pixels, all_of_it)
    close_up = share > _CLOSE_UP or _fills_the_frame(all_of_it)
    cut_out = None if close_up else all_of_it
    if place is None:
        thing = _largest(all_of_it) if share < 0.9 else None
        return Worn(thing, cut_out, (), frozenset(PLACES))
    skin = _skin(pixels)
    if close_up:
        without_skin = all_of_it & ~skin
        garment = without_skin if without_skin.mean() > 0.3 else all_of_it
        return Worn(garment, None, (), frozenset(PLACES))
    rows = np.arange(len(pixels))[:, None]
    pose = _pose(landmarks, len(pixels)) if landmarks is not None else None
    figure = _Figure(all_of_it, ndimage.binary_opening(skin & all_of_it), rows, pose)
    found = _label_lower(figure) if place == "lower" else _label_upper(figure, place)
    if found is None:
        return Worn(None, cut_out, (), frozenset(PLACES))
    garment, places, unsure = found
    unlabeled = {"shoes", "hat", *unsure}.difference(each for each, _ in places)
    return Worn(garment, cut_out, tuple(places), frozenset(unlabeled))


_Found = tuple[Mask, list[tuple[Place, Box]], set[Place]]


def _label_lower(figure: _Figure) -> _Found | None:
    """Trousers and skirts: what is below the hips and not skin; and what is worn above them."""
    pose, height = figure.pose, len(figure.all)
    zone = figure.all
    if pose is not None and pose.shoulders_visible > 0.6 and pose.shoulders > 0:
        zone = figure.below(pose.hips - 0.22 * pose.torso)
    garment = zone & ~figure.skin
    if garment.sum() < 0.22 * zone.sum():  # a garment of skin's color
        garment = zone
    if pose is not None and pose.ankles_visible > 0.5:
        garment = garment & figure.above(pose.ankles + 0.02 * height)
    garment = _whole(garment)
    if garment.mean() < 0.02:
        return None
    places: list[tuple[Place, Box]] = [("lower", _around(garment))]
    if pose is None or pose.shoulders_visible <= 0.8 or pose.shoulders <= 0.03 * height:
        return garment, places, {"upper"}
    # The whole chest is seen: either there is another garment, or it is bare.
    chest = figure.below(pose.shoulders) & figure.above(pose.hips)
    upper = figure.below(pose.shoulders - 0.12 * pose.torso) & ~figure.skin
    upper &= figure.rows <= pose.hips - 0.1 * pose.torso
    if upper.sum() > 0.35 * chest.sum():
        places.append(("upper", _around(upper)))
    return garment, places, set()


def _label_upper(figure: _Figure, place: Place) -> _Found | None:
    """Tops and dresses: what is between the neck and the hips, or the ankles, and not skin; and
    what is worn below a top."""
    pose, height = figure.pose, len(figure.all)
    if pose is None or pose.shoulders_visible < 0.5:
        return None
    zone = figure.all & (figure.rows >= pose.shoulders - 0.16 * pose.torso)
    hem = pose.hips + 0.18 * pose.torso
    if place == "upper":
        zone &= figure.rows <= hem
    else:
        ankles = pose.ankles if pose.ankles_visible > 0.5 else height
        zone &= figure.rows < ankles - 0.02 * height
    core = zone & figure.below(pose.shoulders + 0.3 * pose.torso)
    core &= figure.rows < pose.hips - 0.1 * pose.torso
    garment = zone & ~figure.skin
    if core.any() and (garment & core).sum() < 0.6 * core.sum():  # a garment of skin's color
        garment = zone
    garment = _whole(garment)
    if garment.mean() < 0.03:
        return None
    places: list[tuple[Place, Box]] = [(place, _around(garment))]
    if place != "upper":
        return garment, places, set()
    lower = figure.below(hem) & ~figure.skin
    if pose.ankles_visible > 0.5:
        lower &= figure.rows < pose.ankles
    lower = _whole(lower)
    if lower.mean() > 0.02:
        x0, _, x1, y1 = _around(lower)
        # It begins under the top.
        places.append(("lower", (x0, float(max(0, int(pose.hips - 0.1 * pose.torso))), x1, y1)))
    return garment, places, {"lower"}


def _pose(landmarks: NDArray[np.float32], height: int) -> _Pose | None:
    """None for who stands so, or is so far, that the body tells nothing."""
    at, visible = landmarks[:, 1] * height, landmarks[:, 2]
    pose = _Pose(
        shoulders=float(at[_SHOULDERS].min()),
        hips=float(at[_HIPS].mean()),
        ankles=float(at[_ANKLES].max()),
        shoulders_visible=float(visible[_SHOULDERS].min()),
        ankles_visible=float(visible[_ANKLES].min()),
    )
    return pose if pose.torso >= 0.12 * height else None


def _not_backdrop(pixels: NDArray[np.uint8]) -> Mask:
    """All that white does not lead to from the photo's edges, without single specks."""
    patches, _ = ndimage.label(pixels.min(axis=2) >= _BACKDROP)
    edge = np.unique(np.concatenate([patches[0], patches[-1], patches[:, 0], patches[:, -1]]))
    found: Mask = ndimage.binary_opening(~np.isin(patches, edge[edge > 0]))
    return found


def _gaps(pixels: NDArray[np.uint8], all_of_it: Mask) -> Mask:
    """Backdrop that is seen between legs or under arms."""
    patches, number = ndimage.label((pixels.min(axis=2) >= _BETWEEN) & all_of_it)
    sizes = np.bincount(patches.ravel(), minlength=number + 1)[1:]
    return np.isin(patches, 1 + np.flatnonzero(sizes > _SMALLEST_GAP * patches.size))


def _fills_the_frame(mask: Mask) -> bool:
    """Whether so much of the frame's sides is covered that this is a part of a garment."""
    touched = [mask[0].mean(), mask[-1].mean(), mask[:, 0].mean(), mask[:, -1].mean()]
    both_sides = touched[2] > 0.35 and touched[3] > 0.35
    return bool(both_sides or sum(share > 0.5 for share in touched) >= 2)


def _skin(pixels: NDArray[np.uint8]) -> Mask:
    """Pixels of skin's color: limits of chroma in YCbCr (Chai & Ngan 1999, a little wider)."""
    y, cb, cr = np.moveaxis(np.asarray(Image.fromarray(pixels).convert("YCbCr")), 2, 0)
    skin: Mask = (cr >= 135) & (cr <= 175) & (cb >= 80) & (cb <= 128) & (y > 35)
    return skin


def _whole(mask: Mask) -> Mask:
    """The large pieces of a mask, without threads."""
    return _largest(ndimage.binary_opening(mask, iterations=2))


def _largest(mask: Mask) -> Mask:
    """The pieces that have at least a quarter of the largest one's pixels."""
    pieces, number = ndimage.label(mask)
    if not number:
        return mask
    sizes = np.bincount(pieces.ravel())[1:]
    return np.isin(pieces, 1 + np.flatnonzero(sizes >= 0.25 * sizes.max()))


def _around(mask: Mask) -> Box:
    rows, columns = np.nonzero(mask)
    x0, y0, x1, y1 = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
    return (float(x0), float(y0), float(x1), float(y1))
