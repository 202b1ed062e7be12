"""A disk whose power is cut: it records what is done below a folder, and leaves after a cut at any
operation whatever POSIX allows.

What was not synced may be there, lost or torn, in any order: a file's content by itself, and each
name of a folder by itself. A file is synced by its own fsync, a name by that of its folder.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from unittest import mock

_PAGE = 4096
ROOT = 0  # the number of the folder in which the recorded one lies, which is there from the start

Files = dict[str, bytes]  # by path below that folder; a folder ends in "/" and has no bytes


@dataclass(frozen=True)
class Operation:
    """One operation on the disk, or a note of what its user knows by then.

    `path` lies below the folder of ROOT. `file` is the number of the file that is renamed or
    synced, and `content` what it has then.
    """

    kind: Literal["mkdir", "rename", "remove", "sync file", "sync folder", "note"]
    path: str = ""
    source: str = ""
    file: int = 0
    content: bytes = b""
    note: object = None


@dataclass
class _Folder:
    """Each name, and all it may stand for: what was synced, then what it became since."""

    names: dict[str, list[int | None]] = field(default_factory=dict)

    def set(self, name: str, number: int | None) -> None:
        self.names.setdefault(name, [None]).append(number)

    def now(self, name: str) -> int | None:
        return self.names.get(name, [None])[-1]

    def sync(self) -> None:
        self.names = {name: [all_[-1]] for name, all_ in self.names.items()}


class SimulatedDisk:
    """Records the operations below a folder, which need not exist yet.

    `unsynced` says of which paths a sync is left out: so is shown that a test notices.
    """

    def __init__(
        self, folder: Path, unsynced: Callable[[str, str], bool] = lambda kind, path: False
    ) -> None:
        self._top = folder.parent
        self._unsynced = unsynced
        self._files: dict[str, int] = {}
        self.log: list[Operation] = []

    def note(self, note: object) -> None:
        """Note in the log what is known by now: `Cut.notes` tells those before the cut."""
        self.log.append(Operation("note", note=note))

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Record what this process does in the block."""
        real = {name: getattr(os, name) for name in ("mkdir", "replace", "unlink", "rmdir")}

        def recorded(name: str, note: Callable[..., Operation]) -> Callable[..., None]:
            def operate(path: os.PathLike[str], *rest: object, **options: object) -> None:
                inside = self._top in Path(path).parents
                operation = note(path, *rest) if inside else None
                real[name](path, *rest, **options)
                if operation is not None:
                    self.log.append(operation)

            return operate

        def sync(descriptor: int) -> None:
            self._sync(os.fstat(descriptor))  # and no real one, which would take its time

        with (
            mock.patch("os.mkdir", recorded("mkdir", self._mkdir)),
            mock.patch("os.replace", recorded("replace", self._rename)),
            mock.patch("os.unlink", recorded("unlink", self._remove)),
            mock.patch("os.rmdir", recorded("rmdir", self._remove)),
            mock.patch("os.fsync", sync),
        ):
            yield

    def _name(self, path: os.PathLike[str] | str) -> str:
        return Path(path).relative_to(self._top).as_posix()

    def _number(self, name: str) -> int:
        return self._files.setdefault(name, len(self._files) + 1_000)

    def _mkdir(self, path: Path, *_: object) -> Operation:
        return Operation("mkdir", self._name(path))

    def _remove(self, path: Path) -> Operation:
        return Operation("remove", self._name(path))

    def _rename(self, source: Path, path: Path) -> Operation:
        old, new = self._name(source), self._name(path)
        number = self._number(old)
        self._files[new] = number
        return Operation("rename", new, old, number, Path(source).read_bytes())

    def _sync(self, status: os.stat_result) -> None:
        for path in (self._top, *self._top.rglob("*")):
            if os.path.samestat(path.stat(), status):
                name, folder = self._name(path), path.is_dir()
                if not self._unsynced("folder" if folder else "file", name):
                    if folder:
                        self.log.append(Operation("sync folder", name))
                    else:
                        number = self._number(name)
                        content = path.read_bytes()
                        self.log.append(Operation("sync file", name, file=number, content=content))
                return


class Cut:
    """What may be on the disk when the power is cut after these operations."""

    def __init__(self, log: Sequence[Operation]) -> None:
        self.notes = [operation.note for operation in log if operation.kind == "note"]
        self._folders: dict[int, _Folder] = {ROOT: _Folder()}
        self._content: dict[int, bytes] = {}
        self._synced: dict[int, bytes] = {}
        for operation in log:
            self._apply(operation)

    def _apply(self, operation: Operation) -> None:
        if operation.kind == "note":
            return
        if operation.kind == "sync folder":
            self._folders[self._at(operation.path)].sync()
            return
        if operation.kind == "sync file":
            self._content[operation.file] = self._synced[operation.file] = operation.content
            return
        above, _, name = operation.path.rpartition("/")
        folder = self._folders[self._at(above)]
        if operation.kind == "remove":
            folder.set(name, None)
        elif operation.kind == "mkdir":
            folder.set(name, number := len(self._folders))
            self._folders[number] = _Folder()
        else:
            self._content[operation.file] = operation.content
            old = operation.source.rpartition("/")[2]
            folder.set(old, operation.file)
            folder.set(old, None)
            folder.set(name, operation.file)

    def _at(self, path: str) -> int:
        number = ROOT
        for name in path.split("/") if path not in ("", ".") else ():
            found = self._folders[number].now(name)
            assert found is not None, path
            number = found
        return number

    def left(self, chance: random.Random) -> Files:
        """One of the states in which the disk may be found."""
        # Whether what was not synced is lost, is there, or as it comes.
        there = chance.choice([0.0, 1.0, 0.5, chance.random()])
        found: Files = {}
        todo = [("", ROOT)]
        while todo:
            path, number = todo.pop()
            for name, all_ in self._folders[number].names.items():
                chosen = all_[-1] if chance.random() < there else chance.choice(all_)
                if there == 0.0:
                    chosen = all_[0]
                if chosen is None:
                    continue
                if chosen in self._folders:
                    found[f"{path}{name}/"] = b""
                    todo.append((f"{path}{name}/", chosen))
                else:
                    found[path + name] = self._bytes(chosen, chance, there)
        return found

    def _bytes(self, number: int, chance: random.Random, there: float) -> bytes:
        full = self._content[number]
        if self._synced.get(number) == full or chance.random() < there:
            return full
        page = chance.randrange(max(1, len(full) // _PAGE)) * _PAGE
        size = min(_PAGE, len(full) - page)
        return chance.choice(
            [b"", full[: len(full) // 2], full[:page] + bytes(size) + full[page + size :]]
        )
