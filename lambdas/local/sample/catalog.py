"""The sample catalog: a small shop's photos, drawn by this project, in the In-Shop layout.

The same seed draws the same bytes, whatever the number of threads: every item draws from a
generator of its own.
"""

import io
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from PIL import Image

from lambdas.local.sample.accessories import ACCESSORIES
from lambdas.local.sample.assortment import ASSORTMENT, VIEWS
from lambdas.local.sample.bottoms import BOTTOMS
from lambdas.local.sample.outlines import Garment
from lambdas.local.sample.prices import FEED, feed_text
from lambdas.local.sample.shoes import SHOES
from lambdas.local.sample.studio import Pose, Scene, close_up, hung, photograph, sewn_whole
from lambdas.local.sample.tailored import TAILORED
from lambdas.local.sample.tops import TOPS, Cut

PARTITION = "list_eval_partition.txt"
QUERY_VIEWS = frozenset({"2_side", "4_full"})
QUALITY = 88
WORKERS = min(8, os.cpu_count() or 1)
STANDING = ACCESSORIES | SHOES
KINDS = TOPS | TAILORED | BOTTOMS | STANDING
PAPER = ((246, 245, 242), (238, 238, 239), (232, 234, 237), (243, 238, 231), (228, 227, 224))
WALLS = (
    (224, 210, 192), (205, 214, 208), (216, 202, 196), (196, 206, 218), (231, 222, 206),
    (214, 208, 220), (188, 178, 166), (220, 214, 190), (176, 188, 190), (232, 205, 188),
)  # fmt: skip
FLOORS = ((188, 160, 130), (206, 200, 192), (170, 150, 136), (214, 204, 188))


@dataclass(frozen=True)
class Photo:
    """A photo to draw: the product's place in the assortment, its color, and the view."""

    key: str
    item: int
    series: int
    view: str

    @property
    def item_id(self) -> str:
        return f"id_{self.item + 1:08}"


def draw_catalog(
    folder: Path, *, seed: int = 7, progress: Callable[[int, int], None] | None = None
) -> None:
    """Draw every photo, and write the product and partition files; `progress` is called with
    (done, total).

    The partition file is written last: where it is, the catalog is whole and nothing is drawn.
    """
    feed = folder / FEED
    if not feed.exists():
        _write(feed, feed_text(ASSORTMENT).encode())
    partition = folder / PARTITION
    if partition.exists():
        return
    photos = list(_photos())
    by_color: dict[tuple[int, int], list[Photo]] = {}
    for photo in photos:
        by_color.setdefault((photo.item, photo.series), []).append(photo)
    done = 0
    with ThreadPoolExecutor(WORKERS) as pool:
        jobs = [pool.submit(_draw, folder, seed, group) for group in by_color.values()]
        try:
            for job in as_completed(jobs):
                done += job.result()
                if progress:
                    progress(done, len(photos))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    _write(partition, _partition_text(photos, seed).encode())


def _photos() -> Iterator[Photo]:
    for item, product in enumerate(ASSORTMENT):
        for series in range(1, len(product.colorways) + 1):
            for view in VIEWS:
                key = f"img/{product.category}/id_{item + 1:08}/{series:02}_{view}.jpg"
                yield Photo(key, item, series, view)


def _partition_text(photos: list[Photo], seed: int) -> str:
    """Every other item trains, whatever its kind; of the rest, sides and full views are queries."""
    train = int(np.random.default_rng(seed).integers(2))
    rows = []
    for photo in photos:
        status = "query" if photo.view in QUERY_VIEWS else "gallery"
        rows.append(
            f"{photo.key} {photo.item_id} {'train' if photo.item % 2 == train else status}\n"
        )
    return f"{len(rows)}\nimage_name item_id evaluation_status\n{''.join(rows)}"


def _write(path: Path, content: bytes) -> None:
    """Write all of a photo or none: a file half written would later count as done."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".drawing")
    unfinished.write_bytes(content)
    unfinished.replace(path)


def _draw(folder: Path, seed: int, photos: list[Photo]) -> int:
    """Draw the photos of one color of one product that are not there yet."""
    session = _Session(photos[0], seed)
    for photo in photos:
        target = folder / photo.key
        if not target.exists():
            encoded = io.BytesIO()
            session.take(photo.view).save(encoded, "JPEG", quality=QUALITY)
            _write(target, encoded.getvalue())
    return len(photos)


class _Session:
    """The photo session of one color of one product."""

    def __init__(self, photo: Photo, seed: int) -> None:
        product = ASSORTMENT[photo.item]
        self._seed = (seed, photo.item, photo.series)
        self._cut = product.cut
        self._standing = product.cut.kind in STANDING
        self._fabrics = product.fabrics(product.colorways[photo.series - 1])

    @cached_property
    def _front(self) -> Image.Image:
        # Front and side show the same creases; for the other photos it was laid out anew.
        return sewn_whole(self._garment("1_front"), self._fabrics, 0.93)

    def _garment(self, view: str) -> Garment:
        creases = np.random.default_rng([*self._seed, 100 + VIEWS.index(view)])
        return KINDS[self._cut.kind](self._cut, view == "3_back", creases)

    def take(self, view: str) -> Image.Image:
        rng = np.random.default_rng([*self._seed, VIEWS.index(view)])
        paper = Scene(
            PAPER[rng.integers(len(PAPER))],
            exposure=rng.uniform(0.98, 1.05),
            warmth=rng.uniform(-0.3, 0.4),
            vignette=rng.uniform(0.02, 0.09),
        )
        pose = Pose(tilt=rng.uniform(-1.2, 1.2))
        match view:
            case "2_side":
                turn = float(rng.choice([-1, 1]) * rng.uniform(34, 48))
                pose = replace(pose, turn=turn, tilt=rng.uniform(-4, 4))
                light = replace(
                    paper, exposure=rng.uniform(0.9, 1.08), warmth=rng.uniform(-0.7, 0.7)
                )
                return photograph(self._front, light, pose, rng)
            case "3_back":
                sewn = sewn_whole(self._garment(view), self._fabrics, rng.uniform(0.88, 0.95))
                return photograph(sewn, paper, pose, rng)
            case "4_full":
                return self._full(pose, rng)
            case "7_additional":
                span = rng.uniform(34, 44)
                return close_up(self._garment(view), self._fabrics, paper, span, rng)
        return photograph(self._front, paper, pose, rng)

    def _full(self, pose: Pose, rng: np.random.Generator) -> Image.Image:
        """The garment in a room, on a hanger or on the floor."""
        room = Scene(
            WALLS[rng.integers(len(WALLS))],
            floor=FLOORS[rng.integers(len(FLOORS))],
            exposure=rng.uniform(0.9, 1.1),
            warmth=rng.uniform(-0.9, 1.0),
            vignette=rng.uniform(0.08, 0.22),
            beam=float(rng.choice([0.0, 0.1, 0.16])),
        )
        pose = replace(
            pose,
            x=rng.uniform(0.44, 0.56),
            y=0.45 if not self._standing else 0.56,
            size=rng.uniform(0.64, 0.76),
            turn=rng.uniform(-16, 16),
        )
        sewn = sewn_whole(_displayed(self._cut, self._garment("4_full")), self._fabrics, pose.size)
        return photograph(sewn, room, pose, rng, standing=self._standing)


def _displayed(cut: Cut, garment: Garment) -> Garment:
    if cut.kind in STANDING:
        return garment
    if cut.kind == "trousers":
        return hung(garment, by_waist=True, at=10)
    if cut.kind == "skirt":
        return hung(garment, by_waist=True, at=22)
    return hung(garment, by_waist=False, at=14)
