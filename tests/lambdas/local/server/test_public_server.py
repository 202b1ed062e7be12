"""`lens serve` as a process that strangers reach: its key, its rate, a proxy before it.

Covers: app, walls.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from tests.e2e.serving import serving
from tests.lambdas.local.photos import garment, write_photos

pytestmark = pytest.mark.slow

KEY = "0123456789abcdef0123"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of photos; its gallery is made once."""
    folder = tmp_path_factory.mktemp("public") / "photos"
    write_photos(folder, range(8))
    return folder


@pytest.fixture
def closed(folder: Path) -> Iterator[str]:
    made = folder.parent / "artifacts"
    with serving(folder, made, 8, LENS_API_KEYS=KEY, LENS_RATE="5") as server:
        yield server.address


def test_a_key_opens_and_its_rate_is_kept(closed: str) -> None:
    photo = {"file": garment(3)}
    assert httpx.post(f"{closed}/api/search-image", files=photo).status_code == 401
    with httpx.Client(base_url=closed, auth=("anybody", KEY)) as browser:
        assert "<title>Image Lens" in browser.get("/").text
        replies = [browser.post("/api/search-image", files=photo) for _ in range(6)]
        assert [reply.status_code for reply in replies] == [200] * 5 + [429]
        assert replies[5].json()["error"]["code"] == "too_often"
        assert 1 <= int(replies[5].headers["retry-after"]) <= 12
        thumb = replies[0].json()["hits"][0]["thumb_url"]
        assert browser.get(thumb).status_code == 200


@pytest.mark.parametrize(
    ("trusted", "statuses", "scheme"),
    [("", [200, 429], "http"), ("127.0.0.0/8", [200, 200], "https")],
)
def test_only_a_trusted_proxy_says_who_asks_and_by_which_scheme(
    folder: Path, trusted: str, statuses: list[int], scheme: str
) -> None:
    with serving(
        folder,
        folder.parent / "artifacts",
        8,
        LENS_TRUSTED_PROXY=trusted,
        LENS_RATE="1",
        FORWARDED_ALLOW_IPS="*",  # uvicorn's own variable has no say
    ) as server:
        replies = [
            httpx.get(
                f"{server.address}/api/categories",
                headers={"X-Forwarded-For": address, "X-Forwarded-Proto": "https"},
            )
            for address in ("192.0.2.1", "192.0.2.2")
        ]
    assert [reply.status_code for reply in replies] == statuses
    photo = replies[0].json()["categories"][0]["photo"]
    assert photo["image_url"].startswith(f"{scheme}://{urlsplit(server.address).netloc}/catalog/")
