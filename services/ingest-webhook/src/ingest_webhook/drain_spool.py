"""Publishes what the spool holds once Kafka is back: oldest first, in order per source, no faster than allowed."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from ingest_webhook.metrics import SpoolMetrics
from ingest_webhook.provider import Messages
from ingest_webhook.publish_messages import MessagePublisher
from ingest_webhook.source_table import SourceTable
from ingest_webhook.sources import Source
from ingest_webhook.spool import Spool
from ingest_webhook.spooled_request import Entry
from ticket_store.object_storage import ObjectMissing, StorageUnavailable
from ticket_stream.edge_publisher import KafkaAway

# Of one source in a row, before the next source has its turn: a full source must not keep the others waiting.
TURN = 32
# Between two looks at the storage: often while something waits or Kafka is away (another process may put its requests
# there), rarely otherwise (it may have died with some of them).
BUSY_SECONDS, IDLE_SECONDS = 1.0, 60.0
# A list of so many names takes some 20 ms to read and sort; longer ones are read more rarely.
LONG_LIST = 20_000

log = structlog.get_logger("spool")


@dataclass(frozen=True, slots=True)
class SpoolDrain:
    """Runs for ever in the supervisor. `seconds_each` is the shortest time from one request to the next."""

    spool: Spool
    sources: SourceTable
    publisher: MessagePublisher
    available: Callable[[], bool]
    metrics: SpoolMetrics
    seconds_each: float
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep

    async def run(self) -> None:
        """Look and drain, again and again. A storage or Kafka that is away is waited for."""
        while True:
            try:
                await self.spool.look()
                while self.available() and await self.drain_once():
                    pass
            except (StorageUnavailable, KafkaAway) as error:
                log.warning("the spool waits", waiting=self.spool.depth, reason=str(error))
            if self.spool.depth or not self.available():
                await self.sleep(BUSY_SECONDS * (1 + self.spool.depth / LONG_LIST))
            else:
                await self.spool.until_kept(IDLE_SECONDS)

    async def drain_once(self) -> int:
        """Give each source one turn and return how many requests left the spool.

        A request that the storage does not give back holds up its own source, whose order it is, and no other.

        :raises KafkaAway: or StorageUnavailable, after all sources; what was not published is still there.
        """
        drained, refused = 0, None
        for name in self.spool.sources():
            try:
                drained += await self._drain_source(name)
            except StorageUnavailable as error:
                refused = refused or error
        if refused is not None:
            raise refused
        return drained

    async def _drain_source(self, name: str) -> int:
        source = self.sources.get(name)
        if source is None:
            log.error("requests of a source that no longer exists wait in the spool", source=name)
            return 0
        entries = self.spool.oldest(name, TURN)
        for entry in entries:
            await self._drain_entry(source, entry)
            await self.sleep(self.seconds_each)
        return len(entries)

    async def _drain_entry(self, source: Source, entry: Entry) -> None:
        try:
            await self._publish(source, entry)
        except (KafkaAway, StorageUnavailable):
            raise
        except ObjectMissing:
            pass  # another process has published it
        except Exception as error:  # whatever it is: those behind it must not wait for ever
            # It was readable when it was taken: the secret that opened it is gone, or it does not fit an event.
            log.exception("a spooled request cannot be published and is set aside", name=entry.name, reason=str(error))
            await self.spool.put_aside(entry)
            self.metrics.set_aside.inc()
            return
        await self.spool.remove(entry)
        self.metrics.drained.inc()

    async def _publish(self, source: Source, entry: Entry) -> None:
        spooled = await self.spool.read(entry)
        reading = source.provider.read(spooled.request)  # verified when it came; its signed time is old by now
        if isinstance(reading, Messages):
            await self.publisher.publish_all(source, spooled.request, reading, spooled.traceparent)
