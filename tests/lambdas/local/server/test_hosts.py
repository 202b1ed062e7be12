"""Hosts: the names that the server answers for, and an address that is open without a name."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi import FastAPI
from starlette.middleware import Middleware

from lambdas.local.server.hosts import HostWall, answered_hosts
from lens.errors import UsageError
from lens.settings import Settings
from tests.lambdas.conftest import Client


def asked(host: str, **settings: Any) -> tuple[int, Any]:
    """Status and answer of a request to this host."""
    walls = [Middleware(HostWall, hosts=answered_hosts(Settings(**settings)))]
    app = FastAPI(middleware=walls)

    @app.get("/")
    def answer() -> str:
        return "answered"

    reply = Client(app).get("/", headers={"Host": host})
    return reply.status_code, reply.json()


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:8000", "127.0.0.1:8000", "[::1]:8000", "LOCALHOST.", "[::1]"]
)
def test_this_machine_is_answered_by_each_of_its_names(host: str) -> None:
    assert asked(host) == (200, "answered")


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example:8000", "", "[::2]"]
)
def test_another_sites_name_is_refused_in_the_shape_of_our_errors(host: str) -> None:
    status, answer = asked(host)
    assert status == 421
    assert answer["error"]["code"] == "wrong_host"
    assert "add the name to LENS_ALLOWED_HOSTS" in answer["error"]["message"]


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("shop.example", 200),
        ("Shop.Example:443", 200),
        ("a.b.brand.example", 200),
        ("brand.example", 421),
        ("evilbrand.example", 421),
        ("127.0.0.1:8000", 200),
    ],
)
def test_names_and_whole_domains_are_allowed_by_the_setting(host: str, status: int) -> None:
    assert asked(host, allowed_hosts="shop.example, *.brand.example")[0] == status


def test_a_star_allows_every_host() -> None:
    assert asked("evil.example", allowed_hosts="*")[0] == 200


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.7", "shop.example"])
def test_an_address_that_others_reach_wants_names(host: str) -> None:
    with pytest.raises(UsageError, match=f"LENS_HOST='{host}' lets other .* LENS_ALLOWED_HOSTS"):
        answered_hosts(Settings(host=host))


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "::1", "localhost"])
def test_loopback_wants_none(host: str) -> None:
    assert host in {name.strip("[]") for name in answered_hosts(Settings(host=host))}


def test_an_open_address_with_names_is_as_it_should_be() -> None:
    hosts = answered_hosts(Settings(host="0.0.0.0", allowed_hosts=("shop.example",)))
    assert "shop.example" in hosts
