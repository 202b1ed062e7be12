"""Tests of observability.py and schedule.py: what can fail is played in simulated days, and every
alarm of the template is evaluated by CloudWatch's rules (tests/support).

How far CloudWatch looks back for data is not documented in general, so each is evaluated twice:
with the range of the guide's examples, and with none. `python -m tests.cdk.test_alarms TEMPLATE`
prints the matrix for a synthesized template.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from lens.measures import Measure
from lens.metric_lines import NAMESPACE
from lens.pipeline.failures import METRIC
from tests.cdk.synthesis import Parts, synthesize
from tests.support.cloudwatch import DAY, RANGE, Alarm, Metrics, alarms
from tests.support.simulated_stack import SimulatedStack, Trouble

pytestmark = pytest.mark.slow

DAYS = 6
# Just after the third day's runs: until the next one, nobody can know.
START = 3 * DAY + 10
# For what visitors meet: the third day's noon.
NOON = 3 * DAY + 12 * 60
# Hours after which these alarms must have fired.
FAILURES: dict[tuple[str, str], Mapping[str, float]] = {
    **{
        (function, how): {"{f}stopped": 6, **others}
        for function in ("reconcile", "promote")
        for how, others in (
            ("fails", {"FailedRuns": 3}),
            ("times out", {"FailedRuns": 3}),
            ("is throttled", {"{f}throttles": 2}),
            ("never runs", {}),
        )
    },
    **{
        ("collect", how): {"collectstopped": 29, **others}
        for how, others in (
            ("fails", {}),
            ("times out", {}),
            ("is throttled", {"collectthrottles": 25}),
            ("never runs", {}),
        )
    },
    ("embed", "fails"): {"embedfailures": 0.5, "embeddeadletters": 1.5},
    ("embed", "crashes"): {"embederrors": 0.5, "embeddeadletters": 1.5},
    ("embed", "is throttled"): {"embedthrottles": 0.5},
    ("embed", "never runs"): {"embedwaiting": 1.5},
    ("embed", "is slow"): {"Freshness": 2.5},
    ("build_index", "fails"): {"buildindexfailures": 0.5, "segmentsdeadletters": 1},
    ("build_index", "crashes"): {"buildindexerrors": 0.5},
    ("build_index", "is throttled"): {"buildindexthrottles": 0.5},
    ("build_index", "never runs"): {"segmentswaiting": 1.5},
    ("compact", "fails"): {"headswaiting": 2.5, "compactfailures": 4, "headsdeadletters": 8},
    ("compact", "crashes"): {"headswaiting": 2.5, "compacterrors": 4},
    ("compact", "is throttled"): {"headswaiting": 2.5, "compactthrottles": 4},
    ("compact", "never runs"): {"headswaiting": 2.5},
    ("setup", "crashes"): {"setuperrors": 0.2},
    ("training", "fails"): {"TrainingFailed": 3.2},  # the next one ends at three
    ("site", "fails"): {"SiteErrors": 0.5},
    ("search", "fails"): {"ApiErrors": 0.2, "ApiFailing": 0.5, "SiteErrors": 0.5},
    ("search", "crashes"): {"ApiErrors": 0.2, "searcherrors": 0.5},
    ("search", "is throttled"): {"ApiErrors": 0.2, "searchthrottles": 0.5},
    ("search", "is slow"): {"ApiSlow": 0.5},
    ("visitors", "are a flood"): {"ApiRequests": 0.2},
    ("the account", "is nearly full"): {"ConcurrencyUsed": 0.5},
    ("the bill of search", "grows"): {"searchcost": 0.5},
    ("the bill of embed", "grows"): {"embedcost": 0.75},
}
ONCE = [
    each
    for each in FAILURES
    if each[0] not in ("setup", "training", "site")
    and each[1] != "never runs"
    and each != ("embed", "is slow")
] + [("reconcile of the feed", "fails")]

OF_A_DOMAIN = {
    "domain": "lens.shop.example",
    "certificate_arn": "arn:aws:acm:us-east-1:123456789012:certificate/0a-1b",
}
Played = Callable[..., dict[int, dict[str, list[int]]]]


def _play(
    resources: Mapping[str, Mapping[str, Any]],
    watched: Mapping[str, Alarm],
    trouble: Trouble | None,
    **how: Any,
) -> dict[int, dict[str, list[int]]]:
    """The minutes at which each alarm fires that does, for two ranges of evaluation."""
    sent = SimulatedStack(resources, trouble, days=DAYS, **how).metrics
    return {
        beyond: {
            name: fired
            for name, alarm in watched.items()
            if (fired := alarm.fired(sent, DAYS * DAY, beyond=beyond))
        }
        for beyond in (0, RANGE)
    }


def _trouble(of: str, how: str) -> Trouble:
    visitors = of in ("search", "site", "training", "visitors") or how == "is slow"
    return Trouble(of, how, NOON if visitors else START)


@pytest.fixture(scope="module")
def watched(parts: Parts) -> dict[str, Alarm]:
    return alarms(parts.resources)


@pytest.fixture(scope="module")
def played(parts: Parts, watched: dict[str, Alarm]) -> Played:
    @cache
    def play(of: str, how: str) -> dict[int, dict[str, list[int]]]:
        return _play(parts.resources, watched, _trouble(of, how))

    return play


def test_a_healthy_week_fires_nothing_from_the_deployment_on(
    parts: Parts, watched: dict[str, Alarm]
) -> None:
    assert _play(parts.resources, watched, None) == {0: {}, RANGE: {}}


@pytest.mark.parametrize("failure", FAILURES, ids=" ".join)
def test_a_failure_fires_its_alarms_in_time_and_none_before(
    played: Played, failure: tuple[str, str]
) -> None:
    start = _trouble(*failure).start
    for beyond, fired in played(*failure).items():
        assert all(start < minutes[0] for minutes in fired.values()), fired
        for name, hours in FAILURES[failure].items():
            alarm = name.replace("{f}", failure[0])
            assert alarm in fired, (beyond, fired)
            assert fired[alarm][0] - start <= 60 * hours, (beyond, fired[alarm][0] - start)


@pytest.mark.parametrize("failure", ONCE, ids=" ".join)
def test_an_error_that_passes_fires_nothing(
    parts: Parts, watched: dict[str, Alarm], failure: tuple[str, str]
) -> None:
    """Three minutes: many attempts fail in them, and succeed when they are tried again."""
    at_once = Trouble(*failure, NOON if failure[0] == "search" else START - 10, minutes=3)
    assert _play(parts.resources, watched, at_once) == {0: {}, RANGE: {}}


def test_a_run_that_is_lost_with_its_retries_fires_nothing_where_the_next_one_succeeds(
    parts: Parts, watched: dict[str, Alarm]
) -> None:
    for of in ("reconcile", "promote"):
        lost = Trouble(of, "fails", START, minutes=90)
        assert _play(parts.resources, watched, lost) == {0: {}, RANGE: {}}


def test_a_quiet_shop_is_told_of_searches_that_fail(
    parts: Parts, watched: dict[str, Alarm]
) -> None:
    for how, alarm in (
        ("fails", "ApiFailing"),
        ("crashes", "searcherrors"),
        ("is slow", "ApiSlow"),
    ):
        for fired in _play(
            parts.resources, watched, Trouble("search", how, NOON), quiet=True
        ).values():
            assert fired[alarm][0] - NOON <= 60, how


def test_figures_of_reconcile_fire_at_their_thresholds(
    parts: Parts, watched: dict[str, Alarm]
) -> None:
    for name, figures in _figures(watched).items():
        trouble = Trouble("figures", "are bad", START)
        for fired in _play(parts.resources, watched, trouble, figures=figures).values():
            assert fired[name][0] - START <= 120, name


def _figures(watched: Mapping[str, Alarm]) -> dict[str, dict[str, float]]:
    """For each alarm on one of reconcile's figures: that figure, as bad as it may be."""
    return {
        name: {alarm.key[1]: alarm.threshold}
        for name, alarm in watched.items()
        if alarm.key[0] == NAMESPACE
        and [each for each, _ in alarm.key[2]] == ["service"]
        and alarm.key[1] != Measure.FRESHNESS
    }


