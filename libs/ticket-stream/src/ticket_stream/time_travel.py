"""Refusing to go on when a side went back in time: a restored database, a wiped or restored Kafka.

Positions and revisions would lie then, and every guess would lose or double something. So at assignment the log is
compared with the table, and with each batch the sequences in it with the revisions of their origins. The log is read
first and the table afterwards: an origin's revision is in the table before its records are in the log.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import NoReturn

from aiokafka.structs import TopicPartition

from ticket_stream.context import StreamContext
from ticket_stream.failures import StreamRefused
from ticket_stream.log_inspection import Bounds, LogAway, LogInspector
from ticket_stream.origins import Origin, parse_sequence, parse_source, revision_of
from ticket_stream.owned import OwnedPartition, Previous
from ticket_stream.positions import read_generation, revisions_of
from ticket_stream.processing import Connection, Partition

RECOVER = "firebreak recover"
"""The command that a refusal names."""

_NEWEST = 1_000  # records per partition that are looked at; architecture §3

# Between two looks at a log that answers a second or two pass; more, and it was away meanwhile.
_LOOKED_AWAY_SECONDS = 10.0

_REFUSE = """
INSERT INTO stream_refusals (consumer, topic, partition, reason, command) VALUES ($1, $2, $3, $4, $5)
"""


class WentBack(Exception):
    """Found out; it becomes a row that stops every service, outside of any batch's transaction."""

    def __init__(self, partition: Partition, reason: str) -> None:
        super().__init__(reason)
        self.partition = partition
        self.reason = reason


class ShortLogs:
    """Logs that end before a position: only one that keeps answering so is a refusal, and not one that went away."""

    def __init__(self, monotonic: Callable[[], float], patience: float) -> None:
        self._monotonic = monotonic
        self._patience = patience
        self._seen: dict[TopicPartition, tuple[float, float]] = {}  # for the first and for the last time

    def may_catch_up(self, physical: TopicPartition) -> bool:
        """Note that the log is too short now; False when it had its time."""
        now = self._monotonic()
        since, last = self._seen.get(physical, (now, now))
        if now - last > _LOOKED_AWAY_SECONDS:
            since = now
        self._seen[physical] = (since, now)
        return now < since + self._patience

    def forget(self, physical: TopicPartition) -> None:
        self._seen.pop(physical, None)


