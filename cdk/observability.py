"""Observability: the alarms, and the dashboard beside them."""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import Aws, CfnCondition, Duration, Fn, Stack, Token
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from cdk.alarms import AGAIN_AND_AGAIN, AT_ONCE, FOR_A_QUARTER, Alarms, When
from cdk.config import Config
from cdk.dashboard import Dashboard
from cdk.endings import watch_endings
from cdk.event_queue import EventQueue
from cdk.maintenance import METRICS
from cdk.prices import second_price
from cdk.schedule import Schedule
from cdk.search import Search
from cdk.training import Training
from cdk.website import Website

_FIVE = Duration.minutes(5)
_ONE_HOUR = Duration.hours(1)
_HOUR = 3_600
# CloudWatch looks at 7 days at most.
_LONGEST_HOURS = 168
# CloudFront's metrics are in this region alone.
_EDGE = "us-east-1"
_SITE = "SiteErrors"
# How many hours after a call was due a heartbeat is missed: its retries are over by then.
_GRACE_HOURS = 2


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
        self.alarms = Alarms(self, config)
        self._api(search)
        self._site(website)
        self._functions(functions, schedule, event_queues)
        self._schedule(functions, schedule)
        self._event_queues(event_queues)
        self._training(training)
        self._gallery()
        self._spending(search, functions)
        watch_endings(self, self.alarms, config)
        if config.search_rollout == "canary" and search.version and search.alias:
            self._rollout(search.version, search.alias)
        Dashboard(
            self,
            "Dashboard",
            config=config,
            # What is there in some regions alone cannot be named in the others.
            alarms=[each for each in self.alarms.found.values() if each.node.id != _SITE],
            functions=functions,
            event_queues=event_queues,
            search=search,
            website=website,
        )

    def _api(self, search: Search) -> None:
        failures = search.api.metric_server_error(period=_FIVE, statistic="Sum")
        p95 = search.api.metric_latency(period=_FIVE, statistic="p95")
        self.alarms.add(
            "ApiErrors", failures, 5, "The API fails: read the log of the search function."
        )
        self.alarms.add(
            "ApiFailing",
            failures,
            1,
            "Searches fail again and again: read the log of the search function.",
            when=AGAIN_AND_AGAIN,
        )
        self.alarms.add(
            "ApiSlow",
            p95,
            self._config.alarm_p95_ms,
            "Searches are slow: raise search_memory, or keep functions warm (search_provisioned).",
            when=AGAIN_AND_AGAIN,
        )

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
        region = Stack.of(self).region
        if Token.is_unresolved(region) or region == _EDGE:
            alarm = self.alarms.add(
                _SITE,
                rate,
                5,
                "CloudFront answers with failures: see which path, then its bucket or the API.",
                when=FOR_A_QUARTER,
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
            slowly, when = _FIVE, AGAIN_AND_AGAIN
            if name in pauses:  # a message is tried again only after a pause
                slowly, when = _whole_minutes(pauses[name]), When(3, 4)
                failed = cloudwatch.Metric(
                    namespace=METRICS,
                    metric_name="FailedMessages",
                    dimensions_map={"FunctionName": function.function_name},
                    period=slowly,
                    statistic="Sum",
                )
                self.alarms.add(f"{name}-failures", failed, 1, read, "{function}-failures", when)
            elif name == "setup":  # a deployment calls it, and fails with it
                when = AT_ONCE
            if name not in schedule.hours:
                failing = errors[name].with_(period=slowly)
                self.alarms.add(f"{name}-errors", failing, 1, read, "{function}-errors", when)
            if name != "setup":
                self.alarms.add(
                    f"{name}-throttles",
                    throttles[name].with_(period=slowly),
                    1,
                    f"{name} is throttled: raise the account's or the function's concurrency.",
                    "{function}-throttles",
                    when,
                )

    def _schedule(self, functions: Mapping[str, lambda_.Function], schedule: Schedule) -> None:
        for name, hours in schedule.hours.items():
            # 0 where one of an hour's calls succeeded, 1 where all failed, no data without a call.
            # (Metric math says it more plainly, but costs twice and is not emulated.)
            failed = functions[name].metric_errors(period=_ONE_HOUR, statistic="Minimum")
            due = min(hours + _GRACE_HOURS, _LONGEST_HOURS)
            self.alarms.add(
                f"{name}-stopped",
                failed,
                1,
                f"No run of {name} has succeeded for {due} hours: read its log, see its schedule.",
                "{function}-stopped",
                When(due, due, heartbeat=due),
            )
        lost = schedule.failed.metric_number_of_messages_sent(period=_ONE_HOUR, statistic="Sum")
        self.alarms.add(
            "FailedRuns",
            lost,
            1,
            "Runs on a schedule fail with all of their retries: read the log of the function that "
            "the newest message in FailedRunsUrl names.",
            when=When(2, 24),
        )

    def _event_queues(self, event_queues: Mapping[str, EventQueue]) -> None:
        for name, events in event_queues.items():
            depth = events.dead_letters.metric_approximate_number_of_messages_visible(
                period=_FIVE, statistic="Maximum"
            )
            age = events.queue.metric_approximate_age_of_oldest_message(
                period=_FIVE, statistic="Maximum"
            )
            self.alarms.add(
                f"{name}-dead-letters",
                depth,
                1,
                "Messages failed again and again: mend the cause, then run `lens redrive`.",
                "{queue}-dead-letters",
            )
            self.alarms.add(
                f"{name}-waiting",
                age,
                # Longer than what failed once waits to be tried again.
                max(_HOUR, int(events.pause.to_seconds()) + _HOUR // 2),
                "Events wait for long: raise embed_concurrency, or see what fails.",
                "{queue}-waiting",
            )

    def _training(self, training: Training) -> None:
        failed = training.machine.metric_failed(period=_FIVE, statistic="Sum")
        self.alarms.add(
            "TrainingFailed",
            failed,
            1,
            "A training or its promotion failed: see the execution in Step Functions.",
        )

    def _gallery(self) -> None:
        hours = self._config.reconcile_hours
        rejected, waiting, held, removed, lost, age = (
            cloudwatch.Metric(
                namespace=METRICS,
                metric_name=name,
                dimensions_map={"service": self._config.stack},
                period=Duration.hours(hours),
                statistic="Maximum",
            )
            for name in (
                "RejectedPhotos",
                "WaitingPhotos",
                "HeldDeletions",
                "MassRemoval",
                "LostNotifications",
                "GalleryAge",
            )
        )
        due = min(hours + _GRACE_HOURS, _LONGEST_HOURS)
        self.alarms.add(
            "GalleryAge",
            age.with_(period=Duration.hours(due)),
            self._config.alarm_gallery_hours * _HOUR,
            "A photo has long been in the catalog and cannot be found, or reconcile no longer "
            "tells: see `lens status`.",
            when=When(heartbeat=due),
        )
        fresh = cloudwatch.Metric(
            namespace=METRICS,
            metric_name="Freshness",
            dimensions_map={"service": self._config.stack},
            period=_FIVE,
            statistic="p50",
        )
        self.alarms.add(
            "Freshness",
            fresh,
            60 * self._config.alarm_freshness_minutes,
            "Uploads take long to be found: after a large one raise embed_concurrency, else see "
            "which stage is late.",
            when=AGAIN_AND_AGAIN,
        )
        self.alarms.add(
            "RejectedPhotos",
            rejected,
            self._config.alarm_rejected,
            "Photos cannot be used: `lens status` lists them and says why.",
        )
        self.alarms.add(
            "WaitingPhotos",
            waiting,
            self._config.alarm_waiting,
            "Photos cannot be read: `lens status` lists them and says why.",
        )
        self.alarms.add(
            "HeldDeletions",
            held,
            1,
            "Photos are gone from the catalog, and held: `lens status` lists them and the command.",
        )
        self.alarms.add(
            "MassRemoval",
            removed,
            1,
            "Many photos were deleted within a day: if nobody meant to, put them back.",
        )
        self.alarms.add(
            "LostNotifications",
            lost,
            1,
            "Somebody has replaced the notifications of the photos' bucket: put ours back.",
        )

    def _rollout(self, version: lambda_.Version, alias: lambda_.Alias) -> None:
        """Of the version that is new alone: a tenth of a quiet shop's requests is soon nothing."""
        function = version.lambda_.function_name
        crashed = cloudwatch.Metric(
            namespace="AWS/Lambda",
            metric_name="Errors",
            dimensions_map={
                "FunctionName": function,
                "Resource": f"{function}:{alias.alias_name}",
                "ExecutedVersion": version.version,
            },
            period=Duration.minutes(1),
            statistic="Sum",
        )
        self.alarms.add(
            "search-rollout",
            crashed,
            1,
            "The new version of search crashes, and was taken back: read its log, mend it, deploy.",
        )

    def _spending(self, search: Search, functions: Mapping[str, lambda_.Function]) -> None:
        """What visitors, or a loop, can run up within an hour; never above half of what the
        settings let through, or it could not fire. All else is bounded by its schedule or by two
        functions at a time, and left to the budget."""
        config = self._config
        requests = search.api.metric_count(period=_ONE_HOUR, statistic="Sum")
        self.alarms.add(
            "ApiRequests",
            requests,
            min(config.alarm_requests, round(_HOUR * config.throttle_rate / 2)),
            "Far more requests than usual: see in the API's log what is asked for, and lower "
            "throttle_rate or add a WAF.",
        )
        for name, memory, most in (
            ("search", config.search_memory, config.search_reserved or config.account_concurrency),
            ("embed", config.embed_memory, config.embed_concurrency),
        ):
            seconds = min(config.alarm_dollars / second_price(memory), _HOUR * most / 2)
            milliseconds = functions[name].metric_duration(period=_ONE_HOUR, statistic="Sum")
            self.alarms.add(
                f"{name}-cost",
                milliseconds,
                round(1_000 * seconds),
                f"{name} has cost {seconds * second_price(memory):.2f} US$ within an hour: see who "
                "asks, or what is uploaded.",
                "{function}-cost",
            )


def _whole_minutes(duration: Duration) -> Duration:
    """CloudWatch's periods are minutes."""
    return Duration.minutes(-(-int(duration.to_seconds()) // 60))
