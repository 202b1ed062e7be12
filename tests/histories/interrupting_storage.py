"""Storage that interrupts its user: a crash, an error, a lost answer, or another's whole action."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeVar

from lens.errors import ConflictError, StorageError
from lens.storage import ObjectInfo, Storage

T = TypeVar("T")

# "failure": nothing was done (a 500 or 503, a reading that breaks off). "timeout": it was done, and
# no answer ever came. "lost answer": it was done, and the client's own second try was answered.
How = Literal[
    "crash before", "crash after", "lost answer", "timeout", "failure", "broken off", "meanwhile"
]


_FORMATS = "read formats.json"


class CrashError(BaseException):
    """The process ended here. Not an Exception: no handler sees its own death."""


class _BrokenOffError(Exception):
    """Only a part of a listing came."""


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


@dataclass
class Interruptions:
    """The plan of the action under way, for all storages that it uses."""

    plan: list[_Awaited] = field(default_factory=list)
    failed: bool = False  # whether the action was told of a failure
    slept: bool = False  # whether days passed in its middle


class InterruptingStorage:
    """Passes every operation on, except where the plan of the action under way interrupts it.

    `name` comes before the operations' names in plans; `clock` is the storage's own.
    """

    def __init__(
        self,
        storage: Storage,
        meanwhile: Callable[[Step], object],
        written: Callable[[str, bytes], None] = lambda key, data: None,
        *,
        name: str = "",
        clock: Callable[[], float] | None = None,
        interruptions: Interruptions | None = None,
    ) -> None:
        self.storage = storage
        self.location = storage.location
        self._meanwhile = meanwhile
        self._written = written
        self._name = name
        self._clock = clock or storage.now
        self.interruptions = interruptions or Interruptions()

    @property
    def failed(self) -> bool:
        """Whether the action under way was told of a failure."""
        return self.interruptions.failed

    @contextmanager
    def interrupted(self, plan: Sequence[Interruption]) -> Iterator[None]:
        """Interrupt the operations of the block by this plan, and by no plan outside it."""
        here = self.interruptions
        outer = here.plan, here.failed, here.slept
        here.plan = [_Awaited(interruption, interruption.at) for interruption in plan]
        here.failed = False  # `slept` stays: what its sleeper has half done, others may find so
        try:
            yield
        finally:
            here.plan, here.failed, here.slept = outer

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

    def delete_many(self, keys: Iterable[str]) -> None:
        for key in keys:  # a process may end, or an answer be lost, between any two of them
            self.delete(key)

    def remove_partial(self, before: float) -> int:
        return self.storage.remove_partial(before)

    def now(self) -> float:
        return self._clock()

    def list(self, prefix: str = "", after: str = "") -> Iterator[ObjectInfo]:
        try:
            listed = self._do(lambda: list(self.storage.list(prefix, after)), f"list {prefix}")
        except _BrokenOffError as error:
            listed = list(self.storage.list(prefix, after))
            yield from listed[: len(listed) // 2]
            raise StorageError(str(error)) from error
        yield from listed

    def fetch(self, key: str, path: Path) -> ObjectInfo:
        return self._do(lambda: self.storage.fetch(key, path), f"fetch {key}")

    def _do(
        self,
        operate: Callable[[], T],
        name: str,
        lost: type[ConflictError | StorageError] | None = None,
    ) -> T:
        # Each write first asks which format to write. A crash there is a crash before the write.
        interruption = None if name == _FORMATS else self._due(self._name + name)
        if interruption is None:
            return operate()
        if interruption.how == "crash before":
            raise CrashError(f"before {name}")
        if interruption.how == "broken off" and name.startswith("list "):
            self.interruptions.failed = True
            raise _BrokenOffError(f"{name} broke off")
        if interruption.how in ("failure", "broken off") or (
            interruption.how == "lost answer" and lost is None
        ):
            self.interruptions.failed = True
            raise StorageError(f"no answer to {name}")
        if interruption.how == "meanwhile":
            self._meanwhile(interruption.meanwhile)
            self.interruptions.slept |= interruption.meanwhile.name == "sleep"
            return operate()
        result = operate()
        if interruption.how == "crash after":
            raise CrashError(f"after {name}")
        if interruption.how == "timeout":
            lost = StorageError
        assert lost is not None
        self.interruptions.failed |= lost is StorageError
        raise lost(f"the answer to {name} was lost")
        return result

    def _due(self, name: str) -> Interruption | None:
        due = None
        for awaited in list(self.interruptions.plan):
            awaited.operations -= name.startswith(awaited.interruption.of)
            if awaited.operations <= 0:
                self.interruptions.plan.remove(awaited)
                due = due or awaited.interruption
        return due
