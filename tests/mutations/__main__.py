"""Mutation testing: changes gallery, pipeline and storage in small ways, and tells what no test
notices.

    python -m tests.mutations [MODULE ...] [--sample N] [--seed S] [--named TEXT] [--widely]

A module is named by its path below lens/ ("gallery/rows"); without one, all are changed. No file is
touched: each mutant is a fork of this process, which imports the changed module and runs the tests
of its name and those that say "Covers:" it, then (--widely) those of both folders and the
histories, until one fails. A mutant that argued.txt names with a reason is left out. Exit status 1
when one survives.
"""

from __future__ import annotations

import argparse
import ast
import importlib
import importlib.abc
import importlib.util
import os
import random
import re
import resource
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import CodeType

from tests.mutations.mutants import Mutant, mutants

ROOT = Path(__file__).parents[2]
LENS = ROOT / "layers/lens/python/lens"
ARGUED = Path(__file__).with_name("argued.txt")
_GALLERY = sorted(f"gallery/{path.stem}" for path in (LENS / "gallery").glob("[!_]*.py"))
_PIPELINE = ["commit", "compact", "promote", "rollback", "collect", "reconcile", "embed", "events"]
_PIPELINE += ["disappearance"]
_STORAGE = sorted(f"storage/{path.stem}" for path in (LENS / "storage").glob("[!_]*.py"))
MODULES = [*_GALLERY, *(f"pipeline/{name}" for name in _PIPELINE), *_STORAGE]
_FOLDERS = ["tests/lens/gallery", "tests/lens/pipeline", "tests/lens/search/test_searcher.py"]
_HISTORIES = ["tests/histories/test_gallery_histories.py"]
_PRELOADED = (
    "numpy faiss onnxruntime onnx pydantic PIL.Image boto3 moto"  # none of pytest's plugins
)
# A mutant that takes longer over one group of tests hangs. Of its own time, and of anybody's: other
# programs may leave it little.
_CPU_SECONDS, _SECONDS = 120, 1_800.0


def argued() -> dict[str, str]:
    """The mutants that are known to change nothing that matters: module and name, and why."""
    known = {}
    for line in ARGUED.read_text().splitlines():
        if line and not line.startswith("#"):
            module, _, rest = line.partition(" | ")
            name, _, why = rest.rpartition(" | ")  # a name may have such bars, too
            known[f"{module} {name}"] = why
    return known


class _Changed(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    """Imports one module from another tree than that of its file."""

    def __init__(self, name: str, path: Path, tree: ast.Module) -> None:
        self._name, self._path, self._tree = name, path, tree

    def find_spec(self, fullname: str, path: object, target: object = None) -> ModuleSpec | None:
        if fullname != self._name:
            return None
        return importlib.util.spec_from_loader(fullname, self, origin=str(self._path))

    def get_source(self, fullname: str) -> str:
        return self._path.read_text()

    def get_code(self, fullname: str) -> CodeType:
        return compile(self._tree, str(self._path), "exec")


def tests_of(module: str) -> list[str]:
    """The tests of a module's name, and those whose first lines say that they cover it."""
    folder, _, name = module.rpartition("/")
    own = ROOT / f"tests/lens/{folder}/test_{name}.py"
    return [
        path.relative_to(ROOT).as_posix()
        for path in sorted((ROOT / "tests/lens").rglob("test_*.py"))
        if path == own or name in _covered(path)
    ]


def _covered(test: Path) -> set[str]:
    told = re.search(r"Covers:([^.]*)\.", ast.get_docstring(ast.parse(test.read_text())) or "")
    return {name.strip() for name in told[1].split(",")} if told else set()


def is_noticed(module: str, tree: ast.Module, tests: Sequence[str], chosen: str) -> bool:
    """Whether a test fails, or hangs, with this tree in the module's place."""
    child = os.fork()
    if child == 0:
        os.setsid()
        resource.setrlimit(resource.RLIMIT_CPU, (_CPU_SECONDS, _CPU_SECONDS))
        silence = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silence, 1)
        os.dup2(silence, 2)
        path = LENS / f"{module}.py"
        sys.meta_path.insert(0, _Changed(f"lens.{module.replace('/', '.')}", path, tree))
        status = 3
        with suppress(BaseException):
            import pytest

            options = ["-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-m", chosen]
            options.append("--hypothesis-profile=mutants")
            status = int(pytest.main([*options, *tests]))
        os._exit(status)
    deadline = time.monotonic() + _SECONDS
    while time.monotonic() < deadline:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return status != 0
        time.sleep(0.02)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return True


def _groups(module: str, widely: bool) -> list[tuple[list[str], str]]:
    """The tests to run one after the other, each with the marks of those that are meant."""
    own = tests_of(module)
    groups = [(own, "not slow")] if own else []
    return [*groups, (_FOLDERS, "not slow"), (_HISTORIES, "slow")] if widely else groups


def _survives(module: str, mutant: Mutant, widely: bool) -> bool:
    groups = _groups(module, widely)
    return not any(is_noticed(module, mutant.tree, *group) for group in groups)


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("modules", nargs="*", metavar="MODULE", choices=[[], *MODULES])
    parser.add_argument("--sample", type=int, help="mutants per module, drawn at random; else all")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--named", default="", help="only mutants whose names have this in them")
    parser.add_argument("--widely", action="store_true", help="ask other tests too (minutes each)")
    options = parser.parse_args()
    os.chdir(ROOT)
    for name in _PRELOADED.split():
        importlib.import_module(name)
    known, tried, survived, left_out = argued(), 0, 0, 0
    for module in options.modules or MODULES:
        source = (LENS / f"{module}.py").read_text()
        drawn = [mutant for mutant in mutants(source) if options.named in mutant.name]
        if not drawn:
            continue
        if not _survives(module, Mutant("", 0, ast.parse(source)), options.widely):
            sys.exit(f"the tests of {module} fail as it is: mend them first")
        if options.sample and options.sample < len(drawn):
            drawn = random.Random(options.seed).sample(drawn, options.sample)
        before = tried, survived
        for mutant in drawn:
            if f"{module} {mutant.name}" in known:
                left_out += 1
                continue
            tried += 1
            if _survives(module, mutant, options.widely):
                survived += 1
                print(f"SURVIVED {module}:{mutant.line} | {mutant.name}", flush=True)
        noticed = tried - survived - before[0] + before[1]
        print(f"{module}: {noticed} of {tried - before[0]} noticed", flush=True)
    print(f"{tried} mutants, {tried - survived} noticed, {survived} survived, {left_out} argued")
    return 1 if survived else 0


if __name__ == "__main__":
    sys.exit(main())
