"""Observability: the alarms, and one dashboard that shows what they watch."""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from cdk.config import Config
from cdk.event_queue import EventQueue
from cdk.maintenance import METRICS
from cdk.search import Search

_FIVE = Duration.minutes(5)
_HOUR = 3_600


class Observability(Construct):
    """Every alarm's description says what to do."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        config: Config,
        functions: Mapping[str, lambda_.Function],
        event_queues: Mapping[str, EventQueue],
        search: Search,
    ) -> None:
        super().__init__(scope, name)
        self._config = config
        self.topic = sns.Topic(self, "Alarms", enforce_ssl=True) if config.alarm_email else None
        if self.topic:
            self.topic.add_subscription(subscriptions.EmailSubscription(config.alarm_email))
        self._dashboard = cloudwatch.Dashboard(self, "Dashboard", dashboard_name=config.stack)
        self._api(search)
        self._functions(functions)
        self._event_queues(event_queues)
        self._gallery()

    def _api(self, search: Search) -> None:
        failures = search.api.metric_server_error(period=_FIVE, statistic="Sum")
        p95 = search.api.metric_latency(period=_FIVE, statistic="p95")
        self._alarm("ApiErrors", failures, 5, "The API fails: read the log of the search function.")
        self._alarm(
            "ApiSlow",
            p95,
            self._config.alarm_p95_ms,
            "Searches are slow: raise search_memory, or keep functions warm (search_provisioned).",
            periods=3,
        )
        requests = search.api.metric_count(period=_FIVE, statistic="Sum")
        median = search.api.metric_latency(period=_FIVE, statistic="p50")
        self._graph("API: requests and failures", requests, failures)
        self._graph("API: milliseconds, median and p95", median, p95)

    def _functions(self, functions: Mapping[str, lambda_.Function]) -> None:
        errors = {name: each.metric_errors(period=_FIVE) for name, each in functions.items()}
        throttles = {name: each.metric_throttles(period=_FIVE) for name, each in functions.items()}
        for name in functions:
            self._alarm(
                f"{name}-errors",
                errors[name],
                1,
                f"{name} fails: read its log; nothing is lost.",
                periods=3,
            )
            self._alarm(
                f"{name}-throttles",
                throttles[name],
                1,
                f"{name} is throttled: raise the account's or the function's concurrency.",
                periods=3,
            )
        self._graph("Functions: errors", *errors.values())
        self._graph("Functions: throttles", *throttles.values())

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
            )
            self._alarm(
                f"{name}-waiting",
                age,
                _HOUR,
                "Events wait for an hour: raise embed_concurrency, or see what fails.",
            )
            dead.append(depth.with_(label=name))
            ages.append(age.with_(label=name))
        self._graph("Dead letters", *dead)
        self._graph("Oldest message, seconds", *ages)

    def _gallery(self) -> None:
        photos, behind, rejected, waiting, held, removed, age = (
            cloudwatch.Metric(
                namespace=METRICS,
                metric_name=name,
                dimensions_map={"service": self._config.stack},
                period=Duration.hours(self._config.reconcile_hours),
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
        self._alarm(
            "GalleryAge",
            age,
            self._config.alarm_gallery_hours * _HOUR,
            "A photo has long been in the catalog and cannot be found: see `lens status`.",
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
        *,
        periods: int = 1,
    ) -> None:
        alarm = cloudwatch.Alarm(
            self,
            name,
            metric=metric,
            threshold=threshold,
            evaluation_periods=periods,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            # No data is no failure: many shops have no visitors at night.
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
            alarm_description=advice,
        )
        if self.topic:
            alarm.add_alarm_action(actions.SnsAction(self.topic))

    def _graph(self, title: str, *metrics: cloudwatch.IMetric) -> None:
        self._dashboard.add_widgets(
            cloudwatch.GraphWidget(title=title, left=list(metrics), width=12, height=6)
        )
