"""Views: the pictures that the garment network is trained on, cut out of photos or put together.

A crop shows one garment as serving cuts it out, for the embedding. A scene shows garments, or
none, somewhere in a photo, for the places. Both tell where garments are and what is garment.
"""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from training.garment.labels import Box, Labeled

WHITE = (255, 255, 255)
UNKNOWN = 128  # of a view's garment: nobody knows
# What `Embedder` leaves around a box, as a share of its sides (lens.models.regions).
MARGIN = 0.05


@dataclass
class View:
    """image (S, S, 3) uint8; garment (S, S) uint8: 255 garment, 0 none, 128 not known; places: a
    place and a box in pixels each; ignored: a place and a box where it may be unlabeled."""

    image: NDArray[np.uint8]
    garment: NDArray[np.uint8]
    places: list[tuple[int, Box]] = field(default_factory=list)
    ignored: list[tuple[int, Box]] = field(default_factory=list)


@dataclass(frozen=True)
class _Frame:
    """Where the pixels of a picture come from: source = origin + x * across + y * down."""

    size: tuple[int, int]
    origin: tuple[float, float]
    across: tuple[float, float]
    down: tuple[float, float]

    def take(self, image: Image.Image, fill: float | tuple[int, ...]) -> Image.Image:
        (ax, ay), (dx, dy), (ox, oy) = self.across, self.down, self.origin
        return image.transform(
            self.size,
            Image.Transform.AFFINE,
            (ax, dx, ox, ay, dy, oy),
            Image.Resampling.BILINEAR,
            fillcolor=fill,
        )

    def box(self, box: Box) -> Box:
        """The upright box around a source box, in this frame."""
        matrix = np.array([self.across, self.down]).T
        corners = np.array([[x, y] for x in box[::2] for y in box[1::2]]) - self.origin
        there = np.linalg.solve(matrix, corners.T).T
        (x0, y0), (x1, y1) = there.min(axis=0), there.max(axis=0)
        return (float(x0), float(y0), float(x1), float(y1))


