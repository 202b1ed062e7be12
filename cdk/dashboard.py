"""The dashboard: one page that answers whether the stack is healthy, fast, and what it costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from cdk.config import Config
from cdk.event_queue import EventQueue
from cdk.maintenance import METRICS
from cdk.prices import Prices
from cdk.search import Search
from cdk.website import Website

_FIVE = Duration.minutes(5)
_HOUR = Duration.hours(1)
# CloudFront's metrics, and those of its WAF, are in this region alone.
_EDGE = "us-east-1"
# What lens.measures has names for: a photo from its upload to the search that finds it.
_STAGES = ("look", "commit", "fold", "merge", "refresh", "query", "search")
_WORDS = ("same", "very_similar", "similar_style", "none", "unjudged")
_MB_A_GB = 1_024


class Dashboard(cloudwatch.Dashboard):
    """It shows what the alarms watch, and what explains them."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        config: Config,
        alarms: Sequence[cloudwatch.IAlarm],
        functions: Mapping[str, lambda_.Function],
        event_queues: Mapping[str, EventQueue],
        search: Search,
        website: Website,
    ) -> None:
        super().__init__(scope, name, dashboard_name=config.stack)
        self._config = config
        self._functions = functions
        self._title("Healthy?", "No alarm, no dead letter, nothing behind: `docs/operations.md`.")
        self.add_widgets(
            cloudwatch.AlarmStatusWidget(alarms=list(alarms), title="Alarms", width=24, height=4)
        )
        self._health(event_queues, search, website)
        self._title("Fast?", "Medians and the slowest 5 %. A look is one photo of the catalog.")
        self._speed(search)
        self._title("Of use?", "The words of answers: `none` is what the shop lacks.")
        self._use()
        self._title(
            "What does it cost?",
            f"Dollars an hour at list prices of {Prices().date}, without free tiers; for storage, "
            "logs and alarms: `python -m cdk.costs`.",
        )
        self._cost(search, website)

    def _health(
        self, event_queues: Mapping[str, EventQueue], search: Search, website: Website
    ) -> None:
        api = search.api
        self._graph(
            "API: requests, refusals and failures",
            api.metric_count(period=_FIVE, statistic="Sum"),
            api.metric_client_error(period=_FIVE, statistic="Sum"),
            api.metric_server_error(period=_FIVE, statistic="Sum"),
        )
        self._graph("API: why it failed", _by("Failed", "code", self._config.stack))
        self._graph("CloudFront: failures, percent", _edge(website, "5xxErrorRate", "Average"))
        each = self._functions.items()
        self._graph("Functions: errors", *(f.metric_errors(period=_FIVE) for _, f in each))
        self._graph("Functions: throttles", *(f.metric_throttles(period=_FIVE) for _, f in each))
        self._graph(
            "Functions at once",
            *(
                self._functions[name].metric(
                    "ConcurrentExecutions", period=_FIVE, statistic="Maximum", label=name
                )
                for name in ("search", "embed")
            ),
        )
        queues = event_queues.items()
        self._graph(
            "Dead letters",
            *(
                q.dead_letters.metric_approximate_number_of_messages_visible(
                    period=_FIVE, statistic="Maximum", label=name
                )
                for name, q in queues
            ),
        )
        self._graph(
            "Oldest message, seconds",
            *(
                q.queue.metric_approximate_age_of_oldest_message(
                    period=_FIVE, statistic="Maximum", label=name
                )
                for name, q in queues
            ),
        )
        self._graph("Gallery: photos", self._ours("Photos"))
        self._graph(
            "Gallery: photos behind, rejected and waiting",
            *map(self._ours, ("PhotosBehind", "RejectedPhotos", "WaitingPhotos")),
        )
        self._graph(
            "Gallery: photos held and removed at once",
            *map(self._ours, ("HeldDeletions", "MassRemoval")),
        )
        self._graph("Gallery: notifications that are missing", self._ours("LostNotifications"))
        self._graph("Gallery: age, seconds", self._ours("GalleryAge"))

    def _speed(self, search: Search) -> None:
        latency = search.api.metric_latency
        self._graph(
            "API: milliseconds",
            *(latency(period=_FIVE, statistic=which) for which in ("p50", "p95")),
        )
        self._graph(
            "Freshness: seconds from an upload to found",
            *(self._ours("Freshness", which, _FIVE) for which in ("p50", "p95")),
        )
        for which in ("p50", "p95"):
            self._graph(
                f"Stages: seconds, {which}",
                *(
                    self._ours("StageSeconds", which, _FIVE, stage=stage).with_(label=stage)
                    for stage in _STAGES
                ),
            )
        self._graph(
            "Embedding: CPU milliseconds a photo, in the form of the model that was chosen",
            *(
                cloudwatch.Metric(
                    namespace=METRICS,
                    metric_name="EmbeddingMilliseconds",
                    dimensions_map={"FunctionName": self._functions[name].function_name},
                    period=_HOUR,
                    statistic="Maximum",
                    label=name,
                )
                for name in ("search", "embed")
            ),
        )
        self._graph(
            "Cold starts",
            *(
                self._ours("ColdStart", "Sum", _FIVE, FunctionName=function.function_name).with_(
                    label=name
                )
                for name, function in self._functions.items()
            ),
        )

    def _use(self) -> None:
        self._graph(
            "Searches by the word of their answer",
            *(self._ours("Matches", "Sum", _HOUR, match=word).with_(label=word) for word in _WORDS),
            stacked=True,
        )

    def _cost(self, search: Search, website: Website) -> None:
        price = Prices()
        computing = [
            cloudwatch.MathExpression(
                expression=f"{name} / 1000 * {self._memory(name)} * {price.lambda_gb_second:.10f}",
                using_metrics={name: function.metric_duration(period=_HOUR, statistic="Sum")},
                label=name,
                period=_HOUR,
            )
            for name, function in self._functions.items()
        ]
        self._graph("Functions, dollars an hour", *computing, stacked=True)
        sent = _edge(website, "BytesDownloaded", "Sum", _HOUR)
        asked = _edge(website, "Requests", "Sum", _HOUR)
        self._graph(
            "Requests and traffic, dollars an hour",
            cloudwatch.MathExpression(
                expression=f"r * {price.http_api_request + price.lambda_request:.10f}",
                using_metrics={"r": search.api.metric_count(period=_HOUR, statistic="Sum")},
                label="API",
                period=_HOUR,
            ),
            _at_the_edge(f"c * {price.cloudfront_request:.10f}", "c", asked, "CloudFront"),
            _at_the_edge(f"b / 1e9 * {price.cloudfront_gb}", "b", sent, "its traffic"),
            stacked=True,
        )

    def _memory(self, name: str) -> float:
        """GB of a function."""
        config = self._config
        memory = {"search": config.search_memory, "embed": config.embed_memory}
        indexing = dict.fromkeys(("build_index", "setup"), config.index_memory)
        others = dict.fromkeys(("authorize",), 512)
        return (memory | indexing | others).get(name, config.upkeep_memory) / _MB_A_GB

    def _ours(
        self,
        name: str,
        statistic: str = "Maximum",
        period: Duration | None = None,
        **dimensions: str,
    ) -> cloudwatch.Metric:
        return cloudwatch.Metric(
            namespace=METRICS,
            metric_name=name,
            dimensions_map={"service": self._config.stack, **dimensions},
            period=period or Duration.hours(self._config.reconcile_hours),
            statistic=statistic,
        )

    def _title(self, question: str, about: str) -> None:
        self.add_widgets(
            cloudwatch.TextWidget(markdown=f"# {question}\n{about}", width=24, height=2)
        )

    def _graph(self, title: str, *metrics: cloudwatch.IMetric, stacked: bool = False) -> None:
        self.add_widgets(
            cloudwatch.GraphWidget(
                title=title, left=list(metrics), width=12, height=6, stacked=stacked
            )
        )


def _by(name: str, dimension: str, stack: str) -> cloudwatch.MathExpression:
    """A metric by each value of a dimension that there is, in five minutes."""
    where = f'{{{METRICS},service,{dimension}}} MetricName="{name}" service="{stack}"'
    return cloudwatch.MathExpression(
        expression=f"SEARCH('{where}', 'Sum', 300)", using_metrics={}, label="", period=_FIVE
    )


def _edge(
    website: Website, name: str, statistic: str, period: Duration = _FIVE
) -> cloudwatch.Metric:
    where = {"DistributionId": website.distribution.distribution_id, "Region": "Global"}
    return cloudwatch.Metric(
        namespace="AWS/CloudFront",
        metric_name=name,
        dimensions_map=where,
        period=period,
        statistic=statistic,
        region=_EDGE,
    )


def _at_the_edge(
    expression: str, variable: str, metric: cloudwatch.Metric, label: str
) -> cloudwatch.MathExpression:
    return cloudwatch.MathExpression(
        expression=expression,
        using_metrics={variable: metric},
        label=label,
        period=_HOUR,
        search_region=_EDGE,
    )
