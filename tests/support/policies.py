"""Policies: IAM's decision about one action, from the statements of a synthesized template.

What it knows is what the templates have: actions and resources with "*", and the conditions
StringEquals, StringLike, ArnLike and Bool. A key that the request lacks fulfills no condition.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from tests.cdk.synthesis import several, text


def allows(
    statements: Iterable[Mapping[str, Any]],
    action: str,
    resource: str,
    principal: str = "",
    **context: str,
) -> bool:
    """Whether some statement allows it and none denies it. `principal` is a service that a
    resource's policy must name; the context's keys are written with "_" for ":"."""
    given = {name.replace("_", ":"): value for name, value in context.items()}
    effects = {
        each["Effect"]
        for each in statements
        if _names(each, "Action", action)
        and _names(each, "Resource", resource)
        and (not principal or principal in _services(each))
        and all(
            _holds(operator, key, several(values), given)
            for operator, keys in each.get("Condition", {}).items()
            for key, values in keys.items()
        )
    }
    return "Allow" in effects and "Deny" not in effects


def _names(statement: Mapping[str, Any], what: str, wanted: str) -> bool:
    return any(_matches(text(each), wanted) for each in several(statement[what]))


def _services(statement: Mapping[str, Any]) -> list[str]:
    principal = statement.get("Principal", {})
    return (
        [text(each) for each in several(principal.get("Service", []))] if principal != "*" else []
    )


def _holds(operator: str, key: str, values: list[Any], given: Mapping[str, str]) -> bool:
    if key not in given:
        return False
    if operator in ("StringEquals", "Bool"):
        return given[key] in [text(each) for each in values]
    if operator in ("StringLike", "ArnLike"):
        return any(_matches(text(each), given[key]) for each in values)
    raise ValueError(f"{operator} is not known here")


def _matches(pattern: str, value: str) -> bool:
    parts = (".*" if each == "*" else "." if each == "?" else re.escape(each) for each in pattern)
    return re.fullmatch("".join(parts), value, re.DOTALL) is not None
