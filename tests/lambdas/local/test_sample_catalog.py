"""The sample catalog: what is drawn, the same drawing every time, and an interrupted one."""

from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lambdas.local.sample import catalog as sample_catalog
from lambdas.local.sample.assortment import ASSORTMENT, VIEWS
from lambdas.local.sample.catalog import PARTITION, _photos, draw_catalog
from lambdas.local.sample.prices import FEED, feed_text
from lens.feed.feed import read_feed

Row = tuple[str, str, str]


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A catalog of the first products only: as good as the whole for most questions."""
    folder = tmp_path_factory.mktemp("few")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sample_catalog, "ASSORTMENT", ASSORTMENT[:4])
        draw_catalog(folder)
    return folder


def rows_of(folder: Path) -> list[Row]:
    count, header, *rows = (folder / PARTITION).read_text().splitlines()
    assert header.split() == ["image_name", "item_id", "evaluation_status"]
    assert int(count) == len(rows)
    return [(key, item_id, status) for key, item_id, status in map(str.split, rows)]


def whole_partition() -> list[Row]:
    """The rows of the whole catalog, which need no drawing."""
    text = sample_catalog._partition_text(list(sample_catalog._photos()), seed=7)
    return [
        (key, item_id, status) for key, item_id, status in map(str.split, text.splitlines()[2:])
    ]


def test_the_partition_names_exactly_the_photos_that_are_drawn(few: Path) -> None:
    drawn = {path.relative_to(few).as_posix() for path in few.rglob("*.jpg")}
    assert drawn == {key for key, _, _ in rows_of(few)}
    assert {path.name for path in few.iterdir()} == {"img", PARTITION, FEED}


def test_keys_follow_the_in_shop_layout() -> None:
    for key, item_id, _ in whole_partition():
        img, gender, category, item, name = key.split("/")
        assert (img, item) == ("img", item_id)
        assert gender in ("WOMEN", "MEN")
        assert category.replace("_", "").isalpha()
        series, _, view = name.removesuffix(".jpg").partition("_")
        assert len(series) == 2
        assert int(series) >= 1
        assert view in VIEWS


def test_the_shop_has_some_sixty_products_and_over_three_hundred_photos() -> None:
    rows = whole_partition()
    assert len({item for _, item, _ in rows}) >= 60
    assert len({key for key, _, _ in rows}) == len(rows) >= 300


def test_every_item_either_trains_or_has_both_queries_and_gallery_photos() -> None:
    statuses: dict[str, set[str]] = defaultdict(set)
    for _, item, status in whole_partition():
        statuses[item].add(status)
    assert all(s in ({"train"}, {"query", "gallery"}) for s in statuses.values())
    training = sum(s == {"train"} for s in statuses.values())
    assert 0.4 < training / len(statuses) < 0.6


def test_no_two_products_are_the_same() -> None:
    looks = [(p.cut, p.pattern, p.weave, p.pitch, c) for p in ASSORTMENT for c in p.colorways]
    assert len(set(looks)) == len(looks)


def test_photos_are_upright_color_and_at_most_800_pixels_long(few: Path) -> None:
    for path in few.rglob("*.jpg"):
        with Image.open(path) as photo:
            assert photo.mode == "RGB"
            assert photo.width < photo.height <= 800


def test_the_photos_of_one_item_differ(few: Path) -> None:
    by_item: dict[str, list[np.ndarray]] = defaultdict(list)
    for key, item, _ in rows_of(few):
        with Image.open(few / key) as photo:
            by_item[item].append(np.asarray(photo.resize((32, 40)), dtype=np.float32))
    for photos in by_item.values():
        for i, one in enumerate(photos):
            assert all(np.abs(one - other).mean() > 2 for other in photos[:i])


def test_a_color_of_a_garment_is_seen_in_all_of_its_photos(few: Path) -> None:
    """The middles of a navy tee's photos are nearer to one another than to a white tee's."""
    white, navy = (
        [middle(few / f"img/MEN/Tees_Tanks/{item}/01_{view}.jpg") for view in VIEWS]
        for item in ("id_00000001", "id_00000002")
    )
    assert min(white) > max(navy) + 60


def middle(path: Path) -> float:
    with Image.open(path) as photo:
        box = (photo.width * 2 // 5, photo.height * 2 // 5, photo.width * 3 // 5, photo.height // 2)
        return float(np.asarray(photo.convert("L").crop(box)).mean())


def test_the_same_seed_draws_the_same_bytes_and_another_seed_others(
    few: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sample_catalog, "ASSORTMENT", ASSORTMENT[:1])
    monkeypatch.setattr(sample_catalog, "WORKERS", 1)
    draw_catalog(tmp_path / "again")
    draw_catalog(tmp_path / "other", seed=8)
    for path in (tmp_path / "again").rglob("*.jpg"):
        key = path.relative_to(tmp_path / "again")
        assert path.read_bytes() == (few / key).read_bytes()
        assert path.read_bytes() != (tmp_path / "other" / key).read_bytes()


def test_an_interrupted_drawing_is_completed_and_what_was_drawn_is_kept(
    few: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sample_catalog, "ASSORTMENT", ASSORTMENT[:2])

    def interrupt(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        draw_catalog(tmp_path, progress=interrupt)
    assert not (tmp_path / PARTITION).exists()
    kept = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.jpg")}
    assert kept
    lost = next(iter(kept))
    lost.unlink()
    draw_catalog(tmp_path)
    for key, _, _ in rows_of(tmp_path):
        assert (tmp_path / key).read_bytes() == (few / key).read_bytes()
    assert all(path.stat().st_mtime_ns == then for path, then in kept.items() if path != lost)


def test_a_complete_catalog_is_left_alone(few: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise AssertionError("drew again")

    monkeypatch.setattr(sample_catalog, "_draw", refuse)
    draw_catalog(few, seed=99)


def test_progress_ends_at_the_number_of_photos(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sample_catalog, "ASSORTMENT", ASSORTMENT[:1])
    heard: list[tuple[int, int]] = []
    draw_catalog(tmp_path, progress=lambda done, total: heard.append((done, total)))
    total = len(list(tmp_path.rglob("*.jpg")))
    assert heard[-1] == (total, total)
    assert [done for done, _ in heard] == sorted(done for done, _ in heard)


@pytest.mark.slow
def test_every_product_can_be_drawn_from_every_side() -> None:
    """One photo of each, the views in turn: a blank one would have next to no contrast."""

    def contrast(item: int) -> float:
        session = sample_catalog._Session(
            sample_catalog.Photo("", item, 1, VIEWS[item % len(VIEWS)]), seed=7
        )
        photo = session.take(VIEWS[item % len(VIEWS)])
        return float(np.asarray(photo.convert("L"), dtype=np.float32).std())

    with ThreadPoolExecutor(4) as pool:
        assert min(pool.map(contrast, range(len(ASSORTMENT)))) > 4


def test_the_shop_has_a_product_file_that_can_be_used_as_it_is() -> None:
    feed = read_feed(FEED, feed_text(ASSORTMENT).encode())
    assert feed.dialect == "Google Merchant"
    assert feed.problems == ()
    assert len({product.item_group_id for product in feed.products}) == len(ASSORTMENT)
    for product in feed.products:
        assert product.title
        assert product.price is not None
        assert product.color
        assert product.link.startswith("https://shop.example/")
    assert any(product.sale_price for product in feed.products)
    assert any(product.availability == "out_of_stock" for product in feed.products)
    assert {product.size for product in feed.products} >= {"S", "M", "L", "40", ""}


def test_every_color_of_the_product_file_has_its_pictures() -> None:
    feed = read_feed(FEED, feed_text(ASSORTMENT).encode())
    named = {image for product in feed.products for image in product.images}
    assert named == {photo.key for photo in _photos()}
