"""A state machine in Amazon States Language, played without AWS: what its states do with their
input, and where an error leads. Waits take no time; tasks are Python functions.

After the language's specification (https://states-language.net/spec.html), JSONPath only, and only
the parts that a definition here uses: anything else raises. The emulator plays the same definitions
by an interpreter of its own (tests/aws/test_training.py).
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Mapping
from fnmatch import translate
from typing import Any

Task = Callable[[str, Any], Any]  # the state's name and its input; raises TaskError
_CALL = re.compile(r"States\.(\w+)\((.*)\)", re.DOTALL)
_ARGUMENT = re.compile(r"\s*('(?:[^'\\]|\\.)*'|[^,']+?)\s*(?:,|$)", re.DOTALL)
_FIELDS = {
    "Pass": {"Parameters", "InputPath", "ResultPath", "OutputPath", "Next"},
    "Task": {
        "Resource", "Parameters", "ResultSelector", "ResultPath", "Retry", "Catch", "Next",
    },
    "Choice": {"Choices", "Default"},
    "Wait": {"Seconds", "Next"},
    "Succeed": set(),
    "Fail": {"Error", "Cause", "ErrorPath", "CausePath"},
}  # fmt: skip
_MOST_STATES = 25_000 // 5  # what an execution's history holds, at five events a task


class TaskError(Exception):
    """A task ended with this error."""

    def __init__(self, error: str, cause: str = "") -> None:
        super().__init__(f"{error}: {cause}")
        self.error = error
        self.cause = cause


class Execution:
    """One execution, played to its end. `path` are the states that it entered."""

    def __init__(
        self, definition: Mapping[str, Any], given: Any, task: Task, name: str = "a-job"
    ) -> None:
        self.path: list[str] = []
        self.status, self.output = "", given
        self.error = self.cause = ""
        self._context = {"Execution": {"Name": name}}
        at: str | None = definition["StartAt"]
        while at is not None:
            self.path.append(at)
            assert len(self.path) < _MOST_STATES, "an execution's history would be full"
            state = definition["States"][at]
            unknown = state.keys() - _FIELDS[state["Type"]] - {"Type"}
            assert not unknown, f"{at}: {unknown} is not known here"
            at = getattr(self, f"_{state['Type'].lower()}")(at, state, task)

    def _pass(self, name: str, state: Mapping[str, Any], task: Task) -> str:
        given = _look_up(state.get("InputPath", "$"), self.output)
        result = self._filled(state["Parameters"], given) if "Parameters" in state else given
        self.output = _placed(state.get("ResultPath", "$"), self.output, result)
        self.output = _look_up(state.get("OutputPath", "$"), self.output)
        return str(state["Next"])

    def _task(self, name: str, state: Mapping[str, Any], task: Task) -> str:
        given = self._filled(state["Parameters"], self.output)
        retries = dict.fromkeys(range(len(state.get("Retry", []))), 0)
        while True:
            try:
                result = task(name, copy.deepcopy(given))
                break
            except TaskError as error:
                again = _first(state.get("Retry", []), error)
                if again is not None and retries[again] < state["Retry"][again]["MaxAttempts"]:
                    retries[again] += 1
                    continue
                caught = _first(state.get("Catch", []), error)
                if caught is None:
                    self.status, self.error, self.cause = "FAILED", error.error, error.cause
                    return None  # type: ignore[return-value]
                catcher = state["Catch"][caught]
                told = {"Error": error.error, "Cause": error.cause}
                self.output = _placed(catcher.get("ResultPath", "$"), self.output, told)
                return str(catcher["Next"])
        if "ResultSelector" in state:
            result = self._filled(state["ResultSelector"], result)
        self.output = _placed(state.get("ResultPath", "$"), self.output, result)
        return str(state["Next"])

    def _choice(self, name: str, state: Mapping[str, Any], task: Task) -> str:
        for rule in state["Choices"]:
            if _holds(rule, self.output):
                return str(rule["Next"])
        return str(state["Default"])

    def _wait(self, name: str, state: Mapping[str, Any], task: Task) -> str:
        return str(state["Next"])

    def _succeed(self, name: str, state: Mapping[str, Any], task: Task) -> None:
        self.status = "SUCCEEDED"

    def _fail(self, name: str, state: Mapping[str, Any], task: Task) -> None:
        self.status = "FAILED"
        self.error, self.cause = (
            self._value(state[f"{each}Path"], self.output)
            if f"{each}Path" in state
            else state.get(each, "")
            for each in ("Error", "Cause")
        )
        assert isinstance(self.error, str) and isinstance(self.cause, str)

    def _filled(self, template: Any, given: Any) -> Any:
        """A payload template: a field `name.$` is a path or an intrinsic function."""
        if isinstance(template, dict):
            return {
                (name[:-2] if name.endswith(".$") else name): (
                    self._value(value, given) if name.endswith(".$") else self._filled(value, given)
                )
                for name, value in template.items()
            }
        if isinstance(template, list):
            return [self._filled(each, given) for each in template]
        return template

    def _value(self, expression: str, given: Any) -> Any:
        if call := _CALL.fullmatch(expression):
            arguments = [self._argument(each, given) for each in _ARGUMENT.findall(call[2]) if each]
            return _intrinsic(call[1], arguments)
        if expression.startswith("$$."):
            return copy.deepcopy(_look_up(expression[1:], self._context))
        return copy.deepcopy(_look_up(expression, given))

    def _argument(self, text: str, given: Any) -> Any:
        if text.startswith("'"):
            return re.sub(r"\\(.)", r"\1", text[1:-1])
        return self._value(text, given) if text.startswith("$") else json.loads(text)


def _intrinsic(name: str, arguments: list[Any]) -> Any:
    if name == "Format":
        text, *values = arguments
        assert text.count("{}") == len(values), f"{text} takes other values than {values}"
        for value in values:
            text = text.replace("{}", value if isinstance(value, str) else json.dumps(value), 1)
        return text
    if name == "JsonMerge":
        first, second, deep = arguments
        assert deep is False  # the only kind there is
        return {**first, **second}
    if name == "JsonToString":
        return json.dumps(arguments[0])
    if name == "ArrayGetItem":
        return arguments[0][arguments[1]]
    if name == "MathAdd":
        return arguments[0] + arguments[1]
    raise AssertionError(f"States.{name} is not known here")


def _look_up(path: str, data: Any) -> Any:
    """A reference path: $.a.b. A path that leads nowhere ends an execution."""
    for name in path.removeprefix("$").split(".")[1:]:
        assert isinstance(data, dict) and name in data, f"{path} leads nowhere"
        data = data[name]
    return data


def _placed(path: str, given: Any, result: Any) -> Any:
    if path == "$":
        return result
    placed = copy.deepcopy(given)
    *above, last = path.removeprefix("$.").split(".")
    inner = placed
    for name in above:
        inner = inner.setdefault(name, {})
    inner[last] = result
    return placed


def _holds(rule: Mapping[str, Any], given: Any) -> bool:
    if "Or" in rule:
        return any(_holds(each, given) for each in rule["Or"])
    value = _look_up(rule["Variable"], given)
    ((kind, wanted),) = (
        (name, value) for name, value in rule.items() if name not in ("Variable", "Next")
    )
    if kind in ("StringEquals", "BooleanEquals"):
        return bool(value == wanted)
    if kind == "NumericLessThan":
        return bool(value < wanted)
    if kind == "StringMatches":
        assert not set(wanted) & set("?[")  # a * alone means something
        return re.fullmatch(translate(wanted), value) is not None
    raise AssertionError(f"{kind} is not known here")


def _first(rules: list[Mapping[str, Any]], error: TaskError) -> int | None:
    for position, rule in enumerate(rules):
        if {"States.ALL", error.error} & set(rule["ErrorEquals"]):
            return position
    return None
