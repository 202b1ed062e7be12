"""Tests of smoke.py: what a shopper asks, asked of a real server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from botocore.stub import Stubber

from cdk.smoke import SmokeError, main, smoke
from lambdas.local.server.app import local_app
from tests.lambdas.conftest import Shop
from tests.lambdas.serving import served
from tests.support.tiny_model import png


def _shop(folder: Path, *, page: bool = True) -> Shop:
    shop = Shop(folder)
    shop.put("a.png", png(1))
    shop.open()
    if page:
        app: Any = local_app(shop.settings, shop.searcher, shop.pipeline.catalog)
        shop.app = app
    return shop


def test_a_shop_that_works_is_told_line_by_line(tmp_path: Path) -> None:
    with served(_shop(tmp_path)) as (host, port):
        page, search, health = smoke(f"http://{host}:{port}")
    assert page.startswith("page ") and "bytes" in page
    assert (health, search) == ("health     ok", "search     1 hits")


def test_a_stack_without_its_page_fails(tmp_path: Path) -> None:
    with (
        served(_shop(tmp_path, page=False)) as (host, port),
        pytest.raises(SmokeError, match=r"/ answers 404"),
    ):
        list(smoke(f"http://{host}:{port}"))


def test_a_gallery_that_is_damaged_fails(tmp_path: Path) -> None:
    shop = _shop(tmp_path)
    (head,) = (tmp_path / "artifacts/heads").iterdir()
    head.write_bytes(head.read_bytes()[:20])
    with served(shop) as (host, port), pytest.raises(SmokeError, match="degraded"):
        list(smoke(f"http://{host}:{port}"))


def test_nobody_at_the_address_is_one_line() -> None:
    with pytest.raises(SmokeError, match=r"http://127.0.0.1:9/ cannot be reached"):
        list(smoke("http://127.0.0.1:9"))


def test_the_command_says_where_there_is_no_stack(capsys: pytest.CaptureFixture[str]) -> None:
    import boto3

    client = boto3.client(
        "cloudformation",
        region_name="eu-west-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    with Stubber(client) as stub:
        stub.add_client_error("describe_stacks", "ValidationError", "does not exist")
        assert main(["-c", "environment=staging"], lambda service: client) == 1
    assert "there is no stack ImageLens-staging here" in capsys.readouterr().err
    assert main(["-c", "environment=stagin"]) == 1
    assert "did you mean staging?" in capsys.readouterr().err
