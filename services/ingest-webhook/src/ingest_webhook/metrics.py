"""What ingest-webhook counts. Labels come from the sources file and from closed lists, never from a request."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from ingest_webhook.rejections import IgnoreReason, Outcome

# From a request that only had to be checked to Slack's limit of three seconds.
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)

NO_SOURCE = "unknown"
"""The label of requests to an address that does not exist, whatever it was."""


class SourceMetrics:
    """One source's counters, looked up once: `labels()` costs as much as all the rest of counting."""

    def __init__(self, metrics: "Metrics", source: str) -> None:
        self.outcomes = {outcome: metrics.requests.labels(source, outcome) for outcome in Outcome}
        self.accepted = self.outcomes[Outcome.ACCEPTED]
        self.ignored = {reason: metrics.ignored.labels(source, reason) for reason in IgnoreReason}
        self.messages = metrics.messages.labels(source)
        self.spooled = metrics.spooled.labels(source)


class SpoolMetrics:
    """How much waits for Kafka, and since when."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.depth = Gauge("firebreak_spool_requests", "Requests that wait in the spool", registry=registry)
        self.oldest_seconds = Gauge(
            "firebreak_spool_oldest_seconds", "Age of the oldest request in the spool, 0 when empty", registry=registry
        )
        self.drained = Counter(
            "firebreak_spool_drained_total", "Requests that left the spool for Kafka", registry=registry
        )
        self.set_aside = Counter(
            "firebreak_spool_set_aside_total",
            "Requests of the spool that cannot be published and lie in spool-set-aside of the object storage",
            registry=registry,
        )


class Metrics:
    """Made once by wiring."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.requests = Counter(
            "firebreak_webhook_requests_total",
            "Requests by what became of them",
            ("source", "outcome"),
            registry=registry,
        )
        self.ignored = Counter(
            "firebreak_webhook_ignored_total",
            "Requests without a message, by reason",
            ("source", "reason"),
            registry=registry,
        )
        self.messages = Counter(
            "firebreak_webhook_messages_total", "Messages that Kafka acknowledged", ("source",), registry=registry
        )
        self.seconds = Histogram(
            "firebreak_webhook_seconds", "From the end of the head to the answer", registry=registry, buckets=_SECONDS
        )
        self.in_flight = Gauge("firebreak_webhook_in_flight", "Requests being answered", registry=registry)
        self.kafka_available = Gauge("firebreak_webhook_kafka_available", "1 while Kafka answers", registry=registry)
        self.reloads = Counter(
            "firebreak_sources_reloads_total",
            "Readings of the sources file after the first",
            ("result",),
            registry=registry,
        )
        self.spooled = Counter(
            "firebreak_spool_kept_total",
            "Requests kept in the spool because Kafka was away or others of their source waited",
            ("source",),
            registry=registry,
        )
        self.spool = SpoolMetrics(registry)
        self._by_source: dict[str, SourceMetrics] = {}

    def of(self, source: str) -> SourceMetrics:
        """Return the counters of a configured source, or of NO_SOURCE."""
        found = self._by_source.get(source)
        if found is None:
            found = self._by_source[source] = SourceMetrics(self, source)
        return found
