"""Patience: how long a connection may take to say what it wants, and how it is told otherwise."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

from lambdas.search.errors import MALFORMED, reply

HEADERS_SECONDS = 20.0


class PatientProtocol(H11Protocol):
    """Uvicorn's HTTP, which would wait for a request's headers for ever. A connection that has not
    sent them whole within HEADERS_SECONDS is closed; what cannot be read is refused in the shape
    of our errors."""

    _waits: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """A caller connects."""
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """A caller sends something."""
        super().data_received(data)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """A caller is gone."""
        self._stop()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP."""
        refusal = reply(MALFORMED, f"the request cannot be read: {msg}")
        head = f"HTTP/1.1 400 Bad Request\r\nContent-Length: {len(refusal.body)}\r\n"
        for name in ("content-type", "cache-control"):
            head += f"{name}: {refusal.headers[name]}\r\n"
        head += "x-content-type-options: nosniff\r\nconnection: close\r\n\r\n"
        self.transport.write(head.encode() + bytes(refusal.body))
        self.transport.close()

    def _wait(self) -> None:
        """Wait while headers are due, and no longer once they are there."""
        if self.cycle is not None and not self.cycle.response_complete:
            self._stop()
        elif self._waits is None:
            self._waits = self.loop.call_later(HEADERS_SECONDS, self._give_up)

    def _give_up(self) -> None:
        self._waits = None
        if self.cycle is None or self.cycle.response_complete:
            self.transport.close()

    def _stop(self) -> None:
        if self._waits is not None:
            self._waits.cancel()
            self._waits = None
