"""Views: the pictures that the garment network is trained on, cut out of photos or put together.

A crop shows one garment as serving cuts it out, for the embedding. A scene shows garments, or
none, somewhere in a photo, for the places. Both tell where garments are and what is garment.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from lens.models.regions import MARGIN
from training.garment.frame import Frame, frame_around
from training.garment.labels import Box, Labeled
from training.garment.light import WHITE, feathered, finished, mean_color, relit
from training.garment.outfits import dressed
from training.garment.scenery import Scenery

UNKNOWN = 128  # of a view's garment: nobody knows
# A garment that a view cuts still has a box if this share of it is seen, and these pixels a side.
_SEEN, _SEEN_SIDE = 0.35, 6


@dataclass(frozen=True)
class View:
    """image (S, S, 3) uint8; garment (S, S) uint8: 255 garment, 0 none, UNKNOWN; places: a place
    and a box in pixels each; ignored: a place and a box where it may be unlabeled."""

    image: NDArray[np.uint8]
    garment: NDArray[np.uint8]
    places: list[tuple[int, Box]]
    ignored: list[tuple[int, Box]]


@dataclass
class _Picture:
    """A view while it is made: RGB and "L" of one size, and boxes, which may go beyond them."""

    image: Image.Image
    garment: Image.Image
    places: list[tuple[int, Box]] = field(default_factory=list)
    ignored: list[tuple[int, Box]] = field(default_factory=list)

    def add_places(self, photo: Labeled, frame: Frame, at: tuple[int, int] = (0, 0)) -> None:
        """Note the garments of a photo that is shown in a frame, whose corner is here."""

        def there(box: Box) -> Box:
            return _moved(frame.box(box), *at)

        self.places += [(place, there(box)) for place, box in photo.places]
        if photo.unsure:
            height, width = photo.image.shape[:2]
            box = (0.0, 0.0, float(width), float(height))
            if photo.cut_out is not None:
                box = _around(photo.cut_out)
            self.ignored += [(place, there(box)) for place in sorted(photo.unsure)]

    def paste(
        self, piece: Image.Image, alpha: Image.Image, known: Image.Image, at: tuple[int, int]
    ) -> None:
        """Put a piece over the picture, as far as alpha says."""
        self.image.paste(piece, at, alpha)
        self.garment.paste(known, at, alpha.point(lambda v: 255 * (v > 127)))


class Views:
    """Makes views of `size` pixels a side, on pieces of `backgrounds`, among `things` that are no
    garments, (H, W, 4) uint8 each, the last channel opaque where the thing is."""

    def __init__(
        self,
        backgrounds: Sequence[NDArray[np.uint8]],
        size: int,
        seed: int,
        things: Sequence[NDArray[np.uint8]] = (),
    ) -> None:
        self._size = size
        self._random = np.random.default_rng(seed)
        self._scenery = Scenery(backgrounds, self._random, things)

    def crop(self, photo: Labeled) -> View:
        """One garment, cut out as serving would, a little off, in another light."""
        r = self._random
        image, garment = _garment_of(photo)
        height, width = photo.image.shape[:2]
        whole = (0.0, 0.0, float(width), float(height))
        box = photo.places[0][1] if photo.places and r.random() < 0.92 else whole
        fill: tuple[int, ...] = WHITE
        if photo.cut_out is not None and r.random() < 0.55:
            image, fill = self._on_background(image, photo.cut_out)
        x0, y0, x1, y1 = box
        w, h = x1 - x0, y1 - y0
        grow = 1 + 2 * MARGIN + r.normal(0, 0.07, 2)
        if r.random() < 0.2:
            grow *= r.uniform(0.55, 1, 2)
        shift = r.normal(0, 0.04, 2) + (r.uniform(-0.5, 0.5, 2) * (1 - grow)).clip(-0.2, 0.2)
        w, h = max(8.0, w * grow[0]), max(8.0, h * grow[1])
        x, y = (x0 + x1) / 2 + shift[0] * w, (y0 + y1) / 2 + shift[1] * h
        if box != whole:  # a crop does not look beyond its photo
            w, h = min(w, 2 * min(x, width - x) + 0.2 * w), min(h, 2 * min(y, height - y) + 0.2 * h)
        frame = self._frame((x, y), (w, h), self._angle(), r.random() < 0.5)
        return self._finished(_placed(frame, image, garment, photo, fill), in_other_light=True)

    def cut_out(self, photo: Labeled) -> View:
        """One garment, cut out as serving does, and nothing changed."""
        image, garment = _garment_of(photo)
        width, height = image.size
        box = photo.places[0][1] if photo.places else (0.0, 0.0, float(width), float(height))
        beyond = (MARGIN * (box[2] - box[0]), MARGIN * (box[3] - box[1]))
        x0, y0 = max(0.0, box[0] - beyond[0]), max(0.0, box[1] - beyond[1])
        x1, y1 = min(width, box[2] + beyond[0]), min(height, box[3] + beyond[1])
        size = (max(8.0, x1 - x0), max(8.0, y1 - y0))
        frame = self._frame(((x0 + x1) / 2, (y0 + y1) / 2), size, 0.0, False)
        return _squared(_placed(frame, image, garment, photo, WHITE), self._size)

    def scene(self, photos: Sequence[Labeled]) -> View:
        """A photo with the first garment somewhere in it; the second is put beside or over."""
        r = self._random
        photo = photos[0]
        if photo.cut_out is None or (r.random() < 0.35 and not photo.item >= 0) or r.random() < 0.1:
            return self._part_of(photo)
        scene = self._empty_scene()
        if r.random() < 0.35:
            self._paste_thing(scene)
        photos = [each for each in photos if each.cut_out is not None]
        number = 2 if len(photos) > 1 and r.random() < 0.3 else 1
        for each in photos[:number]:
            self._paste_photo(scene, each, r.uniform(0.45, 1.0) / number**0.5)
        return self._finished(scene)

    def outfit(self, top: Labeled, bottom: Labeled) -> View:
        """A person in two garments, put together of the photos of two, somewhere in a scene."""
        doll = dressed(top, bottom)
        return self.scene([doll if doll is not None else top])

    def empty(self) -> View:
        """A scene without any garment; things are pasted into some as garments are."""
        scene = self._empty_scene()
        for _ in range(int(self._random.choice([0, 1, 2, 3, 6, 10]))):
            self._paste_thing(scene)
        return self._finished(scene)

    def _part_of(self, photo: Labeled) -> View:
        """A photo as it is, or a part of it around its garment."""
        r = self._random
        height, width = photo.image.shape[:2]
        x0, y0, x1, y1 = photo.places[0][1] if photo.places else (0, 0, width, height)
        if r.random() < 0.4:
            left = top = 0.0
            right, bottom = float(width), float(height)
        else:
            left, top = x0 - r.uniform(-0.05, 1) * x0, y0 - r.uniform(-0.05, 1) * y0
            right = x1 + r.uniform(-0.05, 1) * (width - x1)
            bottom = y1 + r.uniform(-0.05, 1) * (height - y1)
        size = (max(16.0, right - left), max(16.0, bottom - top))
        angle = self._angle() if photo.cut_out is not None else 0.0
        center = ((left + right) / 2, (top + bottom) / 2)
        frame = self._frame(center, size, angle, r.random() < 0.5)
        image, garment = _garment_of(photo)
        picture = _placed(frame, image, garment, photo, mean_color(r, image))
        return self._finished(picture, in_other_light=True)

    def _angle(self) -> float:
        r = self._random
        return math.radians(float(r.normal(0, 7))) if r.random() < 0.7 else 0.0

    def _frame(
        self, center: tuple[float, float], size: tuple[float, float], angle: float, flip: bool
    ) -> Frame:
        """A frame of so many of the picture's pixels that fits into the view."""
        step = max(size) / self._size
        width, height = (max(4, round(side / step)) for side in size)
        return frame_around(center, (width, height), step, angle, flip)

    def _empty_scene(self) -> _Picture:
        canvas = self._scenery.canvas(self._size)
        return _Picture(canvas, Image.new("L", canvas.size, 0))

    def _on_background(
        self, image: Image.Image, mask: NDArray[np.uint8]
    ) -> tuple[Image.Image, tuple[int, ...]]:
        background = self._scenery.background(*image.size)
        alpha = feathered(self._random, Image.fromarray(mask))
        return Image.composite(image, background, alpha), mean_color(self._random, background)

    def _paste_photo(self, scene: _Picture, photo: Labeled, share: float) -> None:
        r, canvas = self._random, scene.image
        assert photo.cut_out is not None
        image, known = _garment_of(photo)
        box = _around(photo.cut_out)
        w, h = box[2] - box[0], box[3] - box[1]
        scale = share * min(canvas.width / w, canvas.height / h)
        if r.random() < 0.15:
            scale *= 1.3
        angle, flip = self._angle(), r.random() < 0.5
        size = (max(8, round(w * scale * 1.1)), max(8, round(h * scale * 1.1)))
        center = ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)
        frame = frame_around(center, size, 1 / scale, angle, flip)
        x = int(r.integers(min(0, canvas.width - size[0]), max(0, canvas.width - size[0]) + 1))
        y = int(r.integers(min(0, canvas.height - size[1]), max(0, canvas.height - size[1]) + 1))
        alpha = feathered(r, frame.take(Image.fromarray(photo.cut_out), 0))
        piece = Image.fromarray(relit(r, np.asarray(frame.take(image, WHITE))))
        self._shadow(scene, alpha, (x, y))
        scene.paste(piece, alpha, frame.take(known, 0), (x, y))
        scene.add_places(photo, frame, (x, y))

    def _paste_thing(self, scene: _Picture) -> None:
        thing = self._scenery.thing(scene.image.size)
        self._shadow(scene, thing.alpha, thing.at)
        scene.paste(thing.face, thing.alpha, Image.new("L", thing.face.size, 0), thing.at)

    def _shadow(self, scene: _Picture, alpha: Image.Image, at: tuple[int, int]) -> None:
        """What lies on a surface mostly has a shadow."""
        r = self._random
        if r.random() < 0.6:
            shadow = Image.new("L", scene.image.size, 0)
            shadow.paste(alpha, (at[0] + int(r.integers(-5, 6)), at[1] + int(r.integers(0, 7))))
            strength = float(r.uniform(0.15, 0.5))
            shadow = shadow.filter(ImageFilter.GaussianBlur(float(r.uniform(2, 7))))
            scene.image.paste((0, 0, 0), (0, 0), shadow.point(lambda v: int(v * strength)))

    def _finished(self, picture: _Picture, *, in_other_light: bool = False) -> View:
        """What a camera and a page make of the picture; padded after that, as in serving."""
        image = np.asarray(picture.image)
        if in_other_light:
            image = relit(self._random, image)
        picture.image = Image.fromarray(finished(self._random, image))
        return _squared(picture, self._size)


