"""The search log: its lines, what is never in them, and that its troubles fail no search.

Covers: search_log, search_lines.
"""

from __future__ import annotations

import json
import re
import shutil
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import ExifTags, Image

from lambdas.local.server.app import local_app
from lambdas.search.search_lines import SearchLine, read_line
from lambdas.search.search_log import search_log
from lens.errors import UsageError
from lens.fetching.fetch import Fetcher
from lens.photos.decoding import decode, photo_id
from lens.settings import Limits, Settings
from tests.lambdas.conftest import STOCK, Client, MakeShop, Shop
from tests.support.tiny_model import png

URL = "/api/search-image"
HERE = {"Host": "localhost"}
ITEM = "WOMEN/Dresses/id_1"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the log lies; it may be moved away and its folder be taken away."""
    folder = tmp_path / "log"
    folder.mkdir()
    return folder / "searches.jsonl"


@pytest.fixture
def logged(make_shop: MakeShop, path: Path) -> Shop:
    """A shop with six photos that keeps what is searched."""
    shop = make_shop(search_log=str(path), fetch_urls=True)
    for key, seed in STOCK.items():
        shop.put(key, png(seed))
    shop.open()
    return shop


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def with_position() -> bytes:
    """A JPEG as a phone makes it: maker, model, and where it was taken."""
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "Telltale"
    exif[ExifTags.Base.Model] = "Handset 7"
    position = {1: "N", 2: (52.0, 31.0, 12.0), 3: "E", 4: (13.0, 24.0, 18.0), 29: "2026:11:26"}
    exif.get_ifd(ExifTags.IFD.GPSInfo).update(position)
    out = BytesIO()
    Image.open(BytesIO(png(1))).convert("RGB").save(out, "JPEG", quality=95, exif=exif)
    data = out.getvalue()
    assert Image.open(BytesIO(data)).getexif().get_ifd(ExifTags.IFD.GPSInfo)[2] == (52, 31, 12)
    return data


def test_a_search_is_a_line_and_its_reply_names_it(logged: Shop, path: Path) -> None:
    reply = logged.search(png(1), category="WOMEN", top_k="3").json()
    (line,) = lines(path)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", line.pop("time"))
    assert line == {
        "event": "search",
        "search_id": reply["search_id"],
        "kind": "photo",
        "category": "WOMEN",
        "group": "photo",
        "match": None,  # the tiny model has no calibration
        "match_probability": None,
        "hits": 3,
        "items": [ITEM, "WOMEN/Tops/id_2"],  # each once
    }


def test_every_kind_of_search_is_told_apart(
    logged: Shop, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Fetcher, "fetch", lambda *_: png(3))
    post, get = logged.client.post, logged.client.get
    replies = [
        logged.search(png(1), group="item"),
        post(URL, data={"url": "https://shop.example/photo.png"}),
        post(URL, data={"item_id": ITEM, "category": "MEN"}),
        get(f"/api/items/{ITEM}/similar"),
    ]
    found = lines(path)
    kinds = [(each["kind"], each["group"], each["category"]) for each in found]
    assert kinds == [
        ("photo", "item", None),
        ("url", "photo", None),
        ("item", "item", "MEN"),
        ("item", "item", None),
    ]
    ids = [each["search_id"] for each in found]
    assert ids == [reply.json()["search_id"] for reply in replies]
    assert len(set(ids)) == 4
    assert "shop.example" not in path.read_text()


def test_what_is_refused_is_no_search(logged: Shop, path: Path) -> None:
    assert logged.search(b"no photo").status_code == 400
    assert logged.client.post(URL, data={"item_id": "none"}).status_code == 404
    assert path.read_bytes() == b""


def test_the_same_photo_twice_is_two_searches_with_ids_of_their_own(
    logged: Shop, path: Path
) -> None:
    """The second is answered from memory, and must not name the first."""
    replies = [logged.search(png(1)).json() for _ in range(2)]
    assert replies[0].pop("search_id") != replies[1].pop("search_id")
    assert replies[0] == replies[1]
    assert len(lines(path)) == 2


def test_it_is_off_unless_it_is_asked_for(shop: Shop, tmp_path: Path) -> None:
    before = {each for each in tmp_path.rglob("*") if each.is_file()}
    assert shop.search(png(1)).json()["search_id"] is None
    assert shop.client.get(f"/api/items/{ITEM}/similar").json()["search_id"] is None
    assert shop.health()["search_log"] == "off"
    assert {each for each in tmp_path.rglob("*") if each.is_file()} == before


def test_nothing_of_a_photo_or_of_its_sender_is_kept_anywhere(
    logged: Shop, path: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Not in the log, the access log, a cache, a thumbnail, nor any file of the shop."""
    access = tmp_path / "access.log"
    settings = Settings.model_validate({**logged.settings.model_dump(), "access_log": str(access)})
    client = Client(local_app(settings, logged.searcher, logged.pipeline.catalog))
    photo = with_position()
    sender = {
        "Host": "localhost",
        "X-Forwarded-For": "192.0.2.77",
        "User-Agent": "Telltale/7",
        "Cookie": "who=Telltale",
        "Referer": "https://telltale.example/",
    }
    files = {"file": ("Telltale 52.52N.jpg", photo, "image/jpeg")}
    for _ in range(2):
        assert client.post(URL, files=files, headers=sender).status_code == 200
    assert access.read_text() and path.read_text()
    kept = [each.read_bytes() for each in tmp_path.rglob("*") if each.is_file()]
    told = "".join(capfd.readouterr())
    for trace in ("Telltale", "192.0.2.77", photo_id(photo), "52.52", "Exif"):
        assert not any(trace.encode() in data for data in kept), trace
        assert trace not in told