class TimeTravelChecks:
    """Remembers what was checked, until a connection was lost: no side goes back in time without losing them."""

    def __init__(self, context: StreamContext, inspector: LogInspector) -> None:
        self._context = context
        self._inspector = inspector
        self._checked: set[TopicPartition] = set()
        self._revisions: dict[Origin, int] = {}
        self._short = ShortLogs(context.clock.monotonic, context.settings.catch_up_seconds)

    def forget(self) -> None:
        """After a lost connection everything is checked again."""
        self._checked.clear()
        self._revisions.clear()

    async def check_assignment(self, connection: Connection, owned: Sequence[OwnedPartition]) -> None:
        """:raises WentBack: with what was found. :raises LogAway: Kafka does not answer."""
        bounds = await self._inspector.bounds([item.physical for item in owned])
        for item in owned:
            self._check_bounds(item, bounds[item.physical])
        await self._check_previous(owned, bounds)
        unchecked = [item.physical for item in owned if item.physical not in self._checked]
        unchecked += [physical for physical in self._written() if physical not in self._checked]
        await self._check_newest(connection, unchecked)
        self._checked.update(unchecked)

    async def check_batch(self, connection: Connection, fresh: Mapping[str, tuple[int, Partition]]) -> None:
        """Compare the highest sequence of each source in a batch; asks the table only for revisions not yet known.

        :raises WentBack: an origin has written what the table knows nothing of.
        """
        newer = {
            origin: (sequence, where)
            for source, (sequence, where) in fresh.items()
            if (origin := parse_source(source)) is not None and revision_of(sequence) > self._revisions.get(origin, -1)
        }
        newer = {
            origin: value
            for origin, value in newer.items()
            if origin.generation >= self._context.generation  # older generations are origins of their own
        }
        if not newer:
            return
        revisions = await revisions_of(connection, newer)
        generation = self._context.generation
        if any(origin.generation > generation for origin in newer):
            generation = await read_generation(connection)  # a recovery is a second older than our last lease call
        for origin, (sequence, where) in newer.items():
            revision = revisions.get(origin[1:], 0)
            if origin.generation > generation:
                raise WentBack(
                    where,
                    f"{where.topic}/{where.number} holds records of generation {origin.generation}, but the database "
                    f"is at {generation}: the database was restored from before a recovery",
                )
            if revision_of(sequence) > revision:
                raise WentBack(
                    where,
                    f"{where.topic}/{where.number} holds a record of {origin.consumer} for {origin.topic}/"
                    f"{origin.partition} with revision {revision_of(sequence)}, but the database knows only "
                    f"{revision}: the database went back in time, or is another one",
                )
            self._revisions[origin] = revision

    async def refuse(self, connection: Connection, found: WentBack) -> NoReturn:
        """Store the refusal, which stops every service within a second, and stop this one.

        :raises StreamRefused: always.
        """
        where = found.partition
        await connection.execute(_REFUSE, self._context.consumer, where.topic, where.number, found.reason, RECOVER)
        raise StreamRefused(f"{found.reason}. To continue: {RECOVER}")

    def _written(self) -> list[TopicPartition]:
        prefix = self._context.settings.topic_prefix
        return [
            TopicPartition(prefix + topic, number)
            for topic in self._context.writes
            for number in range(self._context.counts[topic])
        ]

    def _check_bounds(self, item: OwnedPartition, bounds: Bounds) -> None:
        if bounds.start <= item.next_offset <= bounds.end:
            self._short.forget(item.physical)
            return
        where = f"position {item.next_offset} of {item.partition.topic}/{item.partition.number}"
        outside = f"lies outside of the log ({bounds.start} to {bounds.end})"
        if item.next_offset > bounds.end and self._short.may_catch_up(item.physical):
            raise LogAway(f"{where} {outside}, which may still be recovering")
        raise WentBack(
            item.partition,
            f"{where} {outside}: the topic was deleted, restored, or its retention passed unread records",
        )

    async def _check_previous(self, owned: Sequence[OwnedPartition], bounds: Mapping[TopicPartition, Bounds]) -> None:
        expected: dict[TopicPartition, tuple[OwnedPartition, Previous]] = {
            item.physical: (item, item.previous)
            for item in owned
            if item.previous is not None and item.previous.offset >= bounds[item.physical].start
        }
        spans = {physical: (known.offset, known.offset + 1) for physical, (_, known) in expected.items()}
        found = {
            TopicPartition(raw.topic, raw.partition): Previous.of(raw) async for raw in self._inspector.read(spans)
        }
        for physical, (item, known) in expected.items():
            if found.get(physical) != known:
                raise WentBack(
                    item.partition,
                    f"the record at offset {known.offset} of {item.partition.topic}/{item.partition.number} is not "
                    "the one that was processed: the topic was deleted or restored",
                )

    async def _check_newest(self, connection: Connection, physical: Collection[TopicPartition]) -> None:
        if not physical:
            return
        bounds = await self._inspector.bounds(list(physical))
        spans = {item: (max(found.start, found.end - _NEWEST), found.end) for item, found in bounds.items()}
        prefix = len(self._context.settings.topic_prefix)
        highest: dict[str, tuple[int, Partition]] = {}
        async for raw in self._inspector.read(spans):
            source, sequence = _source_and_sequence(raw.headers)
            if sequence > highest.get(source, (0, None))[0]:
                highest[source] = (sequence, Partition(raw.topic[prefix:], raw.partition))
        await self.check_batch(connection, highest)


def _source_and_sequence(headers: Sequence[tuple[str, bytes | None]]) -> tuple[str, int]:
    """Return what a record says about its origin; ("", 0) when it is none of a stream's."""
    found = dict(headers)
    source, text = found.get("ce_source") or b"", found.get("ce_sequence") or b""
    sequence = parse_sequence(text.decode(errors="replace"))
    return ("", 0) if sequence is None else (source.decode(errors="replace"), sequence)
