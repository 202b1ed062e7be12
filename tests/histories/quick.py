"""Quick: plays histories faster and sees as much: what was made of some bytes before is not made of
the same bytes again, and nothing waits for a thread or a disk."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import ExitStack, contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

from lens.gallery import segments, snapshots
from lens.models import choice, embedder
from lens.models.embedder import Network
from lens.search import fallback, joins, searcher, serving
from lens.storage import documents

_IN_MEMORY = Path("/dev/shm")  # Linux's disk in memory, for what is fetched to be mapped


class Inline(Executor):
    """Runs what it is given at once, so that a history is the same every time; a crash ends it as
    it ends the process."""

    def __init__(self, workers: int = 1, thread_name_prefix: str = "") -> None: ...

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


@contextmanager
def quick() -> Iterator[None]:
    """Within the block."""
    with ExitStack() as stack:
        for module in (fallback, joins, searcher, serving, snapshots):
            stack.enter_context(patch.object(module, "ThreadPoolExecutor", Inline))
        for module in (documents, segments):
            stack.enter_context(patch.object(module, "_parse", lru_cache(2048)(module._parse)))
        stack.enter_context(patch.object(embedder, "Network", _network))
        # How fast a tiny model is on this machine says nothing.
        stack.enter_context(patch.object(choice, "milliseconds_of", lambda form: 1.0))
        if _IN_MEMORY.is_dir():
            stack.enter_context(patch.object(tempfile, "tempdir", str(_IN_MEMORY)))
        yield


_networks: dict[tuple[object, ...], Network] = {}


def _network(graph: bytes, name: str, weights: Path | None = None, **more: bool) -> Network:
    """The network of these very bytes, those of the weights that lie beside them among them."""
    beside = sorted(weights.iterdir()) if weights else []
    made_of = graph, name, tuple((each.name, each.read_bytes()) for each in beside), *more.items()
    if made_of not in _networks:
        _networks[made_of] = Network(graph, name, weights, **more)
    return _networks[made_of]
