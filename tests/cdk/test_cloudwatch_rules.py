"""Tests of the rules of CloudWatch by which the alarms are tested (tests/support/cloudwatch.py)."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.cloudwatch import ALARM, INSUFFICIENT, OK, Alarm, Metrics, evaluate

RETAINED = "what it was"
# The guide's tables (alarms-and-missing-data): five points, the newest last; N is 3.
ALL_THREE = {
    "0-X-X": (OK, OK, OK, OK),
    "0----": (OK, OK, OK, OK),
    "-----": (INSUFFICIENT, RETAINED, ALARM, OK),
    "0XX-X": (ALARM, ALARM, ALARM, ALARM),
    "--X--": (ALARM, RETAINED, ALARM, OK),
}
TWO_OF_THREE = {
    "0-X-X": (ALARM, ALARM, ALARM, ALARM),
    "00X0X": (ALARM, ALARM, ALARM, ALARM),
    "0-X--": (OK, OK, ALARM, OK),
    "----0": (OK, OK, ALARM, OK),
    "---X-": (ALARM, RETAINED, ALARM, OK),
}
TREATMENTS = ("missing", "ignore", "breaching", "notBreaching")


@pytest.mark.parametrize(("to_alarm", "table"), [(3, ALL_THREE), (2, TWO_OF_THREE)])
def test_the_rules_give_what_the_tables_of_the_guide_say(
    to_alarm: int, table: dict[str, tuple[str, ...]]
) -> None:
    for drawn, states in table.items():
        points = tuple({"0": False, "X": True, "-": None}[each] for each in drawn)
        for treatment, state in zip(TREATMENTS, states, strict=True):
            found = evaluate(points, 3, to_alarm, treatment, RETAINED)
            assert found == state, (drawn, treatment)


def _alarm(**properties: object) -> Alarm:
    usual = {
        "Namespace": "N",
        "MetricName": "M",
        "Dimensions": [],
        "Statistic": "Sum",
        "Period": 300,
        "EvaluationPeriods": 1,
        "Threshold": 2,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "TreatMissingData": "notBreaching",
    }
    return Alarm.of("a", {**usual, **properties})


def test_the_window_slides_and_is_not_bound_to_the_clock() -> None:
    metrics = Metrics()
    metrics.add("N", "M", 13, 1)
    metrics.add("N", "M", 16, 1)  # not in the same five minutes of the clock
    assert _alarm().fired(metrics, 60, step=1)[0] == 17


def test_an_hourly_error_never_fires_three_of_three_times_five_minutes() -> None:
    metrics = Metrics()
    for hour in range(48):
        metrics.add("N", "M", 60 * hour, 3)
    assert not _alarm(EvaluationPeriods=3).fired(metrics, 48 * 60)


def test_a_last_good_point_delays_what_is_missing_by_the_evaluation_range() -> None:
    """The guide's example: a period of a day breaches about three days after the last data."""
    metrics = Metrics()
    metrics.add("N", "M", 0, 0)
    heartbeat = _alarm(Period=86_400, TreatMissingData="breaching")
    (fired,) = heartbeat.fired(metrics, 7 * 1_440)
    assert fired == pytest.approx(3 * 1_440, abs=60)
    assert heartbeat.fired(metrics, 7 * 1_440, beyond=0)[0] == pytest.approx(1_440, abs=60)


def test_nothing_fires_while_an_alarm_warms_up() -> None:
    missing = _alarm(TreatMissingData="breaching")
    assert missing.fired(Metrics(), 120) == [5]
    warm = _alarm(
        TreatMissingData="breaching", WarmUpConfiguration={"WarmUpPeriodDurationInMinutes": 30}
    )
    assert warm.fired(Metrics(), 120) == [30]


def test_statistics_are_of_the_period() -> None:
    metrics = Metrics()
    for minute, value in enumerate((1.0, 5.0, 3.0)):
        metrics.add("N", "M", minute, value)

    def at(stat: str) -> float:
        return float(metrics.points(("N", "M", ()), stat, 5, np.array([5]), 1)[0, 0])

    assert [at(each) for each in ("Sum", "Maximum", "Average", "p50")] == [9.0, 5.0, 3.0, 3.0]


def test_what_cloudwatch_refuses_is_refused() -> None:
    with pytest.raises(ValueError, match="too long"):
        _alarm(Period=3_600, EvaluationPeriods=169)
    with pytest.raises(ValueError, match="too long"):
        _alarm(Period=1_800, EvaluationPeriods=49)