class Views:
    """Makes views of `size` pixels a side, on pieces of `backgrounds`."""

    def __init__(self, backgrounds: Sequence[NDArray[np.uint8]], size: int, seed: int) -> None:
        self._backgrounds = backgrounds
        self._size = size
        self._random = np.random.default_rng(seed)

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
        view = self._placed(frame, image, garment, photo, fill)
        view.image = self._finished(self._relit(view.image, view.garment is not None))
        return view

    def scene(self, photos: Sequence[Labeled]) -> View:
        """A photo with the first garment somewhere in it; the second is put beside or over."""
        r = self._random
        photo = photos[0]
        if photo.cut_out is None or (r.random() < 0.35 and not photo.item >= 0) or r.random() < 0.1:
            return self._part_of(photo)
        canvas = self._canvas()
        garment = Image.new("L", canvas.size, 0)
        view = View(np.empty(0, np.uint8), np.empty(0, np.uint8))
        if r.random() < 0.35:
            self._paste_carton(canvas, garment)
        photos = [each for each in photos if each.cut_out is not None]
        number = 2 if len(photos) > 1 and r.random() < 0.3 else 1
        for each in photos[:number]:
            self._paste_photo(canvas, garment, each, view, r.uniform(0.45, 1.0) / number**0.5)
        return self._squared(canvas, garment, view)

    def outfit(self, top: Labeled, bottom: Labeled) -> View:
        """A person in two garments, put together of the photos of two, somewhere in a scene."""
        doll = dressed(top, bottom)
        return self.scene([doll if doll is not None else top])

    def empty(self) -> View:
        """A scene without any garment; things are pasted into some as garments are."""
        r = self._random
        canvas = self._canvas()
        garment = Image.new("L", canvas.size, 0)
        for _ in range(int(r.integers(0, 4))):
            self._paste_carton(canvas, garment)
        return self._squared(canvas, garment, View(np.empty(0, np.uint8), np.empty(0, np.uint8)))

    # Geometry

    def _angle(self) -> float:
        r = self._random
        return math.radians(float(r.normal(0, 7))) if r.random() < 0.7 else 0.0

    def _frame(
        self, center: tuple[float, float], size: tuple[float, float], angle: float, flip: bool
    ) -> _Frame:
        scale = max(size) / self._size  # source pixels to a pixel of the view
        width, height = (max(4, round(side / scale)) for side in size)
        cos, sin = math.cos(angle) * scale, math.sin(angle) * scale
        across, down = (-cos if flip else cos, -sin if flip else sin), (-sin, cos)
        origin = (
            center[0] - across[0] * width / 2 - down[0] * height / 2,
            center[1] - across[1] * width / 2 - down[1] * height / 2,
        )
        return _Frame((width, height), origin, across, down)

    def _placed(
        self,
        frame: _Frame,
        image: Image.Image,
        garment: Image.Image,
        photo: Labeled,
        fill: tuple[int, ...],
    ) -> View:
        view = View(np.empty(0, np.uint8), np.empty(0, np.uint8))
        _add_places(view, frame, photo, (0, 0))
        return self._squared(frame.take(image, fill), frame.take(garment, 0), view, finish=False)

    def _squared(
        self, image: Image.Image, garment: Image.Image, view: View, *, finish: bool = True
    ) -> View:
        """Pad to the square as `to_pixels` does; boxes move along, and are cut at the picture."""
        size = self._size
        x, y = (size - image.width) // 2, (size - image.height) // 2
        if finish:
            image = Image.fromarray(self._finished(np.asarray(image)))
        square = Image.new("RGB", (size, size), WHITE)
        square.paste(image, (x, y))
        known = Image.new("L", (size, size), 0)
        known.paste(garment, (x, y))

        def moved(box: Box) -> Box:
            x0, y0, x1, y1 = box
            return (
                max(0.0, x0) + x,
                max(0.0, y0) + y,
                min(image.width, x1) + x,
                min(image.height, y1) + y,
            )

        places, ignored = [], [(p, moved(b)) for p, b in view.ignored]
        for place, box in view.places:
            cut = moved(box)
            seen = max(0.0, cut[2] - cut[0]) * max(0.0, cut[3] - cut[1])
            whole = (box[2] - box[0]) * (box[3] - box[1])
            if seen > 0.35 * whole and min(cut[2] - cut[0], cut[3] - cut[1]) > 6:
                places.append((place, cut))
            elif seen > 0:
                ignored.append((place, cut))
        return View(np.asarray(square), np.asarray(known), places, ignored)

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
        view = self._placed(frame, image, garment, photo, self._mean_of(image))
        view.image = self._finished(self._relit(view.image, True))
        return view

    # Backgrounds and what is pasted

    def _canvas(self) -> Image.Image:
        r = self._random
        aspect = float(r.choice([0.5625, 0.66, 0.75, 0.75, 1.0, 1.33]))
        size = self._size
        width, height = (round(size * aspect), size) if aspect < 1 else (size, round(size / aspect))
        return self._background(width, height)

    def _background(self, width: int, height: int) -> Image.Image:
        r = self._random
        if r.random() < 0.15:
            return Image.fromarray(self._texture(height, width))
        source = self._backgrounds[int(r.integers(len(self._backgrounds)))]
        h, w = source.shape[:2]
        least = max(width / w, height / h)
        scale = least * r.uniform(1, 2.2) if r.random() < 0.8 else least * 1.001
        cw, ch = min(w, round(width / scale)), min(h, round(height / scale))
        x, y = int(r.integers(0, w - cw + 1)), int(r.integers(0, h - ch + 1))
        piece = Image.fromarray(source[y : y + max(1, ch), x : x + max(1, cw)])
        piece = piece.resize((width, height), Image.Resampling.BILINEAR)
        if r.random() < 0.4:
            piece = piece.filter(ImageFilter.GaussianBlur(float(r.uniform(0, 2))))
        return Image.fromarray(self._relit(np.asarray(piece), True))

    def _texture(self, height: int, width: int) -> NDArray[np.uint8]:
        r = self._random
        base = r.uniform(20, 245, (1, 1, 3))
        x, y = np.arange(width)[None, :, None], np.arange(height)[:, None, None]
        wave = np.sin((x * r.uniform(-1, 1) + y * r.uniform(-1, 1)) / r.uniform(1, 14))
        slope = (x / width - 0.5) * r.normal(0, 40) + (y / height - 0.5) * r.normal(0, 40)
        noise = r.normal(0, r.uniform(0, 12), (height, width, 1))
        levels = base + wave * r.uniform(0, 30) + slope + noise
        return levels.clip(0, 255).astype(np.uint8)

    def _on_background(
        self, image: Image.Image, mask: NDArray[np.uint8]
    ) -> tuple[Image.Image, tuple[int, ...]]:
        background = self._background(*image.size)
        alpha = self._feathered(Image.fromarray(mask))
        return Image.composite(image, background, alpha), self._mean_of(background)

    def _feathered(self, mask: Image.Image) -> Image.Image:
        """An edge that does not tell: what the mask took too much is cut away, and softly."""
        r = self._random
        if r.random() < 0.7:
            mask = mask.filter(ImageFilter.MinFilter(3))
        return mask.filter(ImageFilter.GaussianBlur(float(r.uniform(0.4, 1.3))))

    def _paste_photo(
        self, canvas: Image.Image, garment: Image.Image, photo: Labeled, view: View, share: float
    ) -> None:
        r = self._random
        assert photo.cut_out is not None
        image, known = _garment_of(photo)
        box = _around(photo.cut_out)
        w, h = box[2] - box[0], box[3] - box[1]
        scale = share * min(canvas.width / w, canvas.height / h)
        if r.random() < 0.15:
            scale *= 1.3
        angle, flip = self._angle(), r.random() < 0.5
        step = 1 / scale
        size = (max(8, round(w * scale * 1.1)), max(8, round(h * scale * 1.1)))
        cos, sin = math.cos(angle) * step, math.sin(angle) * step
        across, down = (-cos if flip else cos, -sin if flip else sin), (-sin, cos)
        cx, cy = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
        origin = (
            cx - across[0] * size[0] / 2 - down[0] * size[1] / 2,
            cy - across[1] * size[0] / 2 - down[1] * size[1] / 2,
        )
        frame = _Frame(size, origin, across, down)
        x = int(r.integers(min(0, canvas.width - size[0]), max(0, canvas.width - size[0]) + 1))
        y = int(r.integers(min(0, canvas.height - size[1]), max(0, canvas.height - size[1]) + 1))
        alpha = self._feathered(frame.take(Image.fromarray(photo.cut_out), 0))
        piece = Image.fromarray(self._relit(np.asarray(frame.take(image, WHITE)), True))
        self._paste(canvas, garment, piece, alpha, frame.take(known, 0), (x, y))
        _add_places(view, frame, photo, (x, y))

    def _paste_carton(self, canvas: Image.Image, garment: Image.Image) -> None:
        """A thing that is no garment, with the edges and the shadow that garments have."""
        r = self._random
        width, height = (int(side * r.uniform(0.2, 0.85)) + 4 for side in canvas.size)
        size = (width, height)
        alpha = Image.new("L", size, 0)
        draw = ImageDraw.Draw(alpha)
        if r.random() < 0.6:
            number = int(r.integers(3, 9))
            turns = np.sort(r.uniform(0, 2 * math.pi, number))
            far = r.uniform(0.5, 1, number)
            points = [
                ((1 + f * math.cos(t)) * size[0] / 2, (1 + f * math.sin(t)) * size[1] / 2)
                for t, f in zip(turns, far, strict=True)
            ]
            draw.polygon(points, fill=255)
        elif r.random() < 0.5:
            draw.rounded_rectangle((0, 0, *size), float(r.uniform(0, min(size) / 2)), fill=255)
        else:
            draw.ellipse((0, 0, *size), fill=255)
        face = self._background(*size)
        if r.random() < 0.5:
            draw = ImageDraw.Draw(face)
            for _ in range(int(r.integers(1, 8))):
                ends = [(int(r.integers(size[0])), int(r.integers(size[1]))) for _ in range(2)]
                color = tuple(int(v) for v in r.integers(0, 256, 3))
                draw.line(ends, color, int(r.integers(1, 9)))
        turned = float(r.uniform(-30, 30))
        face = face.rotate(turned, Image.Resampling.BILINEAR)
        alpha = self._feathered(alpha.rotate(turned, Image.Resampling.BILINEAR))
        x = int(r.integers(-size[0] // 3, canvas.width - size[0] // 2))
        y = int(r.integers(-size[1] // 3, canvas.height - size[1] // 2))
        self._paste(canvas, garment, face, alpha, Image.new("L", size, 0), (x, y))

    def _paste(
        self,
        canvas: Image.Image,
        garment: Image.Image,
        piece: Image.Image,
        alpha: Image.Image,
        known: Image.Image,
        place: tuple[int, int],
    ) -> None:
        r = self._random
        if r.random() < 0.6:
            shadow = Image.new("L", canvas.size, 0)
            offset = (place[0] + int(r.integers(-5, 6)), place[1] + int(r.integers(0, 7)))
            shadow.paste(alpha, offset)
            strength = float(r.uniform(0.15, 0.5))
            shadow = shadow.filter(ImageFilter.GaussianBlur(float(r.uniform(2, 7))))
            canvas.paste((0, 0, 0), (0, 0), shadow.point(lambda v: int(v * strength)))
        canvas.paste(piece, place, alpha)
        garment.paste(known, place, alpha.point(lambda v: 255 * (v > 127)))

    # Light

    def _relit(self, image: NDArray[np.uint8], apply: bool) -> NDArray[np.uint8]:
        """Another light: gamma, brightness and warmth, as a table of gray levels per channel."""
        r = self._random
        if not apply or r.random() < 0.15:
            return image
        levels = np.arange(256) / 255
        warmth = math.exp(r.uniform(-0.12, 0.12))
        tint = math.exp(r.uniform(-0.05, 0.05))
        table = 255 * levels ** math.exp(r.uniform(-0.3, 0.3)) * math.exp(r.uniform(-0.35, 0.15))
        gains = np.array([warmth, tint, 1 / warmth])
        tables = (table[:, None] * gains).clip(0, 255).astype(np.uint8)
        padding = image.min(axis=2) == 255
        relit = np.stack([tables[image[..., c], c] for c in range(3)], axis=2)
        relit[padding] = 255
        return relit

    def _finished(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Blur and JPEG, as cameras and pages leave them."""
        r = self._random
        picture = Image.fromarray(image)
        if r.random() < 0.3:
            picture = picture.filter(ImageFilter.GaussianBlur(float(r.uniform(0, 1.0))))
        if r.random() < 0.3:
            stream = io.BytesIO()
            picture.save(stream, "JPEG", quality=int(r.integers(40, 92)))
            picture = Image.open(stream).convert("RGB")
        return np.asarray(picture)

    def _mean_of(self, image: Image.Image) -> tuple[int, ...]:
        if self._random.random() < 0.3:
            return WHITE
        pixel = image.resize((1, 1), Image.Resampling.BOX).getpixel((0, 0))
        assert isinstance(pixel, tuple)
        return tuple(int(v) for v in pixel)


def dressed(top: Labeled, bottom: Labeled) -> Labeled | None:
    """One photo of two: who wears `top`, from its lower edge on as who wears `bottom`; None where
    their outlines do not tell how to join them."""
    if top.mask is None or bottom.mask is None or top.cut_out is None or bottom.cut_out is None:
        return None
    upper, lower = top.places[0][1], bottom.places[0][1]
    hem, waist = int(upper[3] - 0.06 * (upper[3] - upper[1])), int(lower[1] + 2)
    hip, belt = _span(top.mask, hem), _span(bottom.mask, waist)
    if hip is None or belt is None:
        return None
    scale = 0.92 * (hip[1] - hip[0]) / (belt[1] - belt[0])
    if not 0.3 < scale < 3:
        return None
    piece_box = (0, max(0, waist - 1), bottom.image.shape[1], bottom.image.shape[0])
    size = (round(piece_box[2] * scale), max(1, round((piece_box[3] - piece_box[1]) * scale)))
    width = top.image.shape[1]
    shift = round((hip[0] + hip[1]) / 2 - (belt[0] + belt[1]) / 2 * scale)
    left, right = min(0, shift), max(width, shift + size[0])
    canvas_size = (right - left, max(hem + 1, hem + size[1]))
    pieces = []
    for source, fill in ((bottom.image, WHITE), (bottom.cut_out, 0), (bottom.mask, 0)):
        picture = Image.fromarray(source).crop(piece_box).resize(size, Image.Resampling.BILINEAR)
        canvas = Image.new(picture.mode, canvas_size, fill)
        canvas.paste(picture, (shift - left, hem))
        pieces.append(canvas)
    image, cut_out, mask = pieces
    # Below its hem, what the upper photo shows is another garment: cut away.
    above = top.cut_out.copy()
    above[int(upper[3]) :] = 0
    alpha = Image.fromarray(above)
    image.paste(Image.fromarray(top.image), (-left, 0), alpha)
    cut_out.paste(255, (-left, 0), alpha)
    mask.paste(Image.fromarray(top.mask), (-left, 0), alpha)
    x0, y0, x1, y1 = lower
    below = (
        x0 * scale + shift - left,
        (y0 - piece_box[1]) * scale + hem,
        x1 * scale + shift - left,
        (y1 - piece_box[1]) * scale + hem,
    )
    places = ((top.places[0][0], _moved(upper, -left)), (bottom.places[0][0], below))
    return Labeled(
        f"{top.name} over {bottom.name}",
        np.asarray(image),
        np.asarray(mask),
        np.asarray(cut_out),
        places,
        frozenset({3, 4}),
        top.kinds,
        item=top.item,
    )


def _moved(box: Box, right: float) -> Box:
    return (box[0] + right, box[1], box[2] + right, box[3])


def _span(mask: NDArray[np.uint8], row: int) -> tuple[int, int] | None:
    """Where the longest run of garment in a row begins and ends."""
    if not 0 <= row < len(mask):
        return None
    line = np.concatenate([[0], (mask[row] > 127).astype(np.int8), [0]])
    turns = np.flatnonzero(np.diff(line)).reshape(-1, 2)
    if not len(turns):
        return None
    begin, end = turns[np.argmax(turns[:, 1] - turns[:, 0])]
    return (int(begin), int(end)) if end - begin > 8 else None


def _garment_of(photo: Labeled) -> tuple[Image.Image, Image.Image]:
    """The photo and what is garment in it: 128 where that is not known."""
    image = Image.fromarray(photo.image)
    if photo.mask is None:
        return image, Image.new("L", image.size, 128)
    garment = np.where(photo.mask > 127, 255, 0).astype(np.uint8)
    if photo.cut_out is not None and photo.unsure:
        # What is worn beside the labeled garment may be garment too.
        garment = np.where((garment == 0) & (photo.cut_out > 127), 128, garment).astype(np.uint8)
        if photo.places:
            x0, y0, x1, y1 = (round(v) for v in photo.places[0][1])
            inside = garment[y0:y1, x0:x1]
            inside[inside == 128] = 0  # skin and hair, inside its box
    return image, Image.fromarray(garment)


def _add_places(view: View, frame: _Frame, photo: Labeled, at: tuple[int, int]) -> None:
    def shifted(box: Box) -> Box:
        x0, y0, x1, y1 = box
        return (x0 + at[0], y0 + at[1], x1 + at[0], y1 + at[1])

    view.places += [(place, shifted(frame.box(box))) for place, box in photo.places]
    if photo.unsure:
        height, width = photo.image.shape[:2]
        box = (0.0, 0.0, float(width), float(height))
        if photo.cut_out is not None:
            box = _around(photo.cut_out)
        view.ignored += [(place, shifted(frame.box(box))) for place in photo.unsure]


def _around(mask: NDArray[np.uint8]) -> Box:
    rows, columns = (
        np.flatnonzero((mask > 127).any(axis=1)),
        np.flatnonzero((mask > 127).any(axis=0)),
    )
    return (float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1))
