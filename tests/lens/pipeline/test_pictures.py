"""Pictures that a product file names by address, from a real server into a real gallery.

Covers: own_photos, picture_plan, picture_state, pictures.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from lambdas.local.pipeline import Pipeline, next_sequencer
from lens.errors import StorageError
from lens.feed.pictures import picture_id, picture_in
from lens.fetching.fetch import Fetcher
from lens.gallery.commits import read_head
from lens.gallery.current import read_current
from lens.gallery.gallery import Gallery
from lens.gallery.loading import load_gallery
from lens.gallery.rows import Kind
from lens.gallery.versions import Look, Version
from lens.pipeline import pictures as module
from lens.pipeline.pictures import Pictures, PicturesReport, report_pictures
from lens.pipeline.promote import promote
from lens.search.products import sold_as
from lens.settings import Settings
from lens.storage.formats import announce_format
from tests.support.clock import Clock
from tests.support.https_server import PictureShop, picture_shop
from tests.support.tiny_model import png, write_tiny_model

_COLUMNS = "id,title,item_group_id,product_type,availability,image_link,additional_image_link"


class Shop:
    """A folder of photos, a product file, a server with its pictures, and their gallery."""

    def __init__(self, root: Path, server: PictureShop) -> None:
        self.server = server
        self.folder = root / "photos"
        self.folder.mkdir()
        self.settings = Settings(
            catalog=str(self.folder), artifacts=str(root / "made"), threads=2, feed_pictures=True
        )
        self.pipeline = Pipeline(self.settings)
        artifacts = self.pipeline.artifacts
        announce_format(artifacts, 0.0)
        model_id = write_tiny_model(artifacts).model_id
        promote(artifacts, self.pipeline.catalog, model_id, self.pipeline.look)
        self.clock = Clock()
        self.clock.now = 1e9
        self.told: list[list[str]] = []
        self.start()

    def start(self) -> None:
        """Begin anew, as another process."""
        self.pictures = Pictures(
            self.pipeline.catalog,
            self.pipeline.artifacts,
            self.server.fetcher,
            pause=0.0,
            clock=self.clock,
        )

    def sell(self, *rows: str) -> None:
        """Write the product file; `@` stands for the server's address."""
        text = "\n".join([_COLUMNS, *rows]).replace("@", self.server.address)
        (self.folder / "products.csv").write_text(text + "\n")
        self.pipeline.reconcile()

    def offer(self, *paths: str) -> None:
        """Put pictures on the server."""
        for path in paths:
            self.server.pictures[path] = png(len(self.server.pictures) + 1)

    def fetch(self) -> int:
        def look(keys: list[str]) -> None:
            self.told.append(keys)
            looks = [Look(key, Version.of_event(next_sequencer())) for key in keys]
            self.pipeline.look(looks)

        return self.pictures.run(look)

    def gallery(self) -> Gallery:
        current = read_current(self.pipeline.artifacts)
        assert current is not None
        head = read_head(self.pipeline.artifacts, current.live)
        return load_gallery(self.pipeline.artifacts, head)

    def keys(self) -> list[str]:
        return sorted(row.key for row in self.gallery().photos())

    def of(self, path: str) -> str:
        """The key's last part for a picture of the server."""
        return f"feed-{picture_id(self.server.address + path)}.png"

    def sold(self) -> dict[str, str]:
        """By key the product that it is sold as."""
        gallery = self.gallery()
        found = {row.key: sold_as(gallery, row) for row in gallery.photos()}
        return {key: sold.product.id for key, sold in found.items() if sold}

    def report(self) -> PicturesReport:
        shelf = self.gallery().shelf
        assert shelf is not None
        ports = self.server.fetcher.ports
        return report_pictures(
            self.pipeline.catalog, self.pipeline.artifacts, shelf.assortment, ports
        )


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with picture_shop(tmp_path) as server:
        yield Shop(tmp_path, server)


