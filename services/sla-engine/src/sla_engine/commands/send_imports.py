"""Send the tickets of an import and wait for what the engine makes of them."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice

import asyncpg

from sla_engine.commands.import_lines import Line
from sla_engine.commands.import_tally import Outcome, Tally
from ticket_contracts.envelope import Event
from ticket_contracts.topics import COMMANDS
from ticket_contracts.upkeep import ImportTicket
from ticket_store.sessions import Pool
from ticket_store.tables.command_outcomes import READ_OUTCOMES
from ticket_stream.edge_publisher import EdgePublisher, KafkaAway

SOURCE = "/firebreak/import"
AT_ONCE = 500  # tickets on their way to Kafka; a ticket is some kilobytes
UNDER_WAY = 2000  # tickets that the engine has not decided: live commands wait behind no more of them
POLL_SECONDS = 0.1

_DATABASE_FAILURES = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError)


class ImportRun:
    """One pass over a file. `trouble` is what kept it from sending or looking most recently, or nothing."""

    def __init__(self, pool: Pool, publisher: EdgePublisher, lines: Iterator[Line]) -> None:
        self.tally = Tally()
        self.trouble = ""
        self._pool = pool
        self._publisher = publisher
        self._lines = lines
        self._part: Sequence[Line] = ()
        self._acknowledged = False

    async def run(self, patience: float, show: Callable[[int], None]) -> None:
        """Return when every outcome is known, or none came for `patience` seconds; `show` is told how many are known.

        :raises KafkaAway: nothing could be sent at all.
        """
        clock = asyncio.get_running_loop().time
        deadline = clock() + patience
        while True:
            known = self.tally.known
            await self._look()
            await self._send()
            show(self.tally.known)
            if not self.tally.waiting and not self._next_part():
                return
            if self.tally.known > known:
                deadline = clock() + patience
            elif clock() >= deadline:
                return
            else:
                await asyncio.sleep(min(POLL_SECONDS, patience))

    def _next_part(self) -> Sequence[Line]:
        if not self._part and len(self.tally.waiting) <= UNDER_WAY - AT_ONCE:
            self._part = list(islice(self._lines, AT_ONCE))
        return self._part

    async def _look(self) -> None:
        """Read the outcomes of what is under way and of what is sent next; a database that is away tells nothing."""
        part = self._next_part()
        ids = [*self.tally.waiting, *(line.command_id for line in part)]
        try:
            rows = await self._pool.fetch(READ_OUTCOMES, ids)
        except _DATABASE_FAILURES as error:
            self.trouble = f"the outcomes cannot be read: {error or type(error).__name__}"
            return
        self.trouble = ""
        found = {row["command_id"]: Outcome(row["outcome"], row["reason"]) for row in rows}
        self.tally.settle(found)
        self.tally.begin(part, found)
        self._part = ()

    async def _send(self) -> None:
        """Send what Kafka has not acknowledged; sent twice, a command is decided once."""
        unsent = self.tally.unsent
        asked = [(command_id, _publish(self._publisher, command_id, command)) for command_id, command in unsent.items()]
        ends = await asyncio.gather(*(sending for _, sending in asked), return_exceptions=True)
        for (command_id, _), end in zip(asked, ends, strict=True):
            if end is None:
                self._acknowledged = True
                del self.tally.unsent[command_id]
            elif not isinstance(end, KafkaAway) or not self._acknowledged:
                raise end
            else:
                self.trouble = str(end)


async def _publish(publisher: EdgePublisher, command_id: str, command: ImportTicket) -> None:
    key = str(command.ticket_id)
    event = Event(
        id=command_id,
        source=SOURCE,
        type=command.event_type,
        time=datetime.now(UTC),
        data=command.encode(),
        subject=key,
        partitionkey=key,
        correlationid=command_id,
    )
    await publisher.publish(COMMANDS, key, event)
