"""What pull jobs show of themselves. A job is reported by its owner alone: its series leave with the lease."""

from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Enum, Gauge

JobState = Literal["running", "resting", "waiting", "failed"]
"""`waiting`: for Kafka or Postgres; `failed`: it raised, and is tried again after a pause."""

_STATES = ["running", "resting", "waiting", "failed"]
_LABELS = ["consumer", "name"]  # not `job`: Prometheus names its scraping so


class JobMetrics:
    """One per process. Names start with `firebreak_job_`."""

    def __init__(self, consumer: str, registry: CollectorRegistry | None) -> None:
        self._consumer = consumer
        self._state = Enum("firebreak_job_state", "What the job does now", _LABELS, registry=registry, states=_STATES)
        self._lag = Gauge(
            "firebreak_job_lag",
            "What is known to wait at the source: messages, or bytes of files",
            _LABELS,
            registry=registry,
        )
        self._moved = Gauge(
            "firebreak_job_moved_timestamp_seconds", "When the cursor last moved", _LABELS, registry=registry
        )
        self._messages = Counter(
            "firebreak_job_messages",
            "Messages acknowledged by Kafka before the cursor moved",
            _LABELS,
            registry=registry,
        )
        self._failures = Counter(
            "firebreak_job_failures",
            "Runs that ended in an error, by its type",
            [*_LABELS, "error"],
            registry=registry,
        )
        self._lost = Counter(
            "firebreak_job_lost", "Moves refused because the job has another owner", _LABELS, registry=registry
        )

    def state(self, job: str, state: JobState) -> None:
        self._state.labels(self._consumer, job).state(state)

    def lag(self, job: str, amount: float) -> None:
        self._lag.labels(self._consumer, job).set(amount)

    def moved(self, job: str, messages: int) -> None:
        self._moved.labels(self._consumer, job).set_to_current_time()
        self._messages.labels(self._consumer, job).inc(messages)

    def failed(self, job: str, error: Exception) -> None:
        self.state(job, "failed")
        self._failures.labels(self._consumer, job, type(error).__name__).inc()

    def lost(self, job: str) -> None:
        self._lost.labels(self._consumer, job).inc()

    def forget(self, job: str) -> None:
        """The job is somebody else's now; counters stay, as counters do."""
        for gauge in (self._state, self._lag, self._moved):
            try:
                gauge.remove(self._consumer, job)
            except KeyError:
                continue  # was never reported
