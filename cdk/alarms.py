"""Alarms: what CloudWatch watches, how long it must last, and whom it tells."""

from __future__ import annotations

from dataclasses import dataclass

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from cdk.config import Config
from cdk.keys import key_of

# CloudWatch lets an alarm warm up for two days.
_WARM_UP_HOURS = 48


@dataclass(frozen=True)
class When:
    """`breaching` of the last `of` periods must breach. With `heartbeat`, a period without data
    breaches too, and the alarm of a new stack waits for so many hours; otherwise it does not."""

    breaching: int = 1
    of: int = 1
    heartbeat: int = 0


AT_ONCE = When()
FOR_A_QUARTER = When(3, 3)
# Three different times within an hour: not a burst, and not only where there are many visitors.
AGAIN_AND_AGAIN = When(3, 12)


class Alarms:
    """`found` by name; `topic` reaches who is named, None where nobody is."""

    def __init__(self, scope: Construct, config: Config) -> None:
        self._scope = scope
        self.found: dict[str, cloudwatch.Alarm] = {}
        self.topic: sns.Topic | None = None
        if config.alarm_email:
            key = key_of(scope, config)
            self.topic = sns.Topic(scope, "Alarms", enforce_ssl=True, master_key=key)
            self.topic.add_subscription(subscriptions.EmailSubscription(config.alarm_email))

    def add(
        self,
        name: str,
        metric: cloudwatch.IMetric,
        threshold: float,
        advice: str,
        row: str = "",
        when: When = AT_ONCE,
        *,
        below: bool = False,
    ) -> cloudwatch.CfnAlarm:
        """`row` is the alarm's row in docs/operations.md where it shares one with others. It fires
        at the threshold and above it, or where it is `below`, at it and below."""
        missing, compared = cloudwatch.TreatMissingData, cloudwatch.ComparisonOperator
        alarm = cloudwatch.Alarm(
            self._scope,
            name,
            metric=metric,
            threshold=threshold,
            datapoints_to_alarm=when.breaching,
            evaluation_periods=when.of,
            comparison_operator=compared.LESS_THAN_OR_EQUAL_TO_THRESHOLD
            if below
            else compared.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            # No data is no failure, but for a heartbeat: many shops have no visitors at night.
            treat_missing_data=missing.BREACHING if when.heartbeat else missing.NOT_BREACHING,
            alarm_description=f"{advice} Runbook: docs/operations.md#alarms, {row or name}.",
        )
        self.found[name] = alarm
        if self.topic:
            alarm.add_alarm_action(actions.SnsAction(self.topic))
        resource = alarm.node.default_child
        assert isinstance(resource, cloudwatch.CfnAlarm)
        if when.heartbeat:  # a new stack's first run comes after one interval
            resource.warm_up_configuration = cloudwatch.CfnAlarm.WarmUpConfigurationProperty(
                warm_up_period_duration_in_minutes=60 * min(when.heartbeat, _WARM_UP_HOURS)
            )
        return resource
