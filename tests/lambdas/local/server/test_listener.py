"""The listener: where the server may listen, and what is said where it cannot."""

from __future__ import annotations

import socket

import pytest

from lambdas.local.server.listener import listen
from lens.errors import UsageError


@pytest.mark.parametrize(("host", "shown"), [("127.0.0.1", "127.0.0.1"), ("::1", "[::1]")])
def test_the_address_shown_leads_to_the_socket(host: str, shown: str) -> None:
    try:
        listener, address = listen(host, 0)
    except UsageError:
        if host == "::1":
            pytest.skip("this machine has no IPv6")
        raise
    with listener:
        listener.listen()
        assert address == f"http://{shown}:{listener.getsockname()[1]}"
        with socket.create_connection((host, listener.getsockname()[1]), timeout=5):
            pass


def test_a_taken_port_and_a_foreign_address_are_told_apart() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(UsageError, match=f"port {port} is taken; set LENS_PORT"):
            listen("127.0.0.1", port)
    with pytest.raises(UsageError, match=r"cannot listen on 192\.0\.2\.1, port 0: Cannot assign"):
        listen("192.0.2.1", 0)


def test_a_name_that_leads_nowhere_is_one_line() -> None:
    with pytest.raises(UsageError, match=r"LENS_HOST='no\.such\.invalid': "):
        listen("no.such.invalid", 0)
