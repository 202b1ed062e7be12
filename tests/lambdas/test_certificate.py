"""Tests of lambdas/reconcile/certificate.py, against a real TLS server.

Covers: certificate.
"""

from __future__ import annotations

import logging
import socket
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from lambdas.reconcile.certificate import days_left
from tests.support.https_server import HOST, serving_tls


@pytest.fixture(autouse=True)
def _names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every name is this machine's."""
    connect = socket.create_connection

    def here(address: tuple[str, int], timeout: float) -> socket.socket:
        return connect(("127.0.0.1", address[1]), timeout)

    monkeypatch.setattr(socket, "create_connection", here)


@pytest.mark.parametrize("days", [1.5, 40.0])
def test_it_says_how_many_days_are_left(tmp_path: Path, days: float) -> None:
    with serving_tls(BaseHTTPRequestHandler, tmp_path, days) as (port, trusted):
        left = days_left(HOST, port, trusted)
    assert left is not None
    assert days - 0.01 < left <= days


def test_what_browsers_do_not_take_has_no_day_left(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with serving_tls(BaseHTTPRequestHandler, tmp_path, -1) as (port, trusted):
        assert days_left(HOST, port, trusted) == 0.0  # it is over
    assert "the certificate of shop.example is not taken: certificate has expired" in caplog.text
    with serving_tls(BaseHTTPRequestHandler, tmp_path) as (port, trusted):
        assert days_left("other.example", port, trusted) == 0.0
        assert days_left(HOST, port) == 0.0  # nobody trusts who signed it


def test_where_nobody_answers_nothing_is_said(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    assert days_left(HOST, port) is None
    assert "was not looked at" in caplog.text