def test_a_catalog_photos_position_is_in_no_thumbnail(logged: Shop) -> None:
    photo = with_position()
    logged.put("MEN/Coats/id_9/front.jpg", photo)
    logged.settle()
    reply = logged.client.get(f"/api/thumb/{photo_id(photo)}")
    small = Image.open(BytesIO(reply.content))
    assert small.format == "JPEG"
    assert not dict(small.getexif()) and not small.info.keys() & {"exif", "xmp", "comment"}
    assert b"Exif" not in reply.content and b"Telltale" not in reply.content


def test_a_decoded_photo_has_no_position() -> None:
    pixels = decode(with_position(), Limits())
    assert pixels.info == {} and not dict(pixels.getexif())


def test_a_category_that_is_a_letter_is_cut(logged: Shop, path: Path) -> None:
    logged.search(png(1), category="x" * 5_000)
    (line,) = lines(path)
    assert len(line["category"]) == 200 and line["hits"] == 0


def test_standard_output_may_be_the_log(
    make_shop: MakeShop, capsys: pytest.CaptureFixture[str]
) -> None:
    shop = make_shop(search_log="-")
    reply = shop.search(png(1)).json()
    line = read_line(capsys.readouterr().out)
    assert isinstance(line, SearchLine)
    assert (line.search_id, line.hits, line.found) == (reply["search_id"], 0, False)


def test_a_log_that_fails_costs_its_lines_and_no_search_and_is_told(
    logged: Shop, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert logged.health()["search_log"] == "on"
    shutil.rmtree(path.parent)
    replies = [logged.search(png(1)) for _ in range(3)]
    assert [reply.status_code for reply in replies] == [200, 200, 200]
    assert logged.health()["search_log"] == "failing"
    told = [message for message in caplog.messages if "search log" in message]
    assert told == ["the search log loses lines: No such file or directory"]
    path.parent.mkdir()
    logged.search(png(1))
    assert logged.health()["search_log"] == "on"
    assert "lost so far: 3 lines" in caplog.messages[-1]
    assert len(lines(path)) == 1


def test_lost_lines_are_in_the_metrics(logged: Shop, path: Path) -> None:
    client = Client(local_app(logged.settings, logged.searcher, logged.pipeline.catalog))
    shutil.rmtree(path.parent)
    client.post(URL, files={"file": png(1)}, headers=HERE)
    assert "lens_search_log_lost_total 1.0" in client.get("/metrics", headers=HERE).text


@pytest.mark.parametrize(
    ("name", "why"), [("missing/x", "No such file or directory"), ("", "Is a directory")]
)
def test_a_path_that_cannot_be_written_is_told_at_the_start(
    tmp_path: Path, name: str, why: str
) -> None:
    target = str(tmp_path / name)
    with pytest.raises(UsageError, match=why) as told:
        search_log(Settings(search_log=target))
    assert str(told.value).startswith(f"LENS_SEARCH_LOG={target!r}: ")
    assert "name a file" in str(told.value)