def _placed(
    frame: Frame,
    image: Image.Image,
    garment: Image.Image,
    photo: Labeled,
    fill: tuple[int, ...],
) -> _Picture:
    picture = _Picture(frame.take(image, fill), frame.take(garment, 0))
    picture.add_places(photo, frame)
    return picture


def _squared(picture: _Picture, size: int) -> View:
    """Pad to the square as `to_pixels` does; boxes move along, and are cut at the picture."""
    width, height = picture.image.size
    left, top = (size - width) // 2, (size - height) // 2
    square = Image.new("RGB", (size, size), WHITE)
    square.paste(picture.image, (left, top))
    known = Image.new("L", (size, size), 0)
    known.paste(picture.garment, (left, top))

    def cut(box: Box) -> Box:
        x0, y0, x1, y1 = box
        inside = (max(0.0, x0), max(0.0, y0), min(width, x1), min(height, y1))
        return _moved(inside, left, top)

    places, ignored = [], [(place, cut(box)) for place, box in picture.ignored]
    for place, box in picture.places:
        seen = cut(box)
        sides = (max(0.0, seen[2] - seen[0]), max(0.0, seen[3] - seen[1]))
        whole = (box[2] - box[0]) * (box[3] - box[1])
        if sides[0] * sides[1] > _SEEN * whole and min(sides) > _SEEN_SIDE:
            places.append((place, seen))
        elif sides[0] * sides[1] > 0:
            ignored.append((place, seen))
    return View(np.asarray(square), np.asarray(known), places, ignored)


def _moved(box: Box, right: float, down: float) -> Box:
    x0, y0, x1, y1 = box
    return (x0 + right, y0 + down, x1 + right, y1 + down)


def _garment_of(photo: Labeled) -> tuple[Image.Image, Image.Image]:
    """The photo and what is garment in it."""
    image = Image.fromarray(photo.image)
    if photo.mask is None:
        return image, Image.new("L", image.size, UNKNOWN)
    garment = np.where(photo.mask > 127, 255, 0).astype(np.uint8)
    if photo.cut_out is not None and photo.unsure:
        # What is worn beside the labeled garment may be garment too.
        beside = (garment == 0) & (photo.cut_out > 127)
        garment[beside] = UNKNOWN
        if photo.places:
            x0, y0, x1, y1 = (round(v) for v in photo.places[0][1])
            inside = garment[y0:y1, x0:x1]
            inside[inside == UNKNOWN] = 0  # skin and hair, inside its box
    return image, Image.fromarray(garment)


def _around(mask: NDArray[np.uint8]) -> Box:
    there = mask > 127
    rows, columns = np.flatnonzero(there.any(axis=1)), np.flatnonzero(there.any(axis=0))
    return (float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1))
