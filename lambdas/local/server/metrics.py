"""Metrics: what Prometheus reads of this server, at /metrics."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from lambdas.local.server.observation import Answered
from lambdas.search.health import Health
from lens.measures import Measure, publish_with

CONTENT_TYPE = CONTENT_TYPE_LATEST
# They are a second line for each count, with the time of its first request.
disable_created_metrics()  # type: ignore[no-untyped-call]
# Seconds: a cached answer takes milliseconds, a ViT in fp32 with a full line before it a few
# seconds.
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 2.0, 3.0, 5.0, 10.0)
_FRESHNESS = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 1_800.0)


class Metrics:
    """This process's metrics: requests are told to it, the rest is read from health."""

    def __init__(self, health: Health) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "lens_requests",
            "requests answered",
            ("route", "status"),
            registry=self._registry,
        )
        self._seconds = Histogram(
            "lens_request_seconds",
            "seconds from a request's head to the last byte of its answer",
            ("route",),
            buckets=_BUCKETS,
            registry=self._registry,
        )
        self._stages = Histogram(
            "lens_stage_seconds",
            "seconds of a stage: a look at a photo, a commit, a search",
            ("stage",),
            buckets=_BUCKETS,
            registry=self._registry,
        )
        self._freshness = Histogram(
            "lens_freshness_seconds",
            "seconds from a change in the folder to when it is found",
            buckets=_FRESHNESS,
            registry=self._registry,
        )
        self._matches = Counter(
            "lens_matches",
            "searches by the word of their answer",
            ("match",),
            registry=self._registry,
        )
        publish_with(self)
        self._registry.register(_Gallery(health))
        ProcessCollector(registry=self._registry)

    def observe(self, answered: Answered) -> None:
        """Count a request."""
        self._requests.labels(answered.route, str(answered.status)).inc()
        self._seconds.labels(answered.route).observe(answered.seconds)

    def tell(self, measure: Measure, value: float, label: str) -> None:
        """Note a figure of the work done here."""
        match measure:
            case Measure.STAGE_SECONDS:
                self._stages.labels(label).observe(value)
            case Measure.FRESHNESS:
                self._freshness.observe(value)
            case Measure.MATCHES:
                self._matches.labels(label).inc(value)

    def text(self) -> bytes:
        """All of it, in Prometheus's text format."""
        return generate_latest(self._registry)


class _Gallery(Collector):
    """Gallery, lines and caches as they are when they are asked for."""

    def __init__(self, health: Health) -> None:
        self._health = health

    def collect(self) -> Iterator[Metric]:
        health = self._health.read()
        gallery = health.gallery
        yield GaugeMetricFamily(
            "lens_up", "1 while status is ok or empty", health.status != "degraded"
        )
        yield GaugeMetricFamily("lens_photos", "photos found", gallery.photos if gallery else 0)
        yield GaugeMetricFamily(
            "lens_photos_waiting", "photos that cannot be read", gallery.waiting if gallery else 0
        )
        yield GaugeMetricFamily(
            "lens_photos_held",
            "photos gone from the catalog, and held",
            gallery.held if gallery else 0,
        )
        yield GaugeMetricFamily("lens_commit", "commit served", gallery.commit if gallery else 0)
        if health.milliseconds is not None:
            speed = GaugeMetricFamily(
                "lens_embedding_milliseconds",
                "CPU time of a photo in the form of the model that is computed with",
                labels=["form"],
            )
            speed.add_metric([health.precision or ""], health.milliseconds)
            yield speed
        refused = CounterMetricFamily("lens_busy", "requests refused as busy", labels=["line"])
        waiting = GaugeMetricFamily("lens_waiting", "requests in the line", labels=["line"])
        for line, load in health.load:
            refused.add_metric([line], load.refused)
            waiting.add_metric([line], load.waiting)
        yield CounterMetricFamily(
            "lens_search_log_lost", "lines that the search log lacks", self._health.search_log.lost
        )
        hits = CounterMetricFamily("lens_cache_hits", "found in memory", labels=["cache"])
        misses = CounterMetricFamily("lens_cache_misses", "not in memory", labels=["cache"])
        for name, cache in health.cache:
            hits.add_metric([name], cache.hits)
            misses.add_metric([name], cache.misses)
        yield from (refused, waiting, hits, misses)
