"""The searcher: loads model and gallery side by side, and answers for the region asked for.

Covers: serving, results, judging, same_photo, wanted, loading.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lens.errors import UsageError
from lens.gallery.rows import Rows
from lens.gallery.segments import Segment, write_segment
from lens.models.embedder import Embedder
from lens.models.regions import pixels_of
from lens.photos.catalog import Catalog
from lens.photos.decoding import decode, photo_id, thumbnail
from lens.photos.thumbnail_store import thumb_key, write_thumbnail
from lens.pipeline.commit import commit_segments
from lens.search.examples import Examples
from lens.search.queries import Asked
from lens.search.results import NO_RESULTS
from lens.search.searcher import Searcher
from lens.search.thumbnail_reader import Thumbnails
from lens.settings import Limits
from lens.storage import FileStorage, ObjectInfo
from tests.support import small_galleries
from tests.support.photos import encode
from tests.support.region_model import (
    ONE_PIECE,
    QUARTERS,
    UPPER,
    region_graph,
    scene,
    write_region_model,
)
from tests.support.tiny_model import DIM, png, write_tiny_model


class SlowModel(FileStorage):
    """A folder whose model comes only once its gallery was read."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.gallery_read = threading.Event()
        self.was_beside = True

    def read(self, key: str) -> tuple[bytes, ObjectInfo]:
        if key.startswith("segments/"):
            self.gallery_read.set()
        return super().read(key)

    def head(self, key: str) -> ObjectInfo | None:
        if key.endswith(".onnx"):
            self.was_beside &= self.gallery_read.wait(10)
        return super().head(key)


def test_the_gallery_arrives_while_the_model_does(tmp_path: Path) -> None:
    model_id = write_tiny_model(FileStorage(tmp_path)).model_id
    small_galleries.make_live(FileStorage(tmp_path), model_id)
    small_galleries.add(
        FileStorage(tmp_path), small_galleries.photo("a.png", "1"), model_id=model_id
    )
    storage = SlowModel(tmp_path)
    searcher = Searcher(storage)
    serving = searcher.begin().result()
    assert storage.was_beside
    assert serving is not None
    assert serving.gallery.photo_count == 1
    assert [hit.key for hit in searcher.search(png(1)).hits] == ["a.png"]


def test_a_model_that_cannot_be_loaded_is_told_though_the_gallery_can(tmp_path: Path) -> None:
    storage = FileStorage(tmp_path)
    model_id = write_tiny_model(storage).model_id
    small_galleries.make_live(storage, model_id)
    storage.write(f"models/{model_id}/model.onnx", np.zeros(DIM).tobytes())
    searcher = Searcher(storage)
    error = searcher.begin().exception()
    assert "does not match its checksum" in str(error)
    assert searcher.trouble == str(error)


class Shop:
    """A gallery of photos that were embedded by the rule, and a searcher of it."""

    def __init__(self, folder: Path, photos: dict[str, bytes]) -> None:
        self.storage = FileStorage(folder)
        self.embedder = Embedder(write_region_model(self.storage), region_graph())
        small_galleries.make_live(self.storage, self.embedder.model_id)
        rows = [
            small_galleries.photo(key, "1", photo_id=photo_id(photo))
            for key, photo in photos.items()
        ]
        vectors = [self.embedder.embed_main(decode(photo, Limits())) for photo in photos.values()]
        segment = Segment(Rows.of(rows), np.array(vectors))
        name = write_segment(self.storage, self.embedder.model_id, segment)
        commit_segments(self.storage, self.embedder.model_id, [name], now=small_galleries.NOW)
        for photo in photos.values():
            small = thumbnail(decode(photo, Limits()))
            write_thumbnail(self.storage, photo_id(photo), small)
        catalog = Catalog(FileStorage(folder / "catalog"))  # empty: all have a thumbnail
        self.thumbnails = Thumbnails(self.storage, catalog, Limits(), 1_000_000)
        self.searcher = Searcher(self.storage, thumbnails=self.thumbnails)

    def exact(self, photo: bytes, region: Asked = None) -> list[str]:
        """The keys of the hits that are this very photo."""
        return [hit.key for hit in self.searcher.search(photo, region=region).hits if hit.exact]


def large(seed: int, quarters: Mapping[int, str]) -> Image.Image:
    """A scene of so many pixels that a copy loses none of what is seen in it."""
    return scene(seed, quarters).resize((256, 256))


