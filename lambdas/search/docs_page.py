"""The page of the API's document: made of it, without a script, so that it needs no other site."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256
from html import escape
from typing import Any

from fastapi import FastAPI
from starlette.responses import HTMLResponse

PATH, DOCUMENT = "/api/docs", "/api/openapi.json"
_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:64rem;margin:2rem auto;padding:0 1rem;"
    "color:#1a1a1a;background:#fff}code,pre{font:14px/1.45 ui-monospace,monospace}"
    "pre{background:#f4f4f4;padding:.75rem;overflow:auto}table{border-collapse:collapse;width:100%}"
    "td,th{text-align:left;vertical-align:top;padding:.35rem .75rem .35rem 0;"
    "border-bottom:1px solid #ddd}summary{cursor:pointer;padding:.5rem 0}"
)
_POLICY = "; ".join(
    (
        "default-src 'none'",
        f"style-src 'sha256-{b64encode(sha256(_STYLE.encode()).digest()).decode()}'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)


def docs_route(app: FastAPI) -> None:
    """Serve the page. The document is read when it is first asked for, and whatever is declared in
    it meanwhile is there."""

    @app.get(PATH, include_in_schema=False)
    async def docs() -> HTMLResponse:
        return HTMLResponse(docs_page(app.openapi()), headers={"Content-Security-Policy": _POLICY})


def docs_page(document: dict[str, Any]) -> str:
    """HTML of an OpenAPI document."""
    info = document["info"]
    title = escape(f"{info['title']} {info['version']}")
    schemas = document.get("components", {}).get("schemas", {})
    parts = [
        f"<h1>{title}</h1><p>{escape(info.get('summary', ''))} The document that programs read: "
        f'<a href="openapi.json">openapi.json</a>.</p>'
    ]
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            parts += _operation(method, path, operation, schemas)
    parts.append("<h2>Schemas</h2>")
    for name, schema in schemas.items():
        parts.append(_folded(name, schema, f' id="{escape(name)}"'))
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">'
        f"<style>{_STYLE}</style>{''.join(parts)}</html>\n"
    )


def _operation(
    method: str, path: str, operation: dict[str, Any], schemas: dict[str, Any]
) -> Iterator[str]:
    yield f"<h2><code>{method.upper()} {escape(path)}</code></h2>"
    yield f"<p>{escape(operation.get('description', ''))}</p>"
    if fields := list(_fields(operation, schemas)):
        yield "<table><tr><th>field<th>where<th>type<th>what"
        for name, where, schema in fields:
            kind = schema.get("type") or ", ".join(map(str, schema.get("enum", ())))
            cells = f"<code>{escape(name)}</code>", where, kind, schema.get("description", "")
            yield "<tr>" + f"<td>{cells[0]}" + "".join(f"<td>{escape(str(c))}" for c in cells[1:])
        yield "</table>"
    for status, response in operation["responses"].items():
        yield _folded(f"{status} {response['description']}", response.get("content", {}))


def _fields(
    operation: dict[str, Any], schemas: dict[str, Any]
) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for parameter in operation.get("parameters", ()):
        described = {"description": parameter.get("description", ""), **parameter["schema"]}
        yield parameter["name"], parameter["in"], described
    for kind, content in operation.get("requestBody", {}).get("content", {}).items():
        schema = content["schema"]
        schema = schemas.get(schema.get("$ref", "").rpartition("/")[2], schema)
        for name, field in schema.get("properties", {}).items():
            yield name, kind, field


def _folded(name: str, value: object, attributes: str = "") -> str:
    text = escape(json.dumps(value, indent=1, ensure_ascii=False))
    return f"<details{attributes}><summary>{escape(name)}</summary><pre>{text}</pre></details>"
