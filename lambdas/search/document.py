"""The OpenAPI document: names, tags and schemas as programs that generate clients want them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute

from lambdas.search.docs_page import DOCUMENT, docs_route
from lambdas.search.errors import INTERNAL, documented
from lens.settings import Settings

# A function has no metadata of an installed package; a test compares this with pyproject.toml.
VERSION = "0.1.0"
SEARCH, CATALOG, HEALTH = "search", "catalog", "health"  # tags: a generated client has a file each
_TAGS = [
    {"name": SEARCH, "description": "What is similar to a photo, or to an item."},
    {"name": CATALOG, "description": "Items, categories and thumbnails."},
    {"name": HEALTH, "description": "What answers, and how busy it is."},
]


class Api(FastAPI):
    """A FastAPI app whose document clients are generated from."""

    def __init__(self, settings: Settings, **options: Any) -> None:
        super().__init__(
            title="Image Lens",
            summary="Photograph a garment, find the product.",
            version=VERSION,
            license_info={"name": "Apache License 2.0", "identifier": "Apache-2.0"},
            openapi_tags=_TAGS,
            servers=[{"url": settings.public_url or "/"}],
            generate_unique_id_function=_operation_id,
            responses=documented(INTERNAL),
            docs_url=None,  # FastAPI's own loads another site's scripts
            redoc_url=None,
            openapi_url=DOCUMENT,
            **options,
        )
        docs_route(self)

    def openapi(self) -> dict[str, Any]:
        """The document, made when it is first asked for."""
        if self.openapi_schema is None:
            for schema in _sent(super().openapi()):
                _plain(schema)
        assert self.openapi_schema is not None
        return self.openapi_schema


def _operation_id(route: APIRoute) -> str:
    """The name of the route's function in the case that OpenAPI's generators expect."""
    first, *others = route.name.split("_")
    return first + "".join(map(str.capitalize, others))


def _sent(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The schemas of all that a caller sends: parameters, and the fields of forms."""
    for methods in document["paths"].values():
        for operation in methods.values():
            for parameter in operation.get("parameters", ()):
                yield parameter["schema"]
            for content in operation.get("requestBody", {}).get("content", {}).values():
                form = content["schema"]["$ref"].rpartition("/")[2]
                yield from document["components"]["schemas"][form]["properties"].values()


def _plain(schema: dict[str, Any]) -> None:
    """Neither a form nor a query can send null. And a file is known by `format: binary` to
    generators that do not know OpenAPI 3.1's `contentMediaType` yet."""
    kinds = [kind for kind in schema.get("anyOf", ()) if kind != {"type": "null"}]
    if len(kinds) == 1:
        del schema["anyOf"]
        schema.update(kinds[0])
    for each in (schema, schema.get("items", {})):
        if "contentMediaType" in each:
            each["format"] = "binary"
