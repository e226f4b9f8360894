"""The one way back, and the way in: what a process does for a partition that it took over or is in doubt about.

First an UPDATE that raises the revision (it waits for a commit under way), then, in later statements, everything that
memory holds of the partition is read from the tables; what was not published is published; then reading goes on.
"""

import structlog
from aiokafka.structs import TopicPartition

from ticket_stream import outbox, pauses, seen, timers
from ticket_stream.context import StreamContext
from ticket_stream.failpoints import Failpoint
from ticket_stream.held_connection import HeldConnection
from ticket_stream.lease import Leases
from ticket_stream.origins import source_of
from ticket_stream.outbox import Outgoing
from ticket_stream.owned import OwnedPartition
from ticket_stream.positions import regain
from ticket_stream.processing import Connection, Partition
from ticket_stream.publishing import Publisher
from ticket_stream.reading import Reader
from ticket_stream.time_travel import TimeTravelChecks

log = structlog.get_logger("ticket_stream")


class Ownership:
    """The partitions of this process, by position id."""

    def __init__(
        self,
        context: StreamContext,
        connection: HeldConnection,
        leases: Leases,
        publisher: Publisher,
        reader: Reader,
        checks: TimeTravelChecks,
    ) -> None:
        self._context = context
        self._connection = connection
        self._leases = leases
        self._publisher = publisher
        self._reader = reader
        self._checks = checks
        self._held: dict[int, OwnedPartition] = {}
        self._doubtful: set[int] = set()
        self._fetched: frozenset[int] = frozenset()

    @property
    def active(self) -> list[OwnedPartition]:
        """Those that are being read: known for certain and not paused."""
        return [owned for owned in self._held.values() if owned.paused is None]

    @property
    def held(self) -> list[OwnedPartition]:
        """Those that are known for certain, paused ones included."""
        return list(self._held.values())

    @property
    def settled(self) -> bool:
        """Whether memory agrees with the last lease call, and nothing is in doubt."""
        return not self._doubtful and self._leases.owned == self._held.keys()

    def doubt(self) -> None:
        """Take the way back for every partition before anything else is done; doubts seldom come alone."""
        for position_id in list(self._held):
            self._drop(position_id)
            self._doubtful.add(position_id)

    async def settle(self) -> None:
        """Apply what the last lease call said and take the way back where needed; changes nothing half.

        :raises WentBack, LogAway: and what the database raises; to be called again then.
        """
        wanted = self._leases.owned
        for position_id in self._held.keys() - wanted:
            log.info("partition given up", **self._names(self._held[position_id].partition))
            self._drop(position_id)
        self._doubtful &= wanted
        entering = wanted - self._held.keys()
        if not entering:
            return
        self._doubtful |= entering
        connection = await self._connection.get()
        regained = [found for item in sorted(entering) if (found := await self._regain(connection, item))]
        await self._checks.check_assignment(connection, [owned for owned, _ in regained])
        for owned, rows in regained:
            self._publisher.enqueue(owned.id, rows)
            self._context.metrics.republished.inc(len(rows))
            self._held[owned.id] = owned
        self._doubtful -= entering
        self._context.metrics.partitions.set(len(self._held))
        self._fetched = frozenset()  # their positions are new, whatever was fetched before

    def direct_reader(self) -> None:
        """Tell the reader what to fetch, when that has changed."""
        active = self.active
        ids = frozenset(owned.id for owned in active)
        if ids != self._fetched:
            self._reader.assign(active)
            self._fetched = ids

    def reader_is_new(self) -> None:
        """A consumer that was just made fetches nothing yet."""
        self._fetched = frozenset()

    async def _regain(self, connection: Connection, position_id: int) -> tuple[OwnedPartition, list[Outgoing]] | None:
        context = self._context
        standing = await regain(connection, context.owner, context.lease, position_id)
        if standing is None:
            return None  # lost again since the lease call; the next one will say so
        await context.failpoints.reach(Failpoint.TAKING_OVER)
        self._publisher.forget(position_id)
        rows = await outbox.read(connection, position_id)
        pause = await pauses.read(connection, position_id)
        partition = standing.partition
        owned = OwnedPartition(
            id=position_id,
            partition=partition,
            physical=TopicPartition(context.settings.topic_prefix + partition.topic, partition.number),
            source=source_of(context.generation, context.consumer, partition),
            revision=standing.revision,
            next_offset=standing.next_offset,
            previous=standing.previous,
            seen=await seen.read(connection, position_id),
            timers=await timers.load(connection, position_id, context.clock.now()),
            paused=None if pause is None else pause.reason,
        )
        context.metrics.takeovers.inc()
        if pause is not None:
            context.metrics.paused.set(partition.topic, partition.number, 1)
        log.info(
            "partition taken",
            **self._names(partition),
            offset=owned.next_offset,
            revision=owned.revision,
            unpublished=len(rows),
            paused=owned.paused,
        )
        return owned, rows

    def _drop(self, position_id: int) -> None:
        owned = self._held.pop(position_id)
        self._publisher.forget(position_id)
        self._context.metrics.lag.forget(owned.partition.topic, owned.partition.number)
        self._context.metrics.paused.forget(owned.partition.topic, owned.partition.number)
        self._context.metrics.partitions.set(len(self._held))

    def _names(self, partition: Partition) -> dict[str, object]:
        return {"consumer": self._context.consumer, "topic": partition.topic, "partition": partition.number}