SHIRT = encode(large(1, {0: UPPER}), "PNG")
OUTFIT = encode(large(2, {1: ONE_PIECE, 2: "#00d000"}), "PNG")  # the lower is a little less sure
PATTERN = encode(large(3, {}), "PNG")
CATALOG = {"shirt.png": SHIRT, "outfit.png": OUTFIT, "pattern.png": PATTERN}


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path, CATALOG)


def smaller(photo: bytes) -> bytes:
    """A copy as a page would send it."""
    out = BytesIO()
    decode(photo, Limits()).resize((192, 192)).save(out, "PNG")
    return out.getvalue()


def test_a_search_tells_the_regions_it_saw_and_the_one_it_searched(shop: Shop) -> None:
    results = shop.searcher.search(OUTFIT)
    assert [region.box for region in results.regions] == [QUARTERS[1], QUARTERS[2]]
    assert results.region == QUARTERS[1]
    assert results.hits[0].key == "outfit.png"
    other, whole = (
        shop.searcher.search(OUTFIT, region=region) for region in (QUARTERS[2], "whole")
    )
    assert (other.region, whole.region) == (QUARTERS[2], None)
    assert results.regions == other.regions == whole.regions
    assert (results.match_probability, results.match) == (None, None)


def test_every_region_has_results_of_its_own_in_the_cache(shop: Shop) -> None:
    asked: tuple[Asked, ...] = (None, "whole", (0.3, 0.3, 0.8, 0.8))
    first, *others = ([shop.searcher.search(SHIRT, region=each) for each in asked] for _ in "12")
    assert others == [first]
    assert len({each.hits[0].similarity for each in first}) == 3
    figures = shop.searcher.cache_figures()
    assert (figures["results"]["hits"], figures["results"]["misses"]) == (3, 3)
    assert shop.searcher.search(SHIRT, region=QUARTERS[0]) is first[0]


@pytest.mark.parametrize("key", CATALOG)
@pytest.mark.parametrize("region", [None, "whole"])
def test_the_very_photo_is_exact_by_the_rule_and_whole(shop: Shop, key: str, region: Asked) -> None:
    assert shop.exact(CATALOG[key], region) == [key]


@pytest.mark.parametrize("key", CATALOG)
def test_a_copy_is_exact_by_the_rule(shop: Shop, key: str) -> None:
    assert shop.exact(smaller(CATALOG[key])) == [key]


def test_a_copy_is_exact_by_the_rule_s_own_box_and_by_the_whole_where_the_rule_takes_it(
    shop: Shop,
) -> None:
    copy = smaller(SHIRT)
    assert shop.exact(copy, shop.searcher.search(copy).region) == ["shirt.png"]
    assert shop.exact(smaller(PATTERN), "whole") == ["pattern.png"]


def test_the_same_garment_before_another_background_is_no_copy(tmp_path: Path) -> None:
    """The rule cuts both to the same pixels, so their vectors are one."""
    shop = Shop(tmp_path, {"shirt.png": SHIRT})
    image = large(1, {0: UPPER})
    image.paste("#404040", (128, 128, 256, 256))
    other = encode(image, "PNG")
    found = shop.searcher.search(other).hits[0]
    assert (found.key, found.similarity > 0.999, found.exact) == ("shirt.png", True, False)


def test_of_two_that_are_alike_the_copy_is_of_the_nearer(tmp_path: Path) -> None:
    """One photograph in two nearly equal colors, as shops recolor them."""
    photos = {
        f"{n}.png": encode(Image.new("RGB", (96, 96), color), "PNG")
        for n, color in enumerate(("#101018", "#101020"))
    }
    shop = Shop(tmp_path, photos)
    for key, photo in photos.items():
        assert shop.exact(smaller(photo)) == [key]


def test_without_thumbnails_the_very_bytes_alone_are_exact(shop: Shop) -> None:
    shop.searcher = Searcher(shop.storage)
    assert shop.exact(SHIRT) == ["shirt.png"]
    assert shop.exact(smaller(SHIRT)) == []