def test_no_alarm_is_one_that_cannot_fire(played: Played, watched: dict[str, Alarm]) -> None:
    seen = {name for failure in FAILURES for fired in played(*failure).values() for name in fired}
    assert seen | set(_figures(watched)) == set(watched)


def test_a_feed_that_is_looked_at_does_not_hide_that_reconcile_fails(
    root: Path, tmp_path: Path
) -> None:
    parts = Parts(synthesize(root, tmp_path, feed="https://shop.example/products.csv"))
    watched = alarms(parts.resources)
    for fired in _play(parts.resources, watched, Trouble("reconcile", "fails", START)).values():
        assert fired["FailedRuns"][0] - START <= 180
        assert fired["GalleryAge"][0] - START <= 600
    assert _play(parts.resources, watched, None) == {0: {}, RANGE: {}}


@pytest.mark.parametrize("hours", [6, 168])
def test_the_alarms_follow_the_schedule(root: Path, tmp_path: Path, hours: int) -> None:
    """CloudWatch refuses more than seven days (tests/support/cloudwatch.py)."""
    parts = Parts(synthesize(root, tmp_path, reconcile_hours=hours, collect_hours=hours))
    stopped = alarms(parts.resources)["reconcilestopped"]
    assert stopped.needed == min(hours + 2, 168)


