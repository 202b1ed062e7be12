"""Recognition: layouts that are told apart by many products, and traps that are none.

Covers: recognition, layout, stored.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.local.sample.catalog import _photos as drawn_photos
from lens.photos.catalog import category, item_id, parse_partition
from lens.photos.layouts.layout import BY_FOLDERS, Layout, Placed, Rule
from lens.photos.layouts.recognition import recognize
from lens.photos.layouts.stored import KEY, read_layout, store_layout
from lens.storage import FileStorage
from lens.storage.formats import announce_format
from tests.support.storefront import LAYOUTS, MORE_LAYOUTS, Photo, read_photos


@pytest.fixture(scope="module")
def photos(storefront: Path) -> list[Photo]:
    return read_photos(storefront)


def grouped(layout: Layout, keys: Iterable[str]) -> set[frozenset[str]]:
    groups: dict[str, set[str]] = defaultdict(set)
    for key in keys:
        groups[layout.place(key, {}).item_id].add(key)
    return set(map(frozenset, groups.values()))


@pytest.mark.parametrize("name", [*LAYOUTS, *MORE_LAYOUTS])
def test_storefront_is_grouped_right_in_each_layout_without_a_feed(
    photos: list[Photo], name: str
) -> None:
    write = {**LAYOUTS, **MORE_LAYOUTS}[name]
    keys = [write(photo) for photo in photos]
    layout = recognize(keys)
    right: dict[str, set[str]] = defaultdict(set)
    for photo, key in zip(photos, keys, strict=True):
        right[photo.sku].add(key)
    assert grouped(layout, keys) == set(map(frozenset, right.values()))
    for photo, key in zip(photos, keys, strict=True):
        place = layout.place(key, {})
        assert place.category == (photo.folder if photo.folder in key else "")
        if "Magento" not in name:
            assert PurePosixPath(place.item_id).name == photo.sku
        if "variant" in name:
            assert place.variant == photo.color
    assert recognize(keys, layout) == layout


def test_photos_whose_files_a_shop_did_not_sort_are_grouped_by_magentos_names(
    photos: list[Photo],
) -> None:
    # Without folders, five bags and bras are of one name each in that shop.
    keys = [photo.original for photo in photos]
    assert recognize(keys).root == Rule("code")
    assert len(grouped(recognize(keys), keys)) == 256


def test_partition_and_drawn_shop_are_as_they_were(storefront: Path) -> None:
    partition = parse_partition((storefront / "list_eval_partition.txt").read_text())
    drawn = [photo.key for photo in drawn_photos()]
    for keys, named in ((list(partition), partition), (list(partition), {}), (drawn, {})):
        layout = recognize(keys)
        assert layout == Layout()
        for key in keys:
            place = layout.place(key, named)
            assert (place.item_id, place.category) == (item_id(key, named), category(key))


TRAPS = {
    "a camera's": [f"IMG_{n:04}.jpg" for n in range(1, 60)],
    "a camera's, with copies": [
        f"shoes/IMG_{n:04}{c}.jpg" for n in range(60) for c in ("", " (1)")
    ],
    "a camera's with three digits": [f"IMG_{n:03}.jpg" for n in range(1, 60)],
    "dates": [f"2024-0{m}-{d:02}.jpg" for m in range(1, 6) for d in range(1, 12)],
    "times": [f"20240501_1015{n:02}.jpg" for n in range(60)],
    "numbers": [f"{n}.png" for n in range(60)],
    "numbered products": [f"dress-{n}.jpg" for n in range(7, 15)]
    + [f"shirt-{n}.jpg" for n in range(21, 31)]
    + [f"skirt-{n}.jpg" for n in range(40, 55)],
    "numbered kinds": [f"{w}_{n}.jpg" for w in ("dress", "shirt", "shoe") for n in range(1, 9)],
    "albums": [f"{w}-{n:02}.jpg" for w in ("summer-party", "our-shop") for n in range(1, 41)],
    "In-Shop's": [
        f"img/WOMEN/Dresses/id_{i:08}/{c:02}_{v}.jpg"
        for i in range(9)
        for c in range(1, 5)
        for v in ("1_front", "2_side", "4_full")
    ],
    "views with a number": [
        f"WOMEN/sku{i}/look{c}_{v}.jpg" for i in range(9) for c in range(1, 5) for v in (1, 2)
    ],
    "colors of products without a number": [
        f"shoes/{c}-{k}/side.jpg" for c in ("red", "blue", "green") for k in ("boot", "sneaker")
    ],
    "seasons": [f"ss{y}/{k}/{n}.jpg" for y in (23, 24, 25) for k in "abc" for n in range(3)],
    "genders and kinds": [
        f"{g}/{k}/{n}.jpg"
        for g in ("MEN", "WOMEN", "KIDS")
        for k in ("Tees", "Pants")
        for n in "123"
    ],
    "one product": [f"SKU1_{n}.jpg" for n in range(5)],
}


@pytest.mark.parametrize("name", TRAPS)
def test_what_is_no_product_is_left_to_the_folders(name: str) -> None:
    assert recognize(TRAPS[name]) == Layout()


def test_two_products_with_several_photos_are_enough_in_no_folder() -> None:
    keys = ["SKU123_1.jpg", "SKU123_2.jpg", "SKU124_1.jpg", "SKU124_2.jpg", "SKU125.jpg"]
    layout = recognize(keys)
    assert [layout.place(key, {}).item_id for key in keys] == [
        *("SKU123", "SKU123", "SKU124", "SKU124", "SKU125")
    ]


def test_parts_of_a_catalog_have_layouts_of_their_own() -> None:
    flat = [f"MEN/A{i}_{n}.jpg" for i in range(20) for n in (1, 2)]
    folders = [f"WOMEN/B{i}/{n}.jpg" for i in range(20) for n in (1, 2)]
    variants = [f"KIDS/C{i}/{c}/{n}.jpg" for i in range(9) for c in ("red", "blue") for n in (1, 2)]
    layout = recognize([*flat, *folders, *variants, "logo.jpg", "IMG_0001.jpg"])
    assert layout.place(flat[0], {})[:2] == ("MEN/A0", "MEN")
    assert layout.place(folders[0], {})[:2] == ("WOMEN/B0", "WOMEN")
    assert layout.place(variants[0], {})[:3] == ("KIDS/C0", "KIDS", "red")
    assert layout.place("logo.jpg", {})[0] == "logo.jpg"


def test_a_camera_name_among_products_is_a_product_of_its_own() -> None:
    layout = recognize([f"A{i}_{n}.jpg" for i in range(20) for n in (1, 2)])
    assert layout.place("IMG_0001.jpg", {}) == Placed("IMG_0001.jpg", "", told="itself")
    assert layout.place("front.jpg", {}) == Placed("front.jpg", "", told="itself")


codes = st.from_regex(r"[A-F]{1,3}[0-9]{2,5}", fullmatch=True)  # not IMG
shops = st.lists(
    st.tuples(codes, st.integers(1, 6)), min_size=6, max_size=40, unique_by=lambda p: p[0]
)
separators = st.sampled_from(["_", "-", ".", " ", " ("])


@given(shops, separators, st.sampled_from(["", "MEN/", "a/b c/"]), st.randoms())
def test_products_by_number_are_recognized_whatever_stands_between(
    shop: list[tuple[str, int]], separator: str, folder: str, chance: random.Random
) -> None:
    end = ")" if separator == " (" else ""
    shop = [("AA11", 3), ("BB22", 3), ("CC33", 2), *shop]
    shop = list({code.casefold(): (code, views) for code, views in shop}.values())
    keys = [f"{folder}{c}{separator}{n}{end}.jpg" for c, views in shop for n in range(1, views + 1)]
    chance.shuffle(keys)
    layout = recognize(keys)
    assert len(grouped(layout, keys)) == len(shop)
    assert recognize(reversed(keys)) == layout, "the order of the keys says nothing"


@given(st.lists(st.text("abcIMG019_-/. ", min_size=1, max_size=20), max_size=30))
def test_any_keys_have_a_layout_that_stays(texts: list[str]) -> None:
    keys = [f"{text}x.jpg" for text in texts]
    layout = recognize(keys)
    assert recognize(keys, layout) == layout
    for key in keys:
        assert layout.place(key, {}).item_id


@pytest.mark.parametrize(
    "odd",
    [
        ["size-chart.jpg", "IMG_0001.jpg"],
        [f"IMG_{n:04}.jpg" for n in range(30)],
        [f"MEN/{n}.jpg" for n in range(9)],
    ],
)
def test_odd_files_do_not_regroup_a_gallery(odd: Sequence[str]) -> None:
    for shape in ("A{i}_{n}.jpg", "MEN/A{i}_{n}.jpg", "A{i}/{c}/{n}.jpg", "MEN/A{i}/{n}.jpg"):
        keys = [shape.format(i=i, n=n, c=("red", "blue")[n - 1]) for i in range(20) for n in (1, 2)]
        layout = recognize(keys)
        after = recognize([*keys, *odd], layout)
        assert grouped(after, keys) == grouped(layout, keys)
        assert all(after.place(k, {})[:2] == layout.place(k, {})[:2] for k in keys)


def test_what_was_recognized_is_kept_until_it_says_nothing_of_most() -> None:
    keys = [f"A{i}_{n}.jpg" for i in range(20) for n in (1, 2)]
    layout = recognize(keys)
    assert layout.root == Rule("code")
    assert recognize(keys[:1], layout) == layout
    assert recognize([], layout) == layout
    cameras = [f"IMG_{n:04}.jpg" for n in range(100)]
    assert recognize([*keys, *cameras], layout) == Layout()
    assert recognize(keys, Layout("{item}_*")) == layout, "what was given is forgotten"


def test_a_catalog_that_grows_is_recognized_once_there_is_enough() -> None:
    layout = recognize(["A1_1.jpg", "A1_2.jpg"])
    assert layout == Layout()
    layout = recognize(["A1_1.jpg", "A1_2.jpg", "A2_1.jpg", "A2_2.jpg"], layout)
    assert layout.root == Rule("code")


def test_a_layout_comes_back_as_it_was_stored(tmp_path: Path) -> None:
    storage = FileStorage(tmp_path)
    announce_format(storage, 0.0)
    assert read_layout(storage) == Layout()
    store_layout(storage, Layout())
    assert storage.head(KEY) is None, "nothing is written that says nothing"
    for layout in (
        Layout("{category}/{item}_*"),
        Layout("folders"),
        Layout(root=Rule("code"), rest=Rule("whole", True), folders={"ü x": BY_FOLDERS}),
        Layout(),
    ):
        assert store_layout(storage, layout) == layout == read_layout(storage)


def test_a_layout_waits_while_an_earlier_release_may_run(tmp_path: Path) -> None:
    storage = FileStorage(tmp_path)
    storage.write("current.json", b"{}")
    announce_format(storage, 4_000_000_000.0)
    assert store_layout(storage, Layout("folders")) == Layout()
    assert storage.head(KEY) is None


@pytest.mark.parametrize(
    ("layout", "text"),
    [
        (Layout(), "SKU/1.jpg: a folder is a product"),
        (Layout("folders"), "folders (LENS_LAYOUT)"),
        (Layout(root=Rule("whole")), "SKU_1.jpg (recognized)"),
        (Layout(rest=Rule("no", True)), "SKU/variant/1.jpg (recognized)"),
        (
            Layout(rest=Rule("code"), folders={"MEN": BY_FOLDERS}),
            "SKU_1.jpg, SKU_variant_1.jpg in folders; SKU/1.jpg in MEN/ (recognized)",
        ),
    ],
)
def test_a_layout_can_be_said_in_a_line(layout: Layout, text: str) -> None:
    assert layout.text == text


def test_a_picture_that_was_fetched_lies_where_its_folders_say_whatever_the_layout() -> None:
    key = "Women/Dresses/SKU12/feed-0123456789abcdef.jpg"
    by_name = Layout(rest=Rule(names="whole"))
    for layout in (by_name, Layout("{category}/{item}_*"), Layout("{item}/*")):
        placed = layout.place(key, {})
        assert (placed.item_id, placed.category) == ("Women/Dresses/SKU12", "Women/Dresses")