def test_a_thumbnail_that_cannot_be_read_costs_that_word_alone(shop: Shop) -> None:
    shop.storage.write(thumb_key(photo_id(SHIRT)), b"damaged")
    shop.storage.delete(thumb_key(photo_id(OUTFIT)))
    for photo, key in ((SHIRT, "shirt.png"), (OUTFIT, "outfit.png")):
        found = shop.searcher.search(smaller(photo)).hits[0]
        assert (found.key, found.exact) == (key, False)
    assert shop.exact(SHIRT) == ["shirt.png"]
    assert shop.exact(smaller(PATTERN)) == ["pattern.png"]


def test_another_box_is_no_photo_of_the_catalog_however_similar(tmp_path: Path) -> None:
    """The box holds just what another catalog photo's vector is of."""
    box = (0.25, 0.25, 0.75, 0.75)
    image = decode(PATTERN, Limits())
    part = encode(image.crop(pixels_of(box, image.size)), "PNG")
    shop = Shop(tmp_path, {**CATALOG, "part.png": part})
    found = shop.searcher.search(PATTERN, region=box)
    assert found.hits[0].key == "part.png"
    assert found.hits[0].similarity > 0.999
    assert shop.exact(PATTERN, box) == []
    assert shop.exact(PATTERN) == ["pattern.png"]


def test_the_whole_of_a_photo_that_the_rule_would_cut_is_no_copy_by_similarity(
    tmp_path: Path,
) -> None:
    """The catalog has the same with a slightly darker garment, of which the rule is not sure."""
    surer, darker = scene(4, {0: "#740000"}), scene(4, {0: "#6a0000"})
    shop = Shop(tmp_path, {"darker.png": encode(darker, "PNG")})
    query = encode(surer, "PNG")
    assert shop.searcher.search(query).region == QUARTERS[0]
    whole = shop.searcher.search(query, region="whole")
    assert whole.hits[0].similarity > 0.97
    assert not whole.hits[0].exact


def test_without_a_model_or_a_photo_no_region_is_searched(tmp_path: Path) -> None:
    assert Searcher(FileStorage(tmp_path)).search(SHIRT) == NO_RESULTS
    assert (NO_RESULTS.regions, NO_RESULTS.region) == ((), None)


def test_nothing_to_be_like_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="send a photo"):
        Searcher(FileStorage(tmp_path)).search([], examples=Examples(unlike=("a",)))


class Gated(FileStorage):
    """A folder whose head comes only when it may."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.open = threading.Event()
        self.open.set()

    def read(self, key: str) -> tuple[bytes, ObjectInfo]:
        if key.startswith("heads/"):
            assert self.open.wait(30)
        return super().read(key)


def test_a_search_waits_for_a_newer_gallery_once_its_own_was_the_newest_long_ago(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, storage = FileStorage(tmp_path), Gated(tmp_path)
    model_id = write_tiny_model(plain).model_id
    small_galleries.make_live(plain, model_id)
    small_galleries.add(plain, small_galleries.photo("a.png", "1"), model_id=model_id)
    searcher = Searcher(storage)
    assert searcher.search(png(1)).commit == 1
    small_galleries.add(plain, small_galleries.photo("b.png", "2"), model_id=model_id)
    monkeypatch.setattr("lens.search.searcher._PATIENCE_SECONDS", 0.05)
    storage.open.clear()
    # A busy function answers from what it has ...
    assert searcher.search(png(2)).commit == 1
    assert searcher.search(png(3)).commit == 1
    # ... and one that was frozen for a minute waits, as long as that may take.
    monkeypatch.setattr("lens.search.searcher._KNOWN_SECONDS", -1.0)
    threading.Timer(0.3, storage.open.set).start()
    assert searcher.search(png(4)).commit == 2


def test_a_storage_that_hangs_keeps_one_search_waiting_and_not_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, storage = FileStorage(tmp_path), Gated(tmp_path)
    small_galleries.make_live(plain, write_tiny_model(plain).model_id)
    searcher = Searcher(storage)
    searcher.search(png(1))
    later = time.time() + 3_600
    monkeypatch.setattr(time, "time", lambda: later)
    monkeypatch.setattr("lens.search.searcher._PATIENCE_SECONDS", 0.05)
    monkeypatch.setattr("lens.search.searcher._MOST_PATIENCE_SECONDS", 0.05)
    storage.open.clear()
    searcher.search(png(2))
    # Who waited for it now would see it fail.
    monkeypatch.setattr("lens.search.searcher._MOST_PATIENCE_SECONDS", 600.0)
    searcher.search(png(3))
    assert searcher.trouble is None
    storage.open.set()