def test_a_products_pictures_become_photos_of_its_item_and_category(shop: Shop) -> None:
    shop.offer("/a.jpg", "/a2.jpg", "/b.jpg?v=1")
    shop.sell(
        "A,Dress,,Women > Dresses,in_stock,@/a.jpg,@/a2.jpg",
        "B-M,Shirt,B,Men > Shirts,in_stock,@/b.jpg?v=1,",
    )
    assert shop.fetch() == 3
    assert shop.sold() == {
        f"Women/Dresses/A/{shop.of('/a.jpg')}": "A",
        f"Women/Dresses/A/{shop.of('/a2.jpg')}": "A",
        f"Men/Shirts/B/{shop.of('/b.jpg?v=1')}": "B-M",
    }
    rows = {row.key: (row.item_id, row.category) for row in shop.gallery().photos()}
    assert rows[f"Men/Shirts/B/{shop.of('/b.jpg?v=1')}"] == ("Men/Shirts/B", "Men/Shirts")
    # Nothing was written among the shop's own photos.
    assert [path.name for path in shop.folder.iterdir()] == ["products.csv"]
    assert shop.report().there == 3 and shop.report().lacking == 0


def test_each_variant_is_sold_by_its_own_picture_and_a_shared_one_by_what_is_there(
    shop: Shop,
) -> None:
    shop.offer("/red.jpg", "/blue.jpg")
    shop.sell(
        "R-S,Dress,D,,out_of_stock,@/red.jpg,",
        "R-M,Dress,D,,in_stock,@/red.jpg,",
        "B-S,Dress,D,,in_stock,@/blue.jpg,",
    )
    assert shop.fetch() == 2
    assert shop.sold() == {
        f"D/{shop.of('/red.jpg')}": "R-M",
        f"D/{shop.of('/blue.jpg')}": "B-S",
    }


def test_nothing_is_fetched_twice_and_nothing_at_all_for_what_has_photos(shop: Shop) -> None:
    (shop.folder / "A").mkdir()
    (shop.folder / "A" / "1.png").write_bytes(png(90))
    (shop.folder / "own.png").write_bytes(png(91))
    shop.offer("/a.jpg", "/b.jpg", "/own.png")
    shop.sell("A,Dress,,,in_stock,@/a.jpg,", "B,Shirt,,,in_stock,@/b.jpg,", "C,Coat,,,,@/own.png,")
    assert shop.fetch() == 1
    shop.start()
    assert shop.fetch() == 0
    assert shop.server.asked == ["/b.jpg"]
    assert shop.keys() == sorted(["A/1.png", "own.png", f"B/{shop.of('/b.jpg')}"])


def test_what_has_photos_is_told_by_the_layout_too(shop: Shop) -> None:
    """`front_A.png` begins with no product: LENS_LAYOUT says whose it is, to a search too."""
    for view in ("front", "back"):
        (shop.folder / f"{view}_A.png").write_bytes(png(len(view)))
    shop.pipeline.settings = shop.settings.model_copy(update={"layout": "*_{item}"})
    shop.offer("/a.jpg", "/b.jpg")
    shop.sell("A,Dress,,,in_stock,@/a.jpg,", "B,Shirt,,,in_stock,@/b.jpg,")
    assert shop.sold() == {"front_A.png": "A", "back_A.png": "A"}
    assert shop.fetch() == 1
    assert shop.server.asked == ["/b.jpg"]


def test_a_drive_that_is_not_mounted_has_nothing_fetched_for_it(shop: Shop) -> None:
    (shop.folder / "A.png").write_bytes(png(90))
    shop.offer("/a.jpg")
    shop.sell("A,Dress,,,in_stock,@/a.jpg,")
    away = shop.folder.rename(shop.folder.with_name("away"))
    with pytest.raises(StorageError, match="there is no folder"):
        shop.fetch()
    away.rename(shop.folder)
    assert shop.fetch() == 0
    assert shop.server.asked == []


