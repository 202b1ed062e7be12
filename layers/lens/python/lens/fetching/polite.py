"""Polite fetching: many addresses, few at once of one host, and none while a host wants a rest."""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import urlsplit

from lens.errors import HostError, LensError

_TRIES = 3  # of an address whose host fails
_FAILURES = 5  # of a host, one after another, before it is left alone for the rest
_REST = 300.0
_LONGEST_REST = 86_400.0


class Fetched(NamedTuple):
    """An address, and the bytes there or why there are none."""

    address: str
    result: bytes | LensError


@dataclass(frozen=True)
class Rest:
    """Until when a host is left alone, in seconds since the epoch, and why."""

    until: float
    why: str


@dataclass
class _Host:
    """What is known of a host; it is asked again from `ready` on."""

    ready: float = 0.0
    running: int = 0
    failures: int = 0
    failed: float = 0.0  # when the last failure came
    why: str = ""


@dataclass
class _Run:
    """One call's work."""

    waiting: dict[str, deque[str]]
    results: queue.Queue[Fetched | None]
    tries: dict[str, int] = field(default_factory=dict)
    working: int = 0
    over: bool = False


class PoliteFetcher:
    """Fetches with `at_once` connections to a host, begun at least `pause` seconds apart. A host
    that fails, or that asks for a rest (Retry-After), gets it: a rest of more than `longest_wait`
    seconds ends its part of the work, and holds for the next call too."""

    def __init__(
        self,
        fetch: Callable[[str], bytes],
        *,
        at_once: int = 4,
        pause: float = 0.1,
        threads: int = 8,
        longest_wait: float = 60.0,
        resting: Mapping[str, Rest] | None = None,
    ) -> None:
        self._fetch = fetch
        self._at_once, self._pause, self._threads = at_once, pause, threads
        self._longest_wait = longest_wait
        self._turn = threading.Condition()
        self._hosts = {
            name: _Host(ready=rest.until, why=rest.why) for name, rest in (resting or {}).items()
        }

    @property
    def resting(self) -> dict[str, Rest]:
        """The hosts that are left alone now."""
        now = time.time()
        with self._turn:
            return {
                name: Rest(host.ready, host.why)
                for name, host in self._hosts.items()
                if host.why and host.ready > now
            }

    def fetch_all(
        self, addresses: Iterable[str], stop: Callable[[], bool] = lambda: False
    ) -> Iterator[Fetched]:
        """What is at each address, as it comes; nothing of those that a resting host has, which
        are for a later call. Ends early when `stop` says so: what is under way then is dropped."""
        waiting: dict[str, deque[str]] = {}
        for address in addresses:
            waiting.setdefault(urlsplit(address).netloc.lower(), deque()).append(address)
        run = _Run(waiting, queue.Queue(self._threads))
        # Daemons: a fetch under way must not hold the process back when it ends.
        for number in range(self._threads):
            run.working += 1
            threading.Thread(
                target=self._work, args=(run,), name=f"fetch-{number}", daemon=True
            ).start()
        try:
            while not stop():
                try:
                    fetched = run.results.get(timeout=0.1)
                except queue.Empty:
                    continue
                if fetched is None:
                    return
                yield fetched
        finally:
            with self._turn:
                run.over = True
                self._turn.notify_all()

    def _work(self, run: _Run) -> None:
        try:
            while (taken := self._take(run)) is not None:
                name, address, began = taken
                result: bytes | LensError
                try:
                    result = self._fetch(address)
                except LensError as error:
                    result = error
                if self._settle(run, name, address, began, result):
                    _put(run, Fetched(address, result))
        finally:
            with self._turn:
                run.working -= 1
                last = not run.working
            if last:
                _put(run, None)

    def _take(self, run: _Run) -> tuple[str, str, float] | None:
        """The next address whose host may be asked, and when it was taken; None at the end."""
        with self._turn:
            while not run.over:
                now, soonest, busy = time.time(), self._longest_wait, False
                for name, addresses in run.waiting.items():
                    host = self._hosts.setdefault(name, _Host())
                    busy |= host.running > 0  # what it asks for may come back
                    if host.ready > now + self._longest_wait:
                        addresses.clear()
                    if not addresses or host.running >= self._at_once:
                        continue
                    if host.ready <= now:
                        host.running += 1
                        host.ready = now + self._pause
                        return name, addresses.popleft(), now
                    soonest = min(soonest, host.ready - now)
                if not busy and not any(run.waiting.values()):
                    return None
                self._turn.wait(soonest)
        return None

    def _settle(
        self, run: _Run, name: str, address: str, began: float, result: bytes | LensError
    ) -> bool:
        """Learn from a fetch; whether its result stands, and is not tried again."""
        with self._turn:
            host, now = self._hosts[name], time.time()
            host.running -= 1
            self._turn.notify_all()
            if not isinstance(result, HostError):
                host.failures, host.why = 0, ""
                return True
            if began >= host.failed:  # those that were under way together failed for one reason
                host.failures += 1
            wait = float(2**host.failures) / 2 if result.retry_after is None else result.retry_after
            if host.failures >= _FAILURES:
                wait = max(wait, _REST)
            host.failed, host.why = now, str(result)
            host.ready = max(host.ready, now + min(wait, _LONGEST_REST))
            run.tries[address] = run.tries.get(address, 0) + 1
            # A host that is silent says nothing of an address; one that answers others does.
            if run.tries[address] >= _TRIES and host.failures < _FAILURES:
                return True
            run.waiting[name].append(address)
            return False


def _put(run: _Run, fetched: Fetched | None) -> None:
    while not run.over:
        try:
            run.results.put(fetched, timeout=0.1)
        except queue.Full:
            continue
        return
