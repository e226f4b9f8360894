"""What a stream shows of itself. Names start with `firebreak_stream_`; units are seconds and records."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

# From a lone record (a few ms) to a batch that waits for a lock.
_SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)
_RECORDS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000)
_LATENESS = (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 60, 600)


class StreamMetrics:
    """One per stream. Without a registry the numbers are kept, but nobody is shown them."""

    def __init__(self, consumer: str, registry: CollectorRegistry | None) -> None:
        self._labels = {"consumer": consumer}
        self._registry = registry
        self.records = self._counter("records", "Records read and committed")
        self.repeats = self._counter("repeats", "Records dropped because their sequence was not higher")
        self.batches = self._counter("batches", "Transactions committed")
        self.batch_records = self._histogram("batch_records", "Records in one transaction", _RECORDS)
        self.batch_seconds = self._histogram(
            "batch_seconds", "Time of one transaction, from BEGIN to the answer", _SECONDS
        )
        self.published = self._counter("published", "Events acknowledged by Kafka")
        self.republished = self._counter("republished", "Events read back from the outbox to be published again")
        self.publish_failures = self._counter("publish_failures", "Errors that made a new producer necessary")
        self.unpublished = self._gauge("unpublished", "Events committed and not yet acknowledged")
        self.back_pressure = self._gauge("back_pressure", "1 while reading waits for publishing")
        self.fenced = self._counter("fenced", "Transactions refused because the partition has another owner")
        self.unanswered = self._counter("commits_unanswered", "COMMITs whose answer was lost")
        self.retries = self._counter("retries", "Batches tried again because the surroundings were at fault")
        self.bisections = self._counter("bisections", "Batches taken apart to find the record at fault")
        self.dead_letters = self._counter("dead_letters", "Records that became dead letters")
        self.takeovers = self._counter("takeovers", "Partitions read from the table: taken over, or after a doubt")
        self.consumers_renewed = self._counter("consumers_renewed", "Kafka consumers replaced by the watchdog")
        self.timers_fired = self._counter("timers_fired", "Timers handled")
        self.timer_lateness = self._histogram("timer_lateness_seconds", "From due to the commit", _LATENESS)
        self.timers_due = self._gauge("timers_due", "Timers that are due and not yet handled")
        self.timers_held = self._gauge(
            "timers_held_seconds", "How long the oldest due timer waits for the log to be read"
        )
        self.gaps = self._counter(
            "offset_gaps", "Offsets without a record: markers of somebody's transactions, or a loss"
        )
        self.partitions = self._gauge("partitions", "Partitions leased by this process")
        self.members = self._gauge("members", "Live processes of this consumer")
        self.refused = self._gauge("refused", "1 when the stream refuses to run")
        self.lag = self._partitioned("lag", "High watermark minus position")
        self.paused = self._partitioned("paused", "1 while the partition is paused")

    def _counter(self, name: str, words: str) -> Counter:
        counter = Counter(f"firebreak_stream_{name}", words, ["consumer"], registry=self._registry)
        return counter.labels(**self._labels)

    def _gauge(self, name: str, words: str) -> Gauge:
        gauge = Gauge(f"firebreak_stream_{name}", words, ["consumer"], registry=self._registry)
        return gauge.labels(**self._labels)

    def _histogram(self, name: str, words: str, buckets: tuple[float, ...]) -> Histogram:
        histogram = Histogram(f"firebreak_stream_{name}", words, ["consumer"], registry=self._registry, buckets=buckets)
        return histogram.labels(**self._labels)

    def _partitioned(self, name: str, words: str) -> "PartitionGauge":
        gauge = Gauge(f"firebreak_stream_{name}", words, ["consumer", "topic", "partition"], registry=self._registry)
        return PartitionGauge(gauge, self._labels["consumer"])


class PartitionGauge:
    """A gauge per partition that disappears with the lease: a partition is reported by its owner alone."""

    def __init__(self, gauge: Gauge, consumer: str) -> None:
        self._gauge = gauge
        self._consumer = consumer

    def set(self, topic: str, partition: int, value: float) -> None:
        self._gauge.labels(self._consumer, topic, str(partition)).set(value)

    def forget(self, topic: str, partition: int) -> None:
        try:
            self._gauge.remove(self._consumer, topic, str(partition))
        except KeyError:
            return  # was never reported
