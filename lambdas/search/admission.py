"""Admission: how many requests run at once, how many wait, and which are refused as busy."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from anyio import CancelScope, CapacityLimiter, Semaphore, WouldBlock, create_task_group, to_thread
from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from lens.errors import BusyError
from lens.right_of_way import RightOfWay

T = TypeVar("T")

_LATELY = 0.2  # weight of the newest request in the moving average
_LONGEST_RETRY = 30  # seconds
_HUNG_UP = 499  # nginx's status for a caller that disconnected; only logs show it


class Admission:
    """At most `threads` requests run in threads and `places` more wait, in the order they came. A
    request whose caller disconnects leaves the line. Used from one event loop."""

    def __init__(
        self,
        threads: int,
        places: int,
        clock: Callable[[], float] = time.monotonic,
        right_of_way: RightOfWay | None = None,
    ) -> None:
        """`right_of_way` is taken while a request is at work or in the line."""
        self._threads = threads
        self._places = places
        self._turns = Semaphore(threads)
        self._limiter = CapacityLimiter(threads)  # never waited for: a turn comes first
        self._clock = clock
        self._right_of_way = right_of_way or RightOfWay()
        self._inside = 0  # at work or in the line
        self._refused = 0
        self._pace = 0.0  # seconds per request, as a moving average

    def require_place(self) -> None:
        """Raises BusyError when the line is full."""
        if self._inside < self._threads + self._places:
            return
        self._refused += 1
        wait = math.ceil(self._pace * self._inside / self._threads)
        raise BusyError(
            f"{self._places} are waiting already; try again in a moment",
            retry_after=min(max(wait, 1), _LONGEST_RETRY),
        )

    async def run(self, work: Callable[[], T], request: Request) -> T:
        """What `work` returns, called in a thread when it is its turn.

        Raises BusyError when the line is full, and HTTPException when the caller hangs up in it.
        """
        self.require_place()
        self._inside += 1
        try:
            with self._right_of_way.taken():
                return await self._served(work, request)
        finally:
            self._inside -= 1

    def figures(self) -> dict[str, int]:
        """threads, running, places, waiting and refused."""
        running = min(self._inside, self._threads)
        return {
            "threads": self._threads,
            "running": running,
            "places": self._places,
            "waiting": self._inside - running,
            "refused": self._refused,
        }

    def route_class(self) -> type[APIRoute]:
        """A route class that refuses a request as busy before it reads any of its body."""
        admission = self

        class AdmittedRoute(APIRoute):
            def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
                answer = super().get_route_handler()

                async def admitted(request: Request) -> Response:
                    admission.require_place()
                    return await answer(request)

                return admitted

        return AdmittedRoute

    async def _served(self, work: Callable[[], T], request: Request) -> T:
        if not await self._turn(request):
            raise HTTPException(_HUNG_UP, "the caller hung up")
        since = self._clock()
        try:
            return await to_thread.run_sync(work, limiter=self._limiter)
        finally:
            self._turns.release()
            weight = _LATELY if self._pace else 1.0
            self._pace += weight * (self._clock() - since - self._pace)

    async def _turn(self, request: Request) -> bool:
        """Wait for a turn; False when the caller hung up before."""
        try:
            self._turns.acquire_nowait()
            return True
        except WouldBlock:
            pass
        taken = False
        try:
            async with create_task_group() as tasks:
                tasks.start_soon(_cancel_without, request, tasks.cancel_scope)
                await self._turns.acquire()
                taken = True
                tasks.cancel_scope.cancel()
        except BaseException:  # the server itself stops waiting
            if taken:
                self._turns.release()
            raise
        return taken


async def _cancel_without(request: Request, scope: CancelScope) -> None:
    """Cancel when the caller disconnects; the body has been read already."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
    scope.cancel()
