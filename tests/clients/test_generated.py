"""Clients that are generated from a running server's document: made, type-checked and used."""

from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.clients.conftest import GENERATOR, KEY, NODE, NODE_MODULES, ROOT, Shop, needed, output

pytestmark = pytest.mark.slow

PROGRAMS = Path(__file__).parent / "programs"
COMMANDS = (ROOT / "docs/api.md").read_text().partition("## Generated clients")[2]


def _generate(shop: Shop, folder: Path, generator: str, tool: Path) -> None:
    """Run the commands of docs/api.md that make a document and, with this generator, a client."""
    (folder / "bin").mkdir()
    (folder / "bin/npx").write_text('#!/bin/sh\nexec "$@"\n')
    (folder / "bin/npx").chmod(0o755)
    block = re.search(r"```sh\n(.*?)```", COMMANDS, re.DOTALL)
    assert block is not None
    lines = block[1].splitlines()
    names = ("curl", "echo", generator)
    commands = [line for line in lines if line.removeprefix("npx ").startswith(names)]
    assert len(commands) == len(names)
    search = ":".join(map(str, (folder / "bin", tool, NODE.parent, "/usr/bin:/bin")))
    script = "\n".join(("set -eux", *commands))
    output(["sh", "-c", script], folder, PATH=search, LENS_SERVER=shop.address, LENS_KEY=KEY)


def _is_right(told: dict[str, Any], shop: Shop, item: str) -> None:
    """What a client's program printed is what plain requests answer."""
    found, plain = shop.search(), shop.ask("GET", f"/api/items/{item}")
    first = found["hits"][0]
    similar = shop.ask("GET", f"/api/items/{item}/similar?top_k=4")["hits"]
    categories = shop.ask("GET", "/api/categories")["categories"]
    assert told.pop("thumbnail") > 500
    assert told == {
        "keys": [hit["key"] for hit in found["hits"]],
        "image_url": f"{shop.address}/catalog/{first['key']}",
        "match": first["match"],
        "title": first["product"]["title"],
        "similar": [hit["item_id"] for hit in similar],
        "photos": [photo["key"] for photo in plain["photos"]],
        "categories": {each["category"]: each["photos"] for each in categories},
        "status": "ok",
        "missing": "not_found",
        "refused": [422, "invalid_request"],
    }
    assert told["match"] == "same" and told["title"] and told["similar"]


def test_openapi_python_client_makes_one_that_fits_its_types_and_answers(
    shop: Shop, tmp_path: Path
) -> None:
    python = needed(GENERATOR / "python")
    _generate(shop, tmp_path, "openapi-python-client", GENERATOR)
    program = shutil.copy(PROGRAMS / "search.py", tmp_path)
    # The generator's own client.py is not strictly typed; all that comes from our document is.
    checked = [
        "--strict",
        "--follow-imports=silent",
        "--config-file=",
        f"--python-executable={python}",
    ]
    parts = ["-p", "lens_client.api", "-p", "lens_client.models", "-m", "search"]
    output([sys.executable, "-m", "mypy", *checked, *parts], tmp_path)
    item = shop.search()["hits"][0]["item_id"]
    told = output([python, program, shop.address, KEY, shop.photo, item], tmp_path)
    _is_right(json.loads(told), shop, item)


def test_openapi_typescript_makes_types_that_a_program_compiles_with_and_answers(
    shop: Shop, tmp_path: Path
) -> None:
    tools = needed(NODE_MODULES / ".bin/openapi-typescript").parent
    _generate(shop, tmp_path, "openapi-typescript", tools)
    for name in ("search.mts", "tsconfig.json"):
        shutil.copy(PROGRAMS / name, tmp_path)
    (tmp_path / "node_modules").symlink_to(NODE_MODULES)
    output([NODE, tools / "tsc", "--project", tmp_path], tmp_path)
    item = shop.search()["hits"][0]["item_id"]
    told = output([NODE, "search.mts", shop.address, KEY, shop.photo, item], tmp_path)
    _is_right(json.loads(told), shop, item)
