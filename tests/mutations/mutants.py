"""Mutants: the small changes that are made to a module's source, one at a time."""

from __future__ import annotations

import ast
import copy
import itertools
from collections.abc import Iterator
from dataclasses import dataclass

_COMPARED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_COMPUTED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
_LEFT_ALONE = ("_log.", "log.", "gc.")  # what a log says is not the code's behavior


@dataclass(frozen=True)
class Mutant:
    """A changed module. `name` stays the same when the module's other lines change."""

    name: str  # "function: line as it was -> as it is"
    line: int
    tree: ast.Module


def mutants(source: str) -> Iterator[Mutant]:
    """Each mutant of a module."""
    original = ast.parse(source)
    number_of = {id(node): number for number, node in enumerate(ast.walk(original))}
    for node, function, statement in _places(original, "module", ast.Pass()):
        for variant in itertools.count():
            if not _change(copy.deepcopy(node), variant):
                break
            tree = copy.deepcopy(original)
            nodes = list(ast.walk(tree))
            changed = _change(nodes[number_of[id(node)]], variant)
            if isinstance(changed, ast.stmt):  # the statement that is gone
                name, line = f"{_line(changed)} -> gone", changed.lineno
            else:
                after = _line(nodes[number_of[id(statement)]])
                name, line = f"{_line(statement)} -> {after}", statement.lineno
            yield Mutant(f"{function}: {name}", line, ast.fix_missing_locations(tree))


def _places(
    node: ast.AST, function: str, statement: ast.stmt
) -> Iterator[tuple[ast.AST, str, ast.stmt]]:
    """Each node with the function and the statement that it lies in."""
    if isinstance(node, ast.stmt):
        statement = node
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        function = node.name if function == "module" else f"{function}.{node.name}"
    yield node, function, statement
    for name, value in ast.iter_fields(node):
        # Annotations and decorators are not run, or by a framework.
        if name not in {"annotation", "returns", "decorator_list"}:
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST):
                    yield from _places(child, function, statement)


def _change(node: ast.AST, variant: int) -> ast.stmt | bool:
    """Change the node in this way: the statement in it that is gone, or True for another change.
    False where there is no such way."""
    for field in ("body", "orelse"):
        found = getattr(node, field, None)
        block: list[ast.stmt] = found if isinstance(found, list) else []
        for at, statement in enumerate(block):
            if _may_go(statement):
                if variant == 0:
                    block[at] = ast.Pass()
                    return statement
                variant -= 1
    if isinstance(node, ast.Compare):
        if variant < len(node.ops) and (other := _COMPARED.get(type(node.ops[variant]))):
            node.ops[variant] = other()
            return True
    elif variant == 0:
        return _other(node)
    return False


def _other(node: ast.AST) -> bool:
    if isinstance(node, ast.BoolOp):
        node.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        node.operand = ast.UnaryOp(ast.Not(), node.operand)
    elif isinstance(node, ast.BinOp | ast.AugAssign) and type(node.op) in _COMPUTED:
        node.op = _COMPUTED[type(node.op)]()
    elif isinstance(node, ast.If | ast.IfExp) and isinstance(node.test, ast.Name | ast.Call):
        node.test = ast.UnaryOp(ast.Not(), node.test)
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
        node.value = not node.value
    elif isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        node.value += 1
    elif isinstance(node, ast.comprehension) and node.ifs:
        node.ifs = []
    elif isinstance(node, ast.Return) and ast.unparse(node) not in {"return", "return None"}:
        node.value = ast.Constant(None)
    else:
        return False
    return True


def _may_go(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Raise | ast.AugAssign | ast.Continue):
        return True
    called = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call)
    return called and not ast.unparse(statement).startswith(_LEFT_ALONE)


def _line(statement: ast.AST) -> str:
    """A statement's first line."""
    return " ".join(ast.unparse(statement).splitlines()[0].split())
