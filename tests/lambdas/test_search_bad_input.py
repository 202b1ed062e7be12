"""The HTTP API (lambdas/search) given bad input: each gets a 4xx that says what to do.

Covers: errors, body_limit, searching.
"""

from __future__ import annotations

import gc
import resource
from collections.abc import AsyncIterator
from typing import Any

import pytest
from httpx import Response
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.lambdas.conftest import MakeShop, Shop
from tests.support.photos import PDF, SVG, VIDEO, encode, picture, png_file, text_bombs
from tests.support.tiny_model import png

URL = "/api/search-image"
KNOWN = (
    "there are: file, url, item_id, like, unlike, top_k, category, region, group, filter, sort, "
    "facets, cursor"
)
MULTIPART = {"Content-Type": "multipart/form-data; boundary=x"}
ENCODERS: dict[str, dict[str, Any]] = {
    "JPEG": {"quality": 90},
    "JPEG progressive": {"quality": 90, "progressive": True},
    "PNG": {},
    "WEBP": {"quality": 80},
    "WEBP lossless": {"lossless": True},
    "AVIF": {"speed": 10},
}


def encoded(name: str, width: int = 160, height: int = 120) -> bytes:
    return encode(picture(width, height), name.split()[0], **ENCODERS[name])


def refused(shop: Shop, reply: Response, status: int, code: str, *, hint: str) -> None:
    """The reply has this status, code and hint, as OpenAPI documents, and searches go on."""
    assert reply.status_code == status, reply.text
    assert set(reply.json()) == {"error"}
    error = reply.json()["error"]
    assert set(error) == {"code", "message", "request_id"}
    assert error["code"] == code
    assert hint in error["message"]
    assert "\n" not in error["message"]
    described = shop.app.openapi()["paths"][URL]["post"]["responses"][str(status)]
    assert code in described["content"]["application/json"]["examples"]
    assert len(shop.keys(png(1), top_k=1)) == 1


@pytest.mark.parametrize("data", [b"hello", bytes(1000), b"\xff\xd8", b"<html></html>"])
def test_what_is_not_an_image_is_refused(shop: Shop, data: bytes) -> None:
    refused(shop, shop.search(data), 400, "not_an_image", hint="send a JPEG")


def test_an_empty_file_is_refused(shop: Shop) -> None:
    refused(shop, shop.search(b""), 400, "not_an_image", hint="choose another file")


@pytest.mark.parametrize("name", ENCODERS)
@pytest.mark.parametrize("share", [0.02, 0.1, 0.3, 0.6, 0.9, 0.97])
def test_a_truncated_photo_is_refused(shop: Shop, name: str, share: float) -> None:
    whole = encoded(name)
    assert shop.search(whole).status_code == 200
    cut = whole[: max(16, int(len(whole) * share))]
    if name.startswith("JPEG") and share > (0.02 if "progressive" in name else 0.9):
        assert shop.search(cut).status_code == 200, (
            "browsers show it, and nearly all of it is there"
        )
        return
    refused(shop, shop.search(cut), 400, "broken_image", hint="choose another file")


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("PDF", PDF),
        ("SVG", SVG),
        ("video", VIDEO),
    ],
)
def test_a_type_that_is_not_accepted_is_named(shop: Shop, kind: str, data: bytes) -> None:
    hint = f"{kind} files are not accepted; send a JPEG, PNG, WebP, AVIF or HEIC file"
    refused(shop, shop.search(data), 415, "unsupported_type", hint=hint)


@pytest.mark.parametrize("kind", ["GIF", "BMP", "TIFF"])
def test_what_is_not_recommended_is_searched_with_all_the_same(shop: Shop, kind: str) -> None:
    assert shop.search(encode(picture(), kind)).status_code == 200


def test_a_kind_of_tiff_that_would_be_another_picture_is_refused(shop: Shop) -> None:
    data = encode(Image.new("F", (16, 16), 0.5), "TIFF")
    hint = "numbers with a sign or a fraction: export it as a JPEG"
    refused(shop, shop.search(data), 415, "unsupported_type", hint=hint)


