"""Clients: many callers of one server at a time, over HTTP, from a process of their own.

    python -m tests.benchmarks.clients PORT FOLDER SECONDS closed CLIENTS
    python -m tests.benchmarks.clients PORT FOLDER SECONDS open RATE

closed: each client searches again as soon as it is answered. open: searches begin at random times
(Poisson), so many a second, however many are under way. Who is refused stays away for as long as
the server says, or gives up in an open loop. Prints JSON.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.benchmarks.answer import TYPE, form
from tests.benchmarks.workload import photos_of

PATIENCE = 30.0  # seconds until a caller gives up
MOST = 2_000  # searches of one measurement
PAUSE = 1.0  # seconds that a client stays away after a failure


@dataclass
class Heard:
    """What the callers heard."""

    seconds: list[float] = field(default_factory=list)  # of each answer
    refused: int = 0
    failed: int = 0  # hung up, given up or answered by anything else
    elapsed: float = 0.0


async def closed(port: int, requests: Sequence[bytes], seconds: float, clients: int) -> Heard:
    """So many clients."""
    heard, turns = Heard(), _turns(requests)
    begin = time.monotonic()

    async def client() -> None:
        while (left := begin + seconds - time.monotonic()) > 0:
            if (request := next(turns, None)) is None:
                return
            if pause := await _ask(port, request, heard):
                await asyncio.sleep(min(pause, left))

    await asyncio.gather(*(client() for _ in range(clients)))
    heard.elapsed = time.monotonic() - begin
    return heard


async def opened(port: int, requests: Sequence[bytes], seconds: float, rate: float) -> Heard:
    """So many searches a second."""
    heard, chance = Heard(), random.Random(0)
    begin = time.monotonic()
    at, under_way = 0.0, []
    for request in _turns(requests):
        at += chance.expovariate(rate)
        if at > seconds:
            break
        await asyncio.sleep(max(0.0, begin + at - time.monotonic()))
        under_way.append(asyncio.create_task(_ask(port, request, heard)))
    await asyncio.gather(*under_way)
    heard.elapsed = time.monotonic() - begin
    return heard


def http_request(photo: bytes) -> bytes:
    """A search as it travels."""
    body = form(photo)
    head = (
        "POST /api/search-image HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        f"Content-Type: {TYPE}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _turns(requests: Sequence[bytes]) -> Iterator[bytes]:
    return itertools.islice(itertools.cycle(requests), MOST)


async def _ask(port: int, request: bytes, heard: Heard) -> float:
    """Search once, over a connection of its own; the seconds to stay away for."""
    since = time.perf_counter()
    try:
        async with asyncio.timeout(PATIENCE):
            status, fields = await _reply(port, request)
    except (OSError, TimeoutError, EOFError, asyncio.LimitOverrunError):
        status, fields = 0, {}
    if status == 200:
        heard.seconds.append(time.perf_counter() - since)
        return 0.0
    if status == 503:
        heard.refused += 1
        return float(fields.get(b"retry-after", b"1"))
    heard.failed += 1
    return PAUSE


async def _reply(port: int, request: bytes) -> tuple[int, dict[bytes, bytes]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request)
        await writer.drain()
        first, *lines = (await reader.readuntil(b"\r\n\r\n")).splitlines()
        parted = (line.partition(b":") for line in lines)
        fields = {name.lower(): value.strip() for name, _, value in parted}
        await reader.readexactly(int(fields.get(b"content-length", b"0")))
        return int(first.split()[1]), fields
    finally:
        writer.close()


def main(arguments: Sequence[str]) -> None:
    """Ask, and print what was heard."""
    port, folder, seconds, loop, amount = arguments
    requests = [http_request(photo) for photo in photos_of(Path(folder))]
    if loop == "closed":
        heard = asyncio.run(closed(int(port), requests, float(seconds), int(amount)))
    else:
        heard = asyncio.run(opened(int(port), requests, float(seconds), float(amount)))
    print(json.dumps(vars(heard)))


if __name__ == "__main__":
    main(sys.argv[1:])