def test_an_empty_mount_point_has_nothing_fetched_for_it_for_a_day(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    """The folder is there and empty, and the gallery has followed it; the product file is not in
    it."""
    shop.offer("/a.jpg", "/b.jpg")
    feed = shop.folder.parent / "products.csv"
    rows = (f"{_COLUMNS}\nA,Dress,,,in_stock,@/a.jpg,\nB,Bag,,,in_stock,@/b.jpg,\n").replace(
        "@", shop.server.address
    )
    feed.write_text(rows)
    shop.settings = shop.settings.model_copy(update={"feed": str(feed)})
    shop.pipeline = Pipeline(shop.settings)
    (shop.folder / "A.png").write_bytes(png(50))
    shop.pipeline.reconcile()
    shop.start()
    assert shop.fetch() == 1
    assert shop.server.asked == ["/b.jpg"]
    mounted = (shop.folder / "A.png").rename(shop.folder.parent / "A.png")
    shop.pipeline.reconcile()
    assert len(shop.keys()) == 2, "the photo that is away is held"
    for _ in range(2):  # by another process too
        assert shop.fetch() == 0
        assert "all of the shop's own photos are gone at once" in caplog.text
        shop.start()
        caplog.clear()
    assert shop.report().state.absent_since == shop.clock.now
    mounted.rename(shop.folder / "A.png")
    shop.pipeline.reconcile()
    assert shop.fetch() == 0
    assert shop.report().state.absent_since is None
    assert shop.server.asked == ["/b.jpg"]
    (shop.folder / "A.png").unlink()  # now it is meant
    shop.pipeline.reconcile()
    assert shop.fetch() == 0
    shop.clock.now += 86_400
    assert shop.fetch() == 1
    shop.clock.now += 1
    assert shop.fetch() == 0
    assert shop.server.asked == ["/b.jpg", "/a.jpg"]


def test_a_photo_that_the_shop_adds_takes_the_pictures_place(shop: Shop) -> None:
    shop.offer("/a.jpg")
    shop.sell("A,Dress,,,in_stock,@/a.jpg,")
    shop.fetch()
    (shop.folder / "A.png").write_bytes(png(90))
    shop.pipeline.reconcile()
    shop.fetch()
    assert shop.keys() == ["A.png"]


def test_a_changed_address_is_fetched_and_one_that_is_gone_leaves(shop: Shop) -> None:
    shop.offer("/1.jpg", "/2.jpg", "/3.jpg")
    shop.sell("A,Dress,,,in_stock,@/1.jpg,@/2.jpg", "B,Shirt,,,in_stock,@/1.jpg,")
    shop.fetch()
    shop.sell("A,Dress,,,in_stock,@/3.jpg,")
    assert shop.fetch() == 1
    assert shop.keys() == [f"A/{shop.of('/3.jpg')}"]
    (shop.folder / "products.csv").unlink()
    shop.pipeline.reconcile()
    shop.fetch()
    assert shop.keys() == []
    assert [info.key for info in shop.pictures._store.list() if picture_in(info.key)] == []


def test_another_category_moves_a_picture_without_fetching_it(shop: Shop) -> None:
    shop.offer("/a.jpg")
    shop.sell("A,Dress,,Women,in_stock,@/a.jpg,")
    shop.fetch()
    shop.sell("A,Dress,,Women > Dresses,in_stock,@/a.jpg,")
    assert shop.fetch() == 0
    assert shop.keys() == [f"Women/Dresses/A/{shop.of('/a.jpg')}"]
    assert shop.server.asked == ["/a.jpg"]


def test_a_file_that_names_far_less_than_before_removes_nothing_for_a_day(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_FEW", 2)
    shop.offer("/1.jpg", "/2.jpg", "/3.jpg", "/4.jpg")
    rows = [f"P{number},Dress,,,in_stock,@/{number}.jpg," for number in range(1, 5)]
    shop.sell(*rows)
    shop.fetch()
    shop.sell(rows[0])
    shop.fetch()
    assert len(shop.keys()) == 4
    assert shop.report().leaving == 3
    shop.sell(*rows)  # it was a slip
    shop.fetch()
    assert len(shop.server.asked) == 4
    shop.sell(rows[0])
    shop.fetch()
    shop.clock.now += 86_399
    shop.start()
    shop.fetch()
    assert len(shop.keys()) == 4
    shop.clock.now += 2
    shop.fetch()
    assert shop.keys() == [f"P1/{shop.of('/1.jpg')}"]


def test_a_bad_picture_costs_itself_is_named_and_is_asked_again_after_a_day(shop: Shop) -> None:
    shop.offer("/good.jpg")
    shop.server.pictures |= {
        "/page.jpg": (200, {"Content-Type": "text/html"}, b"<html>"),
        "/lies.jpg": b"GIF89a",
        "/large.jpg": bytes(1_000_001),
        "/inside.jpg": (302, {"Location": "https://inside.example/latest/meta-data"}, b""),
        "/broken.jpg": png(50)[:60],
    }
    bad = ["missing", "page", "lies", "large", "inside"]
    shop.sell(
        "G,Dress,,,in_stock,@/good.jpg,",
        "X,Dress,,,in_stock,@/broken.jpg,",
        *(f"{name},Dress,,,in_stock,@/{name}.jpg," for name in bad),
        "H,Dress,,,in_stock,http://shop.example/a.jpg,",
        "M,Dress,,,in_stock,https://169.254.169.254/latest/meta-data,",
        "U,Dress,,,in_stock,https://user:secret@shop.example/a.jpg,",
        "N,Dress,,,in_stock,https:///a.jpg,",
    )
    assert shop.fetch() == 2
    assert shop.keys() == [f"G/{shop.of('/good.jpg')}"]
    known = shop.gallery().known
    rejected = [known[at] for at in range(len(known)) if known.kind[at] == Kind.REJECTION]
    assert [row.key for row in rejected] == [f"X/{shop.of('/broken.jpg')}"]
    report = shop.report()
    why = {each.product: each.why for each in report.state.failures.values()}
    assert set(why) == set(bad) and report.lacking == 0
    assert "404" in why["missing"] and "not that of a photo" in why["page"]
    assert "no photo" in why["lies"] and "1.0 MB" in why["large"]
    assert "not on the public internet" in why["inside"]
    unusable = {each.product: each.why for each in report.plan.unusable}
    assert set(unusable) == {"H", "M", "U", "N"}
    assert "public internet" in unusable["M"] and "https://" in unusable["H"]

    asked = len(shop.server.asked)
    shop.start()
    assert shop.fetch() == 0
    assert len(shop.server.asked) == asked
    shop.offer("/missing.jpg")
    shop.clock.now += 86_401
    assert shop.fetch() == 1
    assert {each.product for each in shop.report().state.failures.values()} == set(bad[1:])


def test_a_run_that_is_killed_goes_on_with_what_lacks(shop: Shop) -> None:
    paths = [f"/{number}.jpg" for number in range(30)]
    shop.offer(*paths)
    shop.sell(*(f"P{n},Dress,,,in_stock,@{path}," for n, path in enumerate(paths)))

    class Killed(BaseException):
        pass

    def die(keys: Sequence[str]) -> None:
        raise Killed

    with pytest.raises(Killed):
        shop.pictures.run(die)
    stored = len([info for info in shop.pictures._store.list() if picture_in(info.key)])
    assert 0 < stored < 30
    shop.start()
    shop.pipeline.reconcile()  # as every start does: what was fetched is found
    assert len(shop.keys()) == stored
    assert shop.fetch() == 30 - stored
    assert len(shop.keys()) == 30


def test_a_busy_host_is_left_alone_by_the_next_process_too(shop: Shop) -> None:
    shop.server.pictures["/a.jpg"] = (503, {"Retry-After": "3600"}, b"")
    shop.sell("A,Dress,,,in_stock,@/a.jpg,")
    shop.fetch()
    shop.start()
    shop.fetch()
    assert shop.server.asked == ["/a.jpg"]
    (why,) = [rest.why for rest in shop.report().state.hosts.values()]
    assert "503" in why and shop.report().lacking == 1


def test_a_damaged_state_costs_nothing_but_requests(shop: Shop) -> None:
    shop.sell("A,Dress,,,in_stock,@/missing.jpg,")
    shop.fetch()
    shop.pipeline.artifacts.write("fetching.json", b"{")
    shop.start()
    shop.fetch()
    assert shop.server.asked == ["/missing.jpg"] * 2
    assert len(shop.report().state.failures) == 1


def test_other_files_in_the_place_of_pictures_are_left_alone(shop: Shop) -> None:
    shop.pictures._store.write("notes/hat.jpg", b"mine")
    shop.offer("/a.jpg")
    shop.sell("A,Dress,,,in_stock,@/a.jpg,")
    shop.fetch()
    shop.sell("B,Dress,,,in_stock,,")
    shop.fetch()
    assert [info.key for info in shop.pictures._store.list("notes/")] == ["notes/hat.jpg"]


def test_a_run_waits_for_a_product_file(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    settings = Settings(
        catalog=str(tmp_path / "photos"), artifacts=str(tmp_path / "made"), feed_pictures=True
    )
    pipeline = Pipeline(settings)
    assert Pictures(pipeline.catalog, pipeline.artifacts, Fetcher(1000)).run() == 0
