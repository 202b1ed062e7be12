"""Mutants: which changes are made, and that one is noticed by the tests of its module alone."""

from __future__ import annotations

import ast

from tests.mutations.__main__ import LENS, MODULES, argued
from tests.mutations.mutants import mutants

SOURCE = """
def count(rows: int = 3) -> int:
    _log.info("counted")
    if not rows or rows < 2:
        raise ValueError
    note(rows)
    return rows + 1
"""


def test_each_change_is_made_alone() -> None:
    names = [mutant.name for mutant in mutants(SOURCE)]
    assert sorted(names) == sorted(
        [
            "count: raise ValueError -> gone",
            "count: note(rows) -> gone",
            "count: if not rows or rows < 2: -> if not rows and rows < 2:",
            "count: if not rows or rows < 2: -> if not not rows or rows < 2:",
            "count: if not rows or rows < 2: -> if not rows or rows <= 2:",
            "count: if not rows or rows < 2: -> if not rows or rows < 3:",
            "count: return rows + 1 -> return None",
            "count: return rows + 1 -> return rows - 1",
            "count: return rows + 1 -> return rows + 2",
            "count: def count(rows: int=3) -> int: -> def count(rows: int=4) -> int:",
        ]
    )
    assert all(compile(mutant.tree, "mutant", "exec") for mutant in mutants(SOURCE))


def test_what_is_argued_names_mutants_that_there_are() -> None:
    there = {
        f"{module} {mutant.name}"
        for module in {name.partition(" ")[0] for name in argued()}
        for mutant in mutants((LENS / f"{module}.py").read_text())
    }
    assert set(argued()) <= there
    assert all(argued().values())


def test_the_modules_are_there() -> None:
    assert [name for name in MODULES if not (LENS / f"{name}.py").exists()] == []
    assert all(ast.parse((LENS / f"{name}.py").read_text()) for name in MODULES)
