"""The OpenAPI document: what generators of clients rely on.

Covers: document.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from lambdas.local.server.app import local_app
from lens.settings import Settings
from tests.lambdas.conftest import Client, Shop

ROOT = Path(__file__).parents[2]
KEY = "0123456789abcdef"
HEALTH = "getHealth"


def _document(shop: Shop, **settings: object) -> dict[str, Any]:
    """The local server's document."""
    changed = Settings.model_validate({**shop.settings.model_dump(), **settings})
    client = Client(local_app(changed, shop.searcher, shop.pipeline.catalog))
    headers = {"Host": "localhost", "X-Api-Key": KEY}
    document: dict[str, Any] = client.get("/api/openapi.json", headers=headers).json()
    return document


def _operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        operation["operationId"]: operation
        for methods in document["paths"].values()
        for operation in methods.values()
    }


def test_every_operation_has_a_plain_name_and_a_tag_that_is_described(shop: Shop) -> None:
    document = _document(shop)
    assert {name: operation["tags"] for name, operation in _operations(document).items()} == {
        "searchImage": ["search"],
        "similarItems": ["search"],
        "tellWhy": ["search"],
        "tellClick": ["search"],
        "getItem": ["catalog"],
        "listCategories": ["catalog"],
        "getThumbnail": ["catalog"],
        "getHealth": ["health"],
    }
    assert all(tag["description"] for tag in document["tags"])
    assert {tag["name"] for tag in document["tags"]} == {"search", "catalog", "health"}


def test_the_document_says_what_it_is_of(shop: Shop) -> None:
    document = _document(shop)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert document["info"]["version"] == project["version"]
    assert document["info"]["license"]["identifier"] == project["license"]
    assert document["servers"] == [{"url": "/"}]
    public = "https://lens.shop.example"
    assert _document(shop, public_url=public)["servers"] == [{"url": public}]


def test_what_is_sent_is_never_null_and_a_file_is_known_as_one(shop: Shop) -> None:
    document = _document(shop)
    form = document["components"]["schemas"]["Body_searchImage"]["properties"]
    assert form["file"]["items"]["format"] == "binary"
    sent = [*form.values()]
    for operation in _operations(document).values():
        sent += [parameter["schema"] for parameter in operation.get("parameters", ())]
    assert all("type" in schema and "anyOf" not in schema for schema in sent)


def test_a_type_that_two_schemas_share_is_one(shop: Shop) -> None:
    schemas = _document(shop)["components"]["schemas"]
    for name, field in (("HitSchema", "match"), ("ResultsSchema", "match")):
        kinds = schemas[name]["properties"][field]["anyOf"]
        assert kinds == [{"$ref": "#/components/schemas/MatchWord"}, {"type": "null"}]
    assert "in_stock" in schemas["Stock"]["enum"]


def test_an_open_server_asks_for_nothing(shop: Shop) -> None:
    document = _document(shop)
    assert "security" not in document
    assert "securitySchemes" not in document["components"]
    for operation in _operations(document).values():
        assert {"421", "500"} <= set(operation["responses"])
        assert not {"401", "429"} & set(operation["responses"])


def test_keys_and_rate_are_declared_where_they_are_asked_for(shop: Shop) -> None:
    document = _document(shop, api_keys=KEY, rate=60)
    schemes = document["components"]["securitySchemes"]
    assert {name for each in document["security"] for name in each} == set(schemes)
    for name, operation in _operations(document).items():
        refusals = {status for status in operation["responses"] if status in ("401", "429")}
        if name == HEALTH:
            assert (operation["security"], refusals) == ([], set())
        else:
            assert "security" not in operation
            assert refusals == ({"401"} if name == "getThumbnail" else {"401", "429"})
    refused = _operations(document)["searchImage"]["responses"]["401"]["content"]
    assert refused["application/json"]["schema"] == {"$ref": "#/components/schemas/ErrorSchema"}
    assert refused["application/json"]["examples"]["no_key"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": f"Bearer {KEY}"},
        {"X-Api-Key": KEY},
        {"Authorization": "Basic YW55Ym9keTowMTIzNDU2Nzg5YWJjZGVm"},
    ],
)
def test_each_declared_way_to_send_a_key_opens(shop: Shop, headers: dict[str, str]) -> None:
    changed = Settings.model_validate({**shop.settings.model_dump(), "api_keys": KEY})
    client = Client(local_app(changed, shop.searcher, shop.pipeline.catalog))
    assert client.get("/api/categories", headers={"Host": "localhost"}).status_code == 401
    reply = client.get("/api/categories", headers={"Host": "localhost", **headers})
    assert reply.status_code == 200
