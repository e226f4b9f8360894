"""What the parts of one stream share: who it is, what it reads and writes, and what it reports to."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from ticket_stream.database_clock import DatabaseClock
from ticket_stream.failpoints import Failpoints
from ticket_stream.metrics import StreamMetrics
from ticket_stream.processing import DeadLetterWitness, Processor
from ticket_stream.settings import StreamSettings


@dataclass(slots=True)
class StreamContext:
    """`counts` are the partition counts of all topics read or written; `generation` comes with the first lease."""

    settings: StreamSettings
    consumer: str
    owner: str
    processor: Processor
    on_dead_letter: DeadLetterWitness | None
    failpoints: Failpoints
    metrics: StreamMetrics
    clock: DatabaseClock
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    counts: Mapping[str, int] = field(default_factory=dict)
    generation: int = 0

    @property
    def lease(self) -> timedelta:
        return timedelta(seconds=self.settings.lease_seconds)