def test_a_certificate_that_is_not_renewed_is_told_of(root: Path, tmp_path: Path) -> None:
    parts = Parts(synthesize(root, tmp_path, **OF_A_DOMAIN))
    (environment,) = (
        each["Properties"]["Environment"]["Variables"]
        for name, each in parts.named("AWS::Lambda::Function").items()
        if "reconcile" in name
    )
    assert environment["LENS_DOMAIN"] == "lens.shop.example"
    alarm = alarms(parts.resources)["CertificateEnds"]
    for days, told in ((22.0, []), (20.9, [120]), (0.0, [120])):
        sent = Metrics()
        for hour in range(48):
            sent.add(*alarm.key[:2], 60 * hour + 1, days, **dict(alarm.key[2]))
        assert [minute <= 120 for minute in alarm.fired(sent, 2 * DAY)] == [True] * len(told)


def test_failed_messages_are_counted_under_the_name_that_the_alarm_watches(
    parts: Parts, watched: dict[str, Alarm]
) -> None:
    for function in ("embed", "build_index", "compact"):
        namespace, name, where = watched[f"{function.replace('_', '')}failures"].key
        assert (namespace, name) == (NAMESPACE, METRIC)
        assert [dimension for dimension, _ in where] == ["FunctionName"]


def test_every_alarm_names_its_row_in_the_runbook_and_every_row_is_an_alarm(
    parts: Parts, root: Path, tmp_path: Path
) -> None:
    page = (Path(__file__).parents[2] / "docs/operations.md").read_text()
    rows = re.findall(r"^\| `(\S+)` \|", page.partition("## Alarms")[2].partition("\n## ")[0], re.M)
    told = set()
    chosen = Parts(synthesize(root, tmp_path, search_rollout="canary", **OF_A_DOMAIN))
    for each in (parts, chosen):
        for alarm in each.named("AWS::CloudWatch::Alarm").values():
            text = alarm["Properties"]["AlarmDescription"]
            found = re.search(r": .* Runbook: docs/operations\.md#alarms, (\S+)\.$", text)
            assert found, text
            told.add(found[1])
    assert told == set(rows)


def _matrix(template: Mapping[str, Any]) -> None:
    resources = template["Resources"]
    watched = alarms(resources)
    seen: set[str] = set()

    def line(title: str, trouble: Trouble | None, **how: Any) -> None:
        fired = _play(resources, watched, trouble, **how)[RANGE]
        start = trouble.start if trouble else 0
        seen.update(fired)
        first = sorted((minutes[0] - start, name) for name, minutes in fired.items())
        told = ", ".join(f"{name} {minute / 60:.1f} h" for minute, name in first)
        print(f"| {title} | {told or 'nothing'} |", flush=True)

    line("nothing", None)
    for of, how in FAILURES:
        line(f"{of} {how}", _trouble(of, how))
    for how in ("fails", "is slow"):
        line(f"search {how}, few visitors", Trouble("search", how, NOON), quiet=True)
    for name, figures in _figures(watched).items():
        line(f"{name} at its threshold", Trouble("figures", "", START), figures=figures)
    for of, how in ONCE:
        line(f"{of} {how}, once", Trouble(of, how, START - 10, minutes=3))
    never = sorted(set(watched) - seen)
    print(f"{len(never)} of {len(watched)} never fire: {', '.join(never)}")


if __name__ == "__main__":
    _matrix(json.loads(Path(sys.argv[1]).read_text()))
