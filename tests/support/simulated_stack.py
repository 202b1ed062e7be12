"""A stack in simulated days: the metrics that its functions, queues and site would send, by the
schedules, retries and queues of the template, while one thing fails.

What AWS does of it, from its guides:

- Lambda tries an asynchronous call twice more, after 1 and 2 minutes, and a throttled one for up to
  6 hours, at most 5 minutes apart; then it drops it, to the on-failure destination if there is one.
- EventBridge's own retries are for calls that Lambda did not take; a function's errors are not.
- Messages that a batch's reply names as failed are no errors of the function. A message is received
  again when its visibility timeout ends, and moves to the dead letters after `maxReceiveCount`.
- A queue's age leaves out messages that were received three times. Its metrics come while it holds
  messages and for six hours after.
- Each call is an error or none: `Errors` is 1 or 0 ("binary indicators of the outcome").
- A state machine's failures, and throttles, have a datapoint only where there are some.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.cdk.synthesis import text
from tests.support.cloudwatch import DAY, Metrics

_ASYNC_PAUSES = (1, 2)
_ASYNC_HOURS = 6
_ACTIVE_MINUTES = 360
_OUR_NAMESPACE = "ImageLens"
_FRESHNESS = "Freshness"  # published by each commit, not by reconcile
_SLOW_MINUTES = 90
FUNCTIONS = (
    "embed",
    "build_index",
    "compact",
    "reconcile",
    "collect",
    "promote",
    "setup",
    "search",
)
# Which function's messages follow when one succeeds.
_NEXT = {"embed": "build_index", "build_index": "compact", "compact": None}


@dataclass(frozen=True)
class Trouble:
    """What fails, and how, from `start` on (minutes after the deployment): for good, or in the
    attempts of `minutes`."""

    of: str
    how: str
    start: int = 3 * DAY
    minutes: int = 10**9

    def hits(self, what: str, minute: int) -> bool:
        """Whether an attempt of this fails."""
        return self.of == what and self.start <= minute < self.start + self.minutes


@dataclass(frozen=True)
class _Message:
    sent: int
    received: tuple[int, ...]
    gone: int


class SimulatedStack:
    """`metrics` are those of so many days from the deployment on. `quiet` is a shop with a search
    in a quarter of an hour, by day; otherwise there is one a minute."""

    def __init__(
        self,
        resources: Mapping[str, Mapping[str, Any]],
        trouble: Trouble | None = None,
        *,
        days: int = 8,
        quiet: bool = False,
        figures: Mapping[str, float] | None = None,
    ) -> None:
        """`figures` are published by reconcile once the trouble has started; else they are 0."""
        self._resources = resources
        self._trouble = trouble or Trouble("nothing", "")
        self._end = days * DAY
        self._quiet = quiet
        self._figures = figures or {}
        self._random = random.Random(1)
        self._names = {
            name: f"<{logical}>"
            for logical in self._all("AWS::Lambda::Function")
            for name in FUNCTIONS
            if logical[:-8] == f"Functions{name.replace('_', '')}"
        }
        self.metrics = Metrics()
        self._deployment()
        for function, every, whole in self._schedules():
            self._scheduled(function, every, whole)
        self._messages()
        self._visitors()
        self._trainings()
        self._spending()

    def _deployment(self) -> None:
        for at in (0, self._trouble.start):
            self._call("setup", at)

    def _schedules(self) -> Iterator[tuple[str, int, bool]]:
        """(function, minutes between two calls, whether it does all of its work)."""
        for each in self._named("AWS::Events::Rule").values():
            number, unit = each["ScheduleExpression"].removeprefix("rate(").rstrip(")").split()
            every = int(number) * {"minute": 1, "hour": 60, "day": DAY}[unit.rstrip("s")]
            for target in each["Targets"]:
                whole = "only" not in json.loads(target.get("Input", "{}"))
                yield self._function_of(target["Arn"]), every, whole

    def _scheduled(self, function: str, every: int, whole: bool) -> None:
        what = function if whole else f"{function} of the feed"
        at = every + self._random.randrange(3)
        while at < self._end:
            if not (self._trouble.hits(what, at) and self._trouble.how == "never runs"):
                self._asynchronous(function, what, at + self._random.randrange(2))
            at += every

    def _asynchronous(self, function: str, what: str, at: int) -> None:
        config = self._invoke_config(function)
        dropped = at + 60 * _ASYNC_HOURS
        pauses = _ASYNC_PAUSES[: config.get("MaximumRetryAttempts", 2)]
        wait = 1
        while self._trouble.hits(what, at) and self._trouble.how == "is throttled":
            if at >= dropped:
                return self._lost(function, config, at)
            self._lambda(function, "Throttles", at, 1)
            at += wait
            wait = min(2 * wait, 5)
        for pause in (*pauses, None):
            if self._call(function, at, what):
                if what == "reconcile":
                    self._publish(at)
                return None
            if pause is None:
                return self._lost(function, config, at)
            # A call that times out has first run to its end.
            at += pause + (15 if self._trouble.how == "times out" else 0)
        return None

    def _lost(self, function: str, config: Mapping[str, Any], at: int) -> None:
        self._lambda(function, "AsyncEventsDropped", at, 1)
        if where := config.get("DestinationConfig", {}).get("OnFailure"):
            queue = text(where["Destination"])
            self.metrics.add("AWS/SQS", "NumberOfMessagesSent", at, 1, QueueName=queue)
            self._kept(queue, at)

    def _publish(self, at: int) -> None:
        for name in ("Photos", *self._our_figures()):
            failing = at >= self._trouble.start
            value = self._figures.get(name, 0.0) if failing else 0.0
            self.metrics.add(_OUR_NAMESPACE, name, at, value, service="ImageLens")

    def _our_figures(self) -> set[str]:
        """Those of our metrics that alarms watch and reconcile publishes."""
        return {
            each["MetricName"]
            for each in self._named("AWS::CloudWatch::Alarm").values()
            if each["Namespace"] == _OUR_NAMESPACE
            and [dimension["Name"] for dimension in each["Dimensions"]] == ["service"]
            and each["MetricName"] != _FRESHNESS
        }

    def _messages(self) -> None:
        """By day a photo comes every 20 minutes; what is embedded is committed and compacted."""
        sources = {
            self._function_of(each["FunctionName"]): text(each["EventSourceArn"])
            for each in self._named("AWS::Lambda::EventSourceMapping").values()
        }
        uploads = [minute for minute in range(0, self._end, 20) if 8 <= minute % DAY // 60 < 20]
        # A burst: many at once, when the trouble begins.
        uploads += [self._trouble.start] * 20
        arriving = [(at, at) for at in uploads]
        function: str | None = "embed"
        while function:
            queue = sources[function]
            arriving.sort()
            messages = [self._message(function, queue, at) for at, _ in arriving]
            self._depths(queue, messages)
            done = [
                (each.gone, uploaded)
                for each, (_, uploaded) in zip(messages, arriving, strict=True)
                if each.gone < self._end
            ]
            if function == "build_index":
                for at, uploaded in done:
                    age = 60 * (at - uploaded)
                    self.metrics.add(_OUR_NAMESPACE, _FRESHNESS, at, age, service="ImageLens")
            arriving = [(at + 1, uploaded) for at, uploaded in done]
            function = _NEXT[function]

    def _message(self, function: str, queue: str, at: int) -> _Message:
        properties = self._resources[queue.strip("<>")]["Properties"]
        hidden = -(-properties["VisibilityTimeout"] // 60)
        most = properties["RedrivePolicy"]["maxReceiveCount"]
        sent, received = at, []
        while self._trouble.hits(function, at):
            if self._trouble.how == "never runs":
                return _Message(sent, (), self._end)
            if self._trouble.how == "is slow":  # more come than it can take
                at += _SLOW_MINUTES
                break
            received.append(at)
            if self._trouble.how == "is throttled":
                self._lambda(function, "Throttles", at, 1)
            elif self._trouble.how == "fails":
                self._lambda(function, "Invocations", at, 1)
                self._lambda(function, "Errors", at, 0)
                self.metrics.add(
                    _OUR_NAMESPACE, "FailedMessages", at, 1, FunctionName=self._names[function]
                )
            else:
                self._call(function, at)
            at += hidden
            if len(received) == most:
                self._kept(text(properties["RedrivePolicy"]["deadLetterTargetArn"]), at)
                return _Message(sent, tuple(received), self._end)
        self._call(function, at)
        return _Message(sent, (*received, at), at)

    def _kept(self, queue: str, at: int) -> None:
        """A message that stays in this queue."""
        for minute in range(at, self._end, 5):
            self._queue(queue, "ApproximateNumberOfMessagesVisible", minute, 1)

    def _depths(self, queue: str, messages: list[_Message]) -> None:
        ages: dict[int, int] = {}
        for each in messages:
            thrice = each.received[2] if len(each.received) > 2 else self._end
            for minute in range(each.sent, each.gone + _ACTIVE_MINUTES, 5):
                counted = minute <= min(each.gone, thrice)
                age = 60 * (minute - each.sent) if counted else 0
                ages[minute] = max(ages.get(minute, 0), age)
        for minute, age in ages.items():
            self._queue(queue, "ApproximateAgeOfOldestMessage", minute, age)

    def _visitors(self) -> None:
        api = f"<{next(iter(self._all('AWS::ApiGatewayV2::Api')))}>"
        site = f"<{next(iter(self._all('AWS::CloudFront::Distribution')))}>"
        edge = {"DistributionId": site, "Region": "Global"}
        for at in range(0, self._end):
            by_day = 8 <= at % DAY // 60 < 22
            often = (15 if by_day else 0) if self._quiet else (1 if by_day else 20)
            if not often or at % often:
                continue
            hit = self._trouble.hits("search", at)
            how = self._trouble.how if hit else ""
            if how == "is throttled":
                self._lambda("search", "Throttles", at, 1)
            else:
                self._lambda("search", "Invocations", at, 1)
                self._lambda("search", "Errors", at, how == "crashes")
                self._lambda("search", "Duration", at, 150)
            broken = how in ("fails", "crashes", "is throttled")
            self.metrics.add("AWS/ApiGateway", "Count", at, 1, ApiId=api)
            self.metrics.add("AWS/ApiGateway", "5xx", at, broken, ApiId=api)
            latency = 9_000 if how == "is slow" else 400
            self.metrics.add("AWS/ApiGateway", "Latency", at, latency, ApiId=api)
            down = 100 if self._trouble.hits("site", at) else 10 if broken else 0
            self.metrics.add("AWS/CloudFront", "5xxErrorRate", at, down, **edge)

    def _trainings(self) -> None:
        """One a day at noon, of three hours."""
        machine = f"<{next(iter(self._all('AWS::StepFunctions::StateMachine')))}>"
        for at in range(15 * 60, self._end, DAY):
            failed = self._trouble.hits("training", at)
            name = "ExecutionsFailed" if failed else "ExecutionsSucceeded"
            self.metrics.add("AWS/States", name, at, 1, StateMachineArn=machine)

    def _spending(self) -> None:
        """What runs all the time: requests as many as the throttle lets through, requests that last
        until the timeout in every function there may be, or photos that are embedded for ever."""
        api = f"<{next(iter(self._all('AWS::ApiGatewayV2::Api')))}>"
        stage = next(iter(self._named("AWS::ApiGatewayV2::Stage").values()))
        rate = stage["DefaultRouteSettings"]["ThrottlingRateLimit"]
        at_once = {
            "search": self._resources[self._names["search"].strip("<>")]["Properties"].get(
                "ReservedConcurrentExecutions", 1_000
            ),
            "embed": next(
                each["ScalingConfig"]["MaximumConcurrency"]
                for each in self._named("AWS::Lambda::EventSourceMapping").values()
                if self._function_of(each["FunctionName"]) == "embed"
            ),
        }
        for at in range(self._end):
            if self._trouble.hits("visitors", at) and self._trouble.how == "are a flood":
                self.metrics.add("AWS/ApiGateway", "Count", at, 60 * rate, ApiId=api)
            if self._trouble.hits("the account", at) and self._trouble.how == "is nearly full":
                self.metrics.add("AWS/Lambda", "ClaimedAccountConcurrency", at, 850)
            for function, most in at_once.items():
                if self._trouble.hits(f"the bill of {function}", at):
                    self._lambda(function, "Duration", at, 60_000 * most)

    def _call(self, function: str, at: int, what: str | None = None) -> bool:
        """Whether the call succeeds."""
        failed = self._trouble.hits(what or function, at)
        self._lambda(function, "Invocations", at, 1)
        self._lambda(function, "Errors", at, failed)
        self._lambda(function, "Duration", at, 1_000)
        return not failed

    def _lambda(self, function: str, name: str, at: int, value: float) -> None:
        self.metrics.add("AWS/Lambda", name, at, value, FunctionName=self._names[function])

    def _queue(self, queue: str, name: str, at: int, value: float) -> None:
        self.metrics.add("AWS/SQS", name, at, value, QueueName=queue)

    def _function_of(self, reference: Any) -> str:
        """Whose ARN or name this is: embed, build_index, ..."""
        (function,) = [name for name, each in self._names.items() if each == text(reference)]
        return function

    def _invoke_config(self, function: str) -> Mapping[str, Any]:
        for each in self._named("AWS::Lambda::EventInvokeConfig").values():
            if self._function_of(each["FunctionName"]) == function:
                return each
        return {}

    def _named(self, kind: str) -> dict[str, Mapping[str, Any]]:
        return {name: self._resources[name]["Properties"] for name in self._all(kind)}

    def _all(self, kind: str) -> list[str]:
        return [name for name, each in self._resources.items() if each["Type"] == kind]
