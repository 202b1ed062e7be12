"""Spending: what tells a bill apart by stack and by stage, and a budget that a mail watches."""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import Aws, Stack, Tags
from aws_cdk import aws_budgets as budgets
from constructs import Construct, IConstruct

from cdk.config import Config

# Cost allocation tags. An account's owner activates them once (docs/aws.md).
STACK_TAG, STAGE_TAG = "image-lens:stack", "image-lens:stage"
# Which stage a construct of the stack belongs to, by its name; a function is its own stage.
_STAGES = {
    "Storage": "storage",
    "Embedding": "embed",
    "Indexing": "index",
    "Upkeep": "upkeep",
    "Schedule": "upkeep",
    "Training": "training",
    "Search": "search",
    "Rollout": "search",
    "Website": "website",
    "Observability": "alarms",
}
# Percents of the budget: of what was spent, and of what AWS expects by the month's end.
_SPENT, _EXPECTED = 80, 100


class Spending(Construct):
    """The stack's tags, and its budget where the setting `budget` names one."""

    def __init__(
        self, scope: Stack, name: str, *, config: Config, functions: Mapping[str, IConstruct]
    ) -> None:
        super().__init__(scope, name)
        Tags.of(scope).add(STACK_TAG, config.stack)
        for child in scope.node.children:
            if stage := _STAGES.get(child.node.id):
                Tags.of(child).add(STAGE_TAG, stage)
        for package, function in functions.items():
            Tags.of(function).add(STAGE_TAG, package)
        if config.budget:
            self._budget(config)

    def _budget(self, config: Config) -> None:
        """Of what has the stack's tag: an account may pay for other things too."""
        budgets.CfnBudget(
            self,
            "Budget",
            budget=budgets.CfnBudget.BudgetDataProperty(
                budget_name=f"{config.stack}-{Aws.REGION}",
                budget_type="COST",
                time_unit="MONTHLY",
                budget_limit=budgets.CfnBudget.SpendProperty(amount=config.budget, unit="USD"),
                cost_filters={"TagKeyValue": [f"user:{STACK_TAG}${config.stack}"]},
            ),
            notifications_with_subscribers=[
                budgets.CfnBudget.NotificationWithSubscribersProperty(
                    notification=budgets.CfnBudget.NotificationProperty(
                        notification_type=kind,
                        comparison_operator="GREATER_THAN",
                        threshold=percent,
                        threshold_type="PERCENTAGE",
                    ),
                    subscribers=[
                        budgets.CfnBudget.SubscriberProperty(
                            subscription_type="EMAIL", address=config.alarm_email
                        )
                    ],
                )
                for kind, percent in (("ACTUAL", _SPENT), ("FORECASTED", _EXPECTED))
            ],
        )
