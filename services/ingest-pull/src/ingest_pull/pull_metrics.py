"""What ingest-pull counts beside what every job shows (`firebreak_job_…`)."""

from prometheus_client import CollectorRegistry, Counter


class PullMetrics:
    """Labels come from the sources file."""

    def __init__(self, registry: CollectorRegistry | None) -> None:
        self._unreadable = Counter(
            "firebreak_pull_unreadable",
            "Lines or records that could not be read and were passed over; the log says where and why",
            ["source"],
            registry=registry,
        )

    def unreadable(self, source: str) -> None:
        self._unreadable.labels(source).inc()
