"""CloudWatch's rules: the state that an alarm of a template has, minute by minute, for given data.

Written from the CloudWatch User Guide, not from an emulator, which takes shortcuts that hide alarms
that cannot fire:

- alarm-evaluation: M (datapoints to alarm) of N (evaluation periods); an alarm is evaluated every
  minute, and once an hour where N periods are longer than a day; a window slides with it;
- alarms-and-missing-data: N points are evaluated. CloudWatch looks further back than N periods (the
  evaluation range) and takes what data it finds there before it fills in what is missing. The guide
  gives no general length: its examples are 5 periods for N=3 and about 3 for N=1, N + 2 both times;
- alarm-warm-up: until it ends, nothing is evaluated;
- PutMetricAlarm: N periods are at most 7 days, and 1 day where a period is shorter than an hour.
"""

from __future__ import annotations

import operator
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.cdk.synthesis import text

DAY = 1_440  # minutes
# Periods that CloudWatch looks further back than N, as in the guide's examples.
RANGE = 2
OK, ALARM, INSUFFICIENT = "OK", "ALARM", "INSUFFICIENT_DATA"

# Namespace, name, dimensions.
Key = tuple[str, str, tuple[tuple[str, str], ...]]
Points = NDArray[np.float64]  # a row for each evaluation, the newest point first; NaN: no data


class Metrics:
    """What was sent to CloudWatch: values by minute."""

    def __init__(self) -> None:
        self._values: dict[Key, list[tuple[int, float]]] = defaultdict(list)

    def add(self, namespace: str, name: str, minute: int, value: float, **where: str) -> None:
        """One value; `where` are its dimensions."""
        self._values[namespace, name, tuple(sorted(where.items()))].append((minute, value))

    def points(self, key: Key, stat: str, period: int, minutes: NDArray[Any], many: int) -> Points:
        """The newest `many` datapoints at each of these minutes, of periods in minutes."""
        sent = sorted(self._values.get(key, []))
        at = np.array([minute for minute, _ in sent])
        values = np.array([value for _, value in sent])
        ends = minutes[:, None] - period * np.arange(many)[None, :]
        low, high = np.searchsorted(at, ends - period), np.searchsorted(at, ends)
        windows, inverse = np.unique(
            np.stack([low, high], -1).reshape(-1, 2), axis=0, return_inverse=True
        )
        found = [_statistic(stat, values[start:end]) for start, end in windows]
        return np.array(found)[inverse.reshape(-1)].reshape(ends.shape)


@dataclass(frozen=True)
class Alarm:
    """An AWS::CloudWatch::Alarm; `period` and `warm_up` in minutes."""

    name: str
    key: Key
    stat: str
    period: int
    needed: int
    to_alarm: int
    threshold: float
    breaches: Callable[[Any, float], Any]
    missing: str
    warm_up: int

    @staticmethod
    def of(name: str, properties: Mapping[str, Any]) -> Alarm:
        """The alarm with these properties of a template, on one metric; ValueError where CloudWatch
        refuses it."""
        period = properties["Period"]
        needed = properties["EvaluationPeriods"]
        if period * needed > (604_800 if period >= 3_600 else 86_400):
            raise ValueError(f"{name}: {needed} periods of {period} s are too long")
        return Alarm(
            name=name,
            key=_key(properties),
            stat=properties.get("Statistic") or properties["ExtendedStatistic"],
            period=period // 60,
            needed=needed,
            to_alarm=properties.get("DatapointsToAlarm", needed),
            threshold=properties["Threshold"],
            breaches=_COMPARISONS[properties["ComparisonOperator"]],
            missing=properties.get("TreatMissingData", "missing"),
            warm_up=properties.get("WarmUpConfiguration", {}).get(
                "WarmUpPeriodDurationInMinutes", 0
            ),
        )

    def fired(
        self, metrics: Metrics, minutes: int, *, beyond: int = RANGE, step: int = 5
    ) -> list[int]:
        """The minutes, of this many since it was deployed, at which it goes into alarm.

        It is evaluated every `step` minutes, not every minute: enough to see what happens.
        """
        every = 60 if self.needed * self.period > DAY else step
        times = np.arange(self.warm_up or every, minutes, every)
        many = self.needed + beyond
        values = metrics.points(self.key, self.stat, self.period, times, many)
        breaching = self.breaches(values, self.threshold)
        known = ~np.isnan(values)
        state, fired = INSUFFICIENT, []
        for at, row, real in zip(times.tolist(), breaching.tolist(), known.tolist(), strict=True):
            points = tuple(
                breach if known else None for breach, known in zip(row, real, strict=True)
            )
            before, state = (
                state,
                evaluate(points[::-1], self.needed, self.to_alarm, self.missing, state),
            )
            if state == ALARM != before:
                fired.append(at)
        return fired


@cache
def evaluate(
    points: tuple[bool | None, ...], needed: int, to_alarm: int, missing: str, before: str
) -> str:
    """The state by the points of the evaluation range, the oldest first; None: no data."""
    real = [point for point in points if point is not None]
    lacking = needed - len(real)
    if lacking <= 0:
        return ALARM if sum(real[-needed:]) >= to_alarm else OK
    filled = lacking if missing == "breaching" else 0
    if sum(real) + filled >= to_alarm:
        return ALARM
    if missing in ("breaching", "notBreaching") or not all(real):
        return OK
    if missing == "ignore":
        return before
    # "Avoiding premature transitions": the oldest breaching point is old enough.
    old = True in points and len(points) - points.index(True) >= to_alarm
    return ALARM if old else INSUFFICIENT


def alarms(resources: Mapping[str, Mapping[str, Any]]) -> dict[str, Alarm]:
    """The alarms of a template's resources, by their names without what is neither letter nor
    digit."""
    found = {}
    for logical, each in resources.items():
        if each["Type"] == "AWS::CloudWatch::Alarm":
            name = logical.removeprefix("Observability")[:-8]
            found[name] = Alarm.of(name, each["Properties"])
    return found


def _key(metric: Mapping[str, Any]) -> Key:
    where = {each["Name"]: text(each["Value"]) for each in metric.get("Dimensions", [])}
    return metric["Namespace"], metric["MetricName"], tuple(sorted(where.items()))


def _statistic(stat: str, values: Points) -> float:
    if not len(values):
        return float("nan")
    if stat.startswith("p"):
        return float(np.percentile(values, float(stat[1:])))
    return float(_STATISTICS[stat](values))


_STATISTICS: Mapping[str, Callable[[Points], Any]] = {
    "Sum": np.sum,
    "Average": np.mean,
    "Maximum": np.max,
    "Minimum": np.min,
    "SampleCount": len,
}
_COMPARISONS: Mapping[str, Callable[[Any, float], Any]] = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "GreaterThanThreshold": operator.gt,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}
