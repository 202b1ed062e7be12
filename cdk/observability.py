"""Observability: the alarms, and one dashboard that shows what they watch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from aws_cdk import Aws, CfnCondition, Duration, Fn, Stack, Token
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from cdk.config import Config
from cdk.event_queue import EventQueue
from cdk.maintenance import METRICS
from cdk.schedule import Schedule
from cdk.search import Search
from cdk.training import Training
from cdk.website import Website

_FIVE = Duration.minutes(5)
_ONE_HOUR = Duration.hours(1)
_HOUR = 3_600
# CloudWatch looks at 7 days at most, and lets an alarm warm up for 2.
_LONGEST_HOURS, _WARM_UP_HOURS = 168, 48
# CloudFront's metrics are in this region alone.
_EDGE = "us-east-1"
# How many hours after a call was due a heartbeat is missed: its retries are over by then.
_GRACE_HOURS = 2


@dataclass(frozen=True)
class _When:
    """`breaching` of the last `of` periods must breach. With `heartbeat`, a period without data
    breaches too, and the alarm of a new stack waits for so many hours; otherwise it does not."""

    breaching: int = 1
    of: int = 1
    heartbeat: int = 0


_AT_ONCE = _When()
_FOR_A_QUARTER = _When(3, 3)
# Three different times within an hour: not a burst, and not only where there are many visitors.
_AGAIN_AND_AGAIN = _When(3, 12)


class Observability(Construct):
    """Every alarm's description says what to do, and names its row in docs/operations.md.

    tests/cdk/test_alarms.py plays what can fail against CloudWatch's rules: how soon each fires.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        config: Config,
        functions: Mapping[str, lambda_.Function],
        event_queues: Mapping[str, EventQueue],
        schedule: Schedule,
        search: Search,
        training: Training,
        website: Website,
    ) -> None:
        super().__init__(scope, name)
        self._config = config
        self.topic = sns.Topic(self, "Alarms", enforce_ssl=True) if config.alarm_email else None
        if self.topic:
            self.topic.add_subscription(subscriptions.EmailSubscription(config.alarm_email))
        self._dashboard = cloudwatch.Dashboard(self, "Dashboard", dashboard_name=config.stack)
        self._api(search)
        self._site(website)
        self._functions(functions, schedule, event_queues)
        self._schedule(functions, schedule)
        self._event_queues(event_queues)
        self._training(training)
        self._gallery()

    def _api(self, search: Search) -> None:
        failures = search.api.metric_server_error(period=_FIVE, statistic="Sum")
        p95 = search.api.metric_latency(period=_FIVE, statistic="p95")
        self._alarm("ApiErrors", failures, 5, "The API fails: read the log of the search function.")
        self._alarm(
            "ApiFailing",
            failures,
            1,
            "Searches fail again and again: read the log of the search function.",
            when=_AGAIN_AND_AGAIN,
        )
        self._alarm(
            "ApiSlow",
            p95,
            self._config.alarm_p95_ms,
            "Searches are slow: raise search_memory, or keep functions warm (search_provisioned).",
            when=_AGAIN_AND_AGAIN,
        )
        requests = search.api.metric_count(period=_FIVE, statistic="Sum")
        median = search.api.metric_latency(period=_FIVE, statistic="p50")
        self._graph("API: requests and failures", requests, failures)
        self._graph("API: milliseconds, median and p95", median, p95)

    def _site(self, website: Website) -> None:
        """An alarm watches metrics of its own region: elsewhere there is none."""
        where = {"DistributionId": website.distribution.distribution_id, "Region": "Global"}
        rate = cloudwatch.Metric(
            namespace="AWS/CloudFront",
            metric_name="5xxErrorRate",
            dimensions_map=where,
            period=_FIVE,
            statistic="Average",
        )
        self._graph("CloudFront: failures, percent", rate.with_(region=_EDGE))
        region = Stack.of(self).region
        if Token.is_unresolved(region) or region == _EDGE:
            alarm = self._alarm(
                "SiteErrors",
                rate,
                5,
                "CloudFront answers with failures: see which path, then its bucket or the API.",
                when=_FOR_A_QUARTER,
            )
            condition = CfnCondition(
                self, "AtTheEdge", expression=Fn.condition_equals(Aws.REGION, _EDGE)
            )
            alarm.cfn_options.condition = condition

    def _functions(
        self,
        functions: Mapping[str, lambda_.Function],
        schedule: Schedule,
        event_queues: Mapping[str, EventQueue],
    ) -> None:
        """Errors and throttles; those that a schedule calls have a heartbeat instead of errors."""
        pauses = {
            each.function.node.id: each.pause for each in event_queues.values() if each.function
        }
        errors = {name: each.metric_errors(period=_FIVE) for name, each in functions.items()}
        throttles = {name: each.metric_throttles(period=_FIVE) for name, each in functions.items()}
        for name, function in functions.items():
            read = f"{name} fails: read its log; nothing is lost."
            slowly, when = _FIVE, _AGAIN_AND_AGAIN
            if name in pauses:  # a message is tried again only after a pause
                slowly, when = _whole_minutes(pauses[name]), _When(3, 4)
                failed = cloudwatch.Metric(
                    namespace=METRICS,
                    metric_name="FailedMessages",
                    dimensions_map={"FunctionName": function.function_name},
                    period=slowly,
                    statistic="Sum",
                )
                self._alarm(f"{name}-failures", failed, 1, read, "{function}-failures", when)
            elif name == "setup":  # a deployment calls it, and fails with it
                when = _AT_ONCE
            if name not in schedule.hours:
                failing = errors[name].with_(period=slowly)
                self._alarm(f"{name}-errors", failing, 1, read, "{function}-errors", when)
            if name != "setup":
                self._alarm(
                    f"{name}-throttles",
                    throttles[name].with_(period=slowly),
                    1,
                    f"{name} is throttled: raise the account's or the function's concurrency.",
                    "{function}-throttles",
                    when,
                )
        self._graph("Functions: errors", *errors.values())
        self._graph("Functions: throttles", *throttles.values())

    def _schedule(self, functions: Mapping[str, lambda_.Function], schedule: Schedule) -> None:
        for name, hours in schedule.hours.items():
            # 0 where one of an hour's calls succeeded, 1 where all failed, no data without a call.
            # (Metric math says it more plainly, but costs twice and is not emulated.)
            failed = functions[name].metric_errors(period=_ONE_HOUR, statistic="Minimum")
            due = min(hours + _GRACE_HOURS, _LONGEST_HOURS)
            self._alarm(
                f"{name}-stopped",
                failed,
                1,
                f"No run of {name} has succeeded for {due} hours: read its log, see its schedule.",
                "{function}-stopped",
                _When(due, due, heartbeat=due),
            )
        lost = schedule.failed.metric_number_of_messages_sent(period=_ONE_HOUR, statistic="Sum")
        self._alarm(
            "FailedRuns",
            lost,
            1,
            "Runs on a schedule fail with all of their retries: read the log of the function that "
            "the newest message in FailedRunsUrl names.",
            when=_When(2, 24),
        )

    def _event_queues(self, event_queues: Mapping[str, EventQueue]) -> None:
        dead, ages = [], []
        for name, events in event_queues.items():
            depth = events.dead_letters.metric_approximate_number_of_messages_visible(
                period=_FIVE, statistic="Maximum"
            )
            age = events.queue.metric_approximate_age_of_oldest_message(
                period=_FIVE, statistic="Maximum"
            )
            self._alarm(
                f"{name}-dead-letters",
                depth,
                1,
                "Messages failed again and again: mend the cause, then run `lens redrive`.",
                "{queue}-dead-letters",
            )
            self._alarm(
                f"{name}-waiting",
                age,
                # Longer than what failed once waits to be tried again.
                max(_HOUR, int(events.pause.to_seconds()) + _HOUR // 2),
                "Events wait for long: raise embed_concurrency, or see what fails.",
                "{queue}-waiting",
            )
            dead.append(depth.with_(label=name))
            ages.append(age.with_(label=name))
        self._graph("Dead letters", *dead)
        self._graph("Oldest message, seconds", *ages)

    def _training(self, training: Training) -> None:
        failed = training.machine.metric_failed(period=_FIVE, statistic="Sum")
        self._alarm(
            "TrainingFailed",
            failed,
            1,
            "A training or its promotion failed: see the execution in Step Functions.",
        )

    def _gallery(self) -> None:
        hours = self._config.reconcile_hours
        photos, behind, rejected, waiting, held, removed, age = (
            cloudwatch.Metric(
                namespace=METRICS,
                metric_name=name,
                dimensions_map={"service": self._config.stack},
                period=Duration.hours(hours),
                statistic="Maximum",
            )
            for name in (
                "Photos",
                "PhotosBehind",
                "RejectedPhotos",
                "WaitingPhotos",
                "HeldDeletions",
                "MassRemoval",
                "GalleryAge",
            )
        )
        due = min(hours + _GRACE_HOURS, _LONGEST_HOURS)
        self._alarm(
            "GalleryAge",
            age.with_(period=Duration.hours(due)),
            self._config.alarm_gallery_hours * _HOUR,
            "A photo has long been in the catalog and cannot be found, or reconcile no longer "
            "tells: see `lens status`.",
            when=_When(heartbeat=due),
        )
        self._alarm(
            "RejectedPhotos",
            rejected,
            self._config.alarm_rejected,
            "Photos cannot be used: `lens status` lists them and says why.",
        )
        self._alarm(
            "WaitingPhotos",
            waiting,
            self._config.alarm_waiting,
            "Photos cannot be read: `lens status` lists them and says why.",
        )
        self._alarm(
            "HeldDeletions",
            held,
            1,
            "Photos are gone from the catalog, and held: `lens status` lists them and the command.",
        )
        self._alarm(
            "MassRemoval",
            removed,
            1,
            "Many photos were deleted within a day: if nobody meant to, put them back.",
        )
        self._graph("Gallery: photos", photos)
        self._graph("Gallery: photos behind, rejected and waiting", behind, rejected, waiting)
        self._graph("Gallery: photos held and removed at once", held, removed)
        self._graph("Gallery: age, seconds", age)

    def _alarm(
        self,
        name: str,
        metric: cloudwatch.IMetric,
        threshold: float,
        advice: str,
        row: str = "",
        when: _When = _AT_ONCE,
    ) -> cloudwatch.CfnAlarm:
        """`row` is the alarm's row in docs/operations.md where it shares one with others."""
        missing = cloudwatch.TreatMissingData
        alarm = cloudwatch.Alarm(
            self,
            name,
            metric=metric,
            threshold=threshold,
            datapoints_to_alarm=when.breaching,
            evaluation_periods=when.of,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            # No data is no failure, but for a heartbeat: many shops have no visitors at night.
            treat_missing_data=missing.BREACHING if when.heartbeat else missing.NOT_BREACHING,
            alarm_description=f"{advice} Runbook: docs/operations.md#alarms, {row or name}.",
        )
        if self.topic:
            alarm.add_alarm_action(actions.SnsAction(self.topic))
        resource = alarm.node.default_child
        assert isinstance(resource, cloudwatch.CfnAlarm)
        if when.heartbeat:  # a new stack's first run comes after one interval
            resource.warm_up_configuration = cloudwatch.CfnAlarm.WarmUpConfigurationProperty(
                warm_up_period_duration_in_minutes=60 * min(when.heartbeat, _WARM_UP_HOURS)
            )
        return resource

    def _graph(self, title: str, *metrics: cloudwatch.IMetric) -> None:
        self._dashboard.add_widgets(
            cloudwatch.GraphWidget(title=title, left=list(metrics), width=12, height=6)
        )


def _whole_minutes(duration: Duration) -> Duration:
    """CloudWatch's periods are minutes."""
    return Duration.minutes(-(-int(duration.to_seconds()) // 60))
