"""`/metrics` for Prometheus: how the service answers, how old what it answers with is, what was bought, what alarms.

Names and units follow Prometheus' conventions. No label is a customer or a product. What has an age is read when it is
scraped; the rest is counted as it happens.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import date, datetime, time
from pathlib import Path

from fastapi import Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from level3_cicd.ledger import ledger_exists, rows_of
from level4_monitoring.config import CONFIG, LoopConfig
from level4_monitoring.dead_loop import Loop
from level4_monitoring.explain import open_incidents
from level4_monitoring.past import DECIDE, HEALTH, OUTCOME, Past
from level4_monitoring.purchases import Taking
from shared.config import read_config
from shared.errors import MlopsError
from shared.service.access import Access, router
from shared.service.follower import Follower, Live
from shared.service.recommendations import CUSTOMER_ASKS, PATH, Asked

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
DAY_SECONDS = 86_400


class Counted:
    """What is counted as it happens, in a registry of this service's own."""

    def __init__(self, source: Follower) -> None:
        self._source = source
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "mlops_requests",
            "Questions for lists, by the class of the answer's status.",
            ["status"],
            registry=self.registry,
        )
        self.seconds = Histogram(
            "mlops_request_duration_seconds",
            "Time from a question to its answer.",
            buckets=BUCKETS,
            registry=self.registry,
        )
        self.answers = Counter("mlops_answers", "Lists that customers were given.", registry=self.registry)
        self.empty = Counter("mlops_empty_answers", "Lists that were empty.", registry=self.registry)
        self.fallback = Counter(
            "mlops_fallback_answers", "Lists by another release than the one to be live.", registry=self.registry
        )
        self.by_class = {status: self.requests.labels(f"{status}xx") for status in range(2, 6)}

    def note(self, live: Live, asked: Asked, lists: dict[str, list[str]]) -> None:
        """The service tells of an answer."""
        if asked.by != CUSTOMER_ASKS:
            return
        self.answers.inc(len(lists))
        self.empty.inc(sum(not products for products in lists.values()))
        self.fallback.inc(len(lists) if self._source.error else 0)


class CountRequests:
    """Counts the questions for lists, with their time and the class of their status."""

    def __init__(self, app: ASGIApp, counted: Counted) -> None:
        self._app, self._counted = app, counted

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and look at the status of its answer."""
        if scope["type"] != "http" or not scope["path"].startswith(PATH):
            await self._app(scope, receive, send)
            return
        status = 500

        async def look(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        try:
            with self._counted.seconds.time():
                await self._app(scope, receive, look)
        finally:
            self._counted.by_class[status // 100].inc()


class Scraped(Collector):
    """What is read when it is scraped: ages, the release, what was bought, open alarms."""

    def __init__(
        self, level: Path, source: Follower, taking: Taking, clock: Callable[[], datetime], loop: Loop
    ) -> None:
        self._level, self._source, self._taking, self._clock, self._loop_seen = level, source, taking, clock, loop

    def collect(self) -> Iterator[Metric]:
        """The metrics, as they are now. A shop or a ledger that cannot be read leaves its metrics out."""
        with suppress(MlopsError, OSError):
            yield from self._release(self._clock())
        yield from self._purchases()
        with suppress(MlopsError, OSError):
            yield from self._loop(self._clock())

    def describe(self) -> list[Metric]:
        """Nothing is read before the first scrape."""
        return []

    def _release(self, now: datetime) -> Iterator[Metric]:
        live = self._source.live
        if live:
            release = GaugeMetricFamily("mlops_release_info", "The live release.", labels=["release"])
            release.add_metric([live.release], 1)
            yield release
            parameters, histories = "mlops_parameters_age_seconds", "mlops_histories_age_seconds"
            yield gauge(parameters, "Age of the last day trained on.", since(live.bundle.trained_through, now))
            yield gauge(histories, "Age of the last day that histories know.", since(live.histories_through, now))

    def _purchases(self) -> Iterator[Metric]:
        told = {
            "taken": ("mlops_purchase_rows_taken", "Rows of purchases that were taken."),
            "refused": ("mlops_purchase_rows_refused", "Rows of purchases that were refused."),
            "hits": ("mlops_hits", "Rows whose product was in the customer's last list."),
        }
        for name, (metric, words) in told.items():
            yield CounterMetricFamily(metric, words, value=self._taking.totals[name])

    def _loop(self, now: datetime) -> Iterator[Metric]:
        ticks = rows_of(self._level, step=DECIDE) if ledger_exists(self._level) else []
        if ticks:
            yield gauge("mlops_last_tick_age_seconds", "Age of the day of the last tick.", since(ticks[-1].as_of, now))
        dead = self._loop_seen.dead_since() is not None
        yield gauge("mlops_loop_dead", "1 if no tick was made for long though a day is due.", dead)
        rows = [row for step in (DECIDE, HEALTH, OUTCOME) for row in rows_of(self._level, step=step)] if ticks else []
        found = open_incidents(Past(rows).with_outcomes, read_config(CONFIG, LoopConfig))
        yield gauge("mlops_open_alarms", "Incidents that the loop has told of and that go on.", len(found))


def gauge(name: str, words: str, value: float) -> Metric:
    """A number that goes up and down."""
    return GaugeMetricFamily(name, words, value=value)


def since(day: date, now: datetime) -> float:
    """The seconds since the end of a day, by the shop's clock; not below 0.

    >>> since(date(2017, 6, 4), datetime(2017, 6, 5, 1)), since(date(2017, 6, 5), datetime(2017, 6, 5, 1))
    (3600.0, 0.0)
    """
    return max(0.0, (now - datetime.combine(day, time())).total_seconds() - DAY_SECONDS)


metrics = router(Access.NEARBY)


@metrics.get("/metrics", include_in_schema=False)
def scrape(request: Request) -> Response:
    """All metrics, in Prometheus' text format."""
    counted: Counted = request.app.state.counted
    return Response(generate_latest(counted.registry), media_type=CONTENT_TYPE_LATEST)