def test_a_photo_over_the_byte_limit_is_refused_and_one_at_the_limit_is_not(
    make_shop: MakeShop,
) -> None:
    photo = encoded("PNG")
    shop = make_shop(max_photo_bytes=len(photo))
    shop.put("1.png", png(1))
    shop.open()
    assert shop.search(photo).status_code == 200
    hint = "send a smaller copy"
    refused(shop, shop.search(photo + b"\0"), 413, "too_many_bytes", hint=hint)
    refused(shop, shop.search(photo + bytes(100_000)), 413, "too_many_bytes", hint=hint)
    chunks = shop.client.post(URL, content=_streamed(photo + bytes(300_000)), headers=MULTIPART)
    refused(shop, chunks, 413, "too_many_bytes", hint=hint)


async def _streamed(data: bytes) -> AsyncIterator[bytes]:
    """A multipart body in pieces, so without a Content-Length."""
    yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
    for start in range(0, len(data), 65_536):
        yield data[start : start + 65_536]
    yield b"\r\n--x--\r\n"


def test_the_pixel_limit_is_checked_before_anything_is_decoded(shop: Shop) -> None:
    """Undecodable pixels prove it: decoding them would be another refusal."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    huge = png_file(30_000, 30_000, b"no pixels")
    refused(shop, shop.search(huge), 413, "too_many_pixels", hint="send a smaller copy")
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 50_000  # KiB; the pixels would be 2.7 GB


@pytest.mark.parametrize("setting", ["max_photo_pixels", "max_query_pixels"])
def test_a_photo_at_the_pixel_limit_is_accepted(make_shop: MakeShop, setting: str) -> None:
    shop = make_shop(**{setting: 100 * 100})
    assert shop.search(encode(picture(100, 100), "PNG")).status_code == 200
    assert shop.search(encode(picture(101, 100), "PNG")).status_code == 413


@pytest.mark.parametrize("kind", ["zTXt", "iTXt", "iCCP"])
@pytest.mark.parametrize("place", ["before", "after"])
def test_a_decompression_bomb_in_metadata_is_not_unpacked(
    shop: Shop, kind: str, place: str
) -> None:
    where: dict[str, Any] = {place: (text_bombs()[kind],)}
    bomb = png_file(8, 8, bytes(8 * 25), **where)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert shop.search(bomb).status_code == 200
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 50_000  # KiB


@pytest.mark.parametrize("top_k", ["0", "101", "-1", "abc", "1.5", "1e1", "９９９９", "9" * 5000])
def test_a_wrong_top_k_is_refused(shop: Shop, top_k: str) -> None:
    refused(shop, shop.search(png(1), top_k=top_k), 422, "invalid_request", hint="top_k")


@pytest.mark.parametrize(
    ("region", "hint"),
    [
        ("all", "send four numbers from 0 to 1"),
        ("WHOLE", "or 'whole'"),
        ("0.1,0.1,0.9", "send four numbers"),
        ("0.1,0.1,0.9,0.9,1", "send four numbers"),
        ("0.1,0.1,,0.9", "send four numbers"),
        ("0.1;0.1;0.9;0.9", "send four numbers"),
        ("[0.1,0.1,0.9,0.9]", "send four numbers"),
        ("0.1,0.1,nan,0.9", "send four numbers"),
        ("0,0,inf,1", "send four numbers"),
        ("0,0,1e999,1", "from 0 to 1"),
        ("-0.1,0,1,1", "from 0 to 1"),
        ("0,0,1.01,1", "from 0 to 1"),
        ("0,0,100,200", "from 0 to 1"),
        ("0,0,1_0,1", "send four numbers"),
        ("٠,٠,١,١", "send four numbers"),
        ("0.5,0,0.5,1", "x0 must be less than x1"),
        ("0.9,0.1,0.1,0.9", "x0 must be less than x1"),
        ("0.1,0.9,0.9,0.1", "y0 less than y1"),
        ("0.5,0.5,0.51,0.9", "at least 0.02"),
        ("0.5,0.5,0.9,0.500001", "at least 0.02"),
        ("0" * 199 + ",", "send four numbers"),
        ("0," * 1000, "at most 200 characters"),
    ],
)
def test_a_wrong_region_is_refused(shop: Shop, region: str, hint: str) -> None:
    reply = shop.search(png(1), region=region)
    refused(shop, reply, 422, "invalid_request", hint=hint)
    assert reply.json()["error"]["message"].startswith("region: ")


def test_the_smallest_region_is_accepted(shop: Shop) -> None:
    assert shop.search(png(1), region="0.28,0.5,0.3,0.52").status_code == 200


@pytest.mark.parametrize("field", ["top_k", "category", "region", "group"])
def test_a_field_that_is_sent_twice_is_refused(shop: Shop, field: str) -> None:
    part = b'--x\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n%s\r\n'
    values = {"top_k": b"3", "category": b"a", "region": b"whole", "group": b"item"}
    twice = 2 * (part % (field.encode(), b"", values[field]))
    body = part % (b"file", b'; filename="a"', png(1)) + twice + b"--x--\r\n"
    reply = shop.client.post(URL, content=body, headers=MULTIPART)
    refused(shop, reply, 422, "invalid_request", hint=f"{field}: send it once")


def test_too_many_photos_at_once_are_refused(shop: Shop) -> None:
    reply = shop.client.post(URL, files=[("file", png(number)) for number in range(6)])
    refused(shop, reply, 422, "invalid_request", hint="file: send at most 5")


def test_a_region_that_is_a_file_is_refused(shop: Shop) -> None:
    reply = shop.client.post(URL, files={"file": png(1), "region": png(2)})
    refused(shop, reply, 422, "invalid_request", hint="region")


def test_a_missing_file_is_asked_for_by_name(shop: Shop) -> None:
    hint = "form field 'file'"
    for parts in (
        {},
        {"data": {"top_k": "3"}},
        {"data": {"file": "text"}},
        {"json": {"file": "x"}},
        {"content": png(1), "headers": {"Content-Type": "image/png"}},
    ):
        reply = shop.client.post(URL, **parts)
        refused(shop, reply, 422, "invalid_request", hint=hint)


@pytest.mark.parametrize(
    ("field", "told"),
    [
        ("categroy", "did you mean category?"),
        ("Region", "did you mean region?"),
        ("topk", "did you mean top_k?"),
        ("limit", KNOWN),
        ("", KNOWN),
    ],
)
def test_a_field_of_another_name_is_refused_not_ignored(shop: Shop, field: str, told: str) -> None:
    """Ignored, it would search everything."""
    reply = shop.client.post("/api/search-image", files={"file": png(1)}, data={field: "5"})
    assert reply.status_code == 422
    error = reply.json()["error"]
    assert error == {
        "code": "invalid_request",
        "message": f"{field}: there is no such field; {told}",
        "request_id": reply.headers["x-request-id"],
    }


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/api/thumb/{photo}?sise=64", "sise: there is no such field; did you mean size?"),
        ("/api/thumb/{photo}?size=64&size=128", "size: send it once"),
        ("/api/items/{item}?top_k=3", "top_k: there is no such field; there are none"),
        ("/api/items/{item}/similar?top_k=3&top_k=4", "top_k: send it once"),
        ("/api/categories?category=WOMEN", "category: there is no such field; there are none"),
    ],
)
def test_another_parameter_of_a_lookup_is_refused_not_ignored(
    shop: Shop, path: str, told: str
) -> None:
    hit = shop.search(png(1)).json()["hits"][0]
    address = path.format(photo=hit["photo_id"], item=hit["item_id"])
    assert shop.client.get(address.partition("?")[0]).status_code == 200
    reply = shop.client.get(address)
    assert (reply.status_code, reply.json()["error"]["message"]) == (422, told)


def test_a_parameter_in_the_query_is_refused_not_ignored(shop: Shop) -> None:
    reply = shop.client.post(URL, files={"file": png(1)}, params={"top_k": "3"})
    refused(shop, reply, 422, "invalid_request", hint="top_k: send it as a form field")


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=", b"x"),
        ("multipart/form-data; boundary=x", b"nonsense"),
        ("multipart/form-data; boundary=x", b"--x\r\nno colon\r\n\r\nabc\r\n--x--\r\n"),
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data\r\n\r\n1"),
        ("multipart/form-data; boundary=x; charset=undefined", b"--x\r\n\r\n\r\n--x--\r\n"),
    ],
)
def test_malformed_multipart_is_refused(shop: Shop, content_type: str, body: bytes) -> None:
    reply = shop.client.post(URL, content=body, headers={"Content-Type": content_type})
    assert reply.status_code in (400, 422)
    code = "malformed_request" if reply.status_code == 400 else "invalid_request"
    refused(shop, reply, reply.status_code, code, hint="")


# Starlette leaves a part that never ends to the garbage collector, which closes its file.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_cut_multipart_body_is_refused(shop: Shop) -> None:
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'
    for body in (head[:20], head, head + png(1)[:50], head + png(1)):
        assert shop.client.post(URL, content=body, headers=MULTIPART).status_code in (400, 422)
    gc.collect()


def test_a_category_that_is_no_text_is_refused(shop: Shop) -> None:
    part = b'--x\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n%s\r\n'
    file = part % (b"file", b'; filename="a"', png(1))
    lone_surrogate = part % (b"category", b"", b"+2AA-")
    headers = {"Content-Type": "multipart/form-data; boundary=x; charset=utf-7"}
    reply = shop.client.post(URL, content=file + lone_surrogate + b"--x--\r\n", headers=headers)
    refused(shop, reply, 422, "invalid_request", hint="category")


def test_too_many_form_fields_are_refused(shop: Shop) -> None:
    reply = shop.client.post(URL, files=[("file", png(1))] * 1001)
    refused(shop, reply, 400, "malformed_request", hint="Too many files")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
def test_a_wrong_method_is_told_the_right_one(shop: Shop, method: str) -> None:
    reply = shop.client.request(method, URL)
    assert reply.status_code == 405
    assert reply.headers["allow"] == "POST"
    assert reply.json()["error"] == {
        "code": "method_not_allowed",
        "message": f"{method} is not possible here; use POST",
        "request_id": reply.headers["x-request-id"],
    }


def test_an_unknown_path_is_not_found(shop: Shop) -> None:
    reply = shop.client.get("/api/nothing")
    assert reply.status_code == 404
    assert reply.json()["error"]["code"] == "not_found"
    assert "/api/nothing" in reply.json()["error"]["message"]


@pytest.mark.parametrize("name", ["../../etc/passwd", "%2e%2e%2fx", "x" * 5000, "%00", "%ff"])
def test_an_id_that_nothing_has_is_not_found(shop: Shop, name: str) -> None:
    for path in (f"/api/thumb/{name}", f"/api/items/{name}"):
        assert shop.client.get(path).status_code == 404


@st.composite
def mutations(draw: st.DrawFn) -> bytes:
    """A real photo with bytes overwritten, cut out, doubled or put in."""
    data = bytearray(encoded(draw(st.sampled_from(sorted(ENCODERS))), 40, 30))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(data)))
        length = draw(st.sampled_from([1, 1, 2, 4, 30]))
        match draw(st.sampled_from(["overwrite", "cut", "double", "insert"])):
            case "overwrite":
                data[at : at + length] = draw(st.binary(min_size=length, max_size=length))
            case "cut":
                del data[at : at + length]
            case "double":
                data[at:at] = data[at : at + length]
            case "insert":
                data[at:at] = draw(st.binary(max_size=length))
    return bytes(data)


@settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=mutations())
@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow tells of damaged metadata
def test_no_mutation_of_a_real_photo_is_our_failure(shop: Shop, data: bytes) -> None:
    reply = shop.search(data)
    assert reply.status_code == 200 or reply.json()["error"]["code"] in {
        "broken_image",
        "not_an_image",
        "too_many_pixels",
        "unsupported_type",
    }
