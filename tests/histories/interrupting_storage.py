"""Storage that interrupts its user: a crash, a lost answer, or another's whole action."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

from lens.errors import ConflictError, StorageError
from lens.storage import ObjectInfo, Storage

T = TypeVar("T")

How = Literal["crash before", "crash after", "lost answer", "failure", "meanwhile"]


_FORMATS = "read formats.json"


class CrashError(BaseException):
    """The process ended here. Not an Exception: no handler sees its own death."""


@dataclass(frozen=True)
class Step:
    """A whole action of somebody, by name; `choice` decides all that is open about it."""

    name: str
    choice: int


@dataclass(frozen=True)
class Interruption:
    """What happens at the operation with this number (from 1) of the action under way.

    With `of`, only operations whose name begins so count: "write heads/", say.
    """

    at: int
    how: How
    meanwhile: Step
    of: str = ""


@dataclass
class _Awaited:
    interruption: Interruption
    operations: int  # until it is due


class InterruptingStorage:
    """Passes every operation on, except where the plan of the action under way interrupts it."""

    def __init__(
        self,
        storage: Storage,
        meanwhile: Callable[[Step], object],
        written: Callable[[str, bytes], None] = lambda key, data: None,
    ) -> None:
        self.storage = storage
        self.location = storage.location
        self._meanwhile = meanwhile
        self._written = written
        self._plan: list[_Awaited] = []
        self.failed = False  # whether the action under way was told of a failure

    @contextmanager
    def interrupted(self, plan: Sequence[Interruption]) -> Iterator[None]:
        """Interrupt the operations of the block by this plan, and by no plan outside it."""
        outer = self._plan, self.failed
        self._plan = [_Awaited(interruption, interruption.at) for interruption in plan]
        self.failed = False
        try:
            yield
        finally:
            self._plan, self.failed = outer

    def read(self, key: str) -> tuple[bytes, ObjectInfo]:
        return self._do(lambda: self.storage.read(key), f"read {key}")

    def head(self, key: str) -> ObjectInfo | None:
        return self._do(lambda: self.storage.head(key), f"head {key}")

    def write(
        self,
        key: str,
        data: bytes,
        *,
        if_match: str | None = None,
        if_absent: bool = False,
        content_type: str | None = None,
        cache_control: str | None = None,
        durable: bool = True,
    ) -> ObjectInfo:
        def write() -> ObjectInfo:
            info = self.storage.write(
                key,
                data,
                if_match=if_match,
                if_absent=if_absent,
                content_type=content_type,
                cache_control=cache_control,
                durable=durable,
            )
            self._written(key, data)
            return info

        # The client's own retry of a conditional write that took effect is answered 412.
        conditional = if_match is not None or if_absent
        return self._do(write, f"write {key}", ConflictError if conditional else StorageError)

    def delete(self, key: str) -> None:
        self._do(lambda: self.storage.delete(key), f"delete {key}", StorageError)

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        return iter(self._do(lambda: list(self.storage.list(prefix)), f"list {prefix}"))

    def fetch(self, key: str, path: Path) -> ObjectInfo:
        return self._do(lambda: self.storage.fetch(key, path), f"fetch {key}")

    def _do(
        self,
        operate: Callable[[], T],
        name: str,
        lost: type[ConflictError | StorageError] | None = None,
    ) -> T:
        # Each write first asks which format to write. A crash there is a crash before the write.
        interruption = None if name == _FORMATS else self._due(name)
        if interruption is None:
            return operate()
        if interruption.how == "crash before":
            raise CrashError(f"before {name}")
        if interruption.how == "failure" or (interruption.how == "lost answer" and lost is None):
            self.failed = True
            raise StorageError(f"no answer to {name}")
        if interruption.how == "meanwhile":
            self._meanwhile(interruption.meanwhile)
            return operate()
        result = operate()
        if interruption.how == "crash after":
            raise CrashError(f"after {name}")
        assert lost is not None
        self.failed |= lost is StorageError
        raise lost(f"the answer to {name} was lost")
        return result

    def _due(self, name: str) -> Interruption | None:
        due = None
        for awaited in list(self._plan):
            awaited.operations -= name.startswith(awaited.interruption.of)
            if awaited.operations <= 0:
                self._plan.remove(awaited)
                due = due or awaited.interruption
        return due
