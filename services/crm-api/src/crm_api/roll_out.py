"""Tell open tickets what changed around them: works off `configuration_rollouts`, a page of tickets at a time.

Whoever holds the row's lock publishes one command per ticket, and moves the cursor once all of a page are acknowledged.
Killed before that, the next one publishes the page again, with the same command ids: the engine drops the repeats.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid5

import structlog

from crm_api.database_failures import DATABASE_FAILURES, is_away
from ticket_contracts.commands import Actor, Command
from ticket_contracts.envelope import Event
from ticket_contracts.topics import COMMANDS, Topic
from ticket_contracts.upkeep import Recalculate, Reevaluate
from ticket_contracts.vocabulary import ActorKind
from ticket_store import roll_outs
from ticket_store.roll_outs import CalendarScope, Connection, RollOut
from ticket_store.sessions import Pool
from ticket_stream.edge_publisher import KafkaAway

SOURCE = "/firebreak/crm-api/roll-out"
ACTOR = Actor(kind=ActorKind.MACHINE, id="configuration", name="configuration")

PAGE = 200
"""Tickets at once: one to two batches of the producer, and a transaction of well under a second."""

LOOK_SECONDS = 1.0
"""Between two looks for work. Due times of an edited calendar may be this much later; nothing waits for them."""

# A batch that had read the configuration before the change was visible may still write a clock by the old calendar. Its
# transaction began before the first one that saw the roll-out, so that the roll-out waits until none of those is left.
_OURS = "SELECT pg_current_xact_id()::text::bigint"
_OLDEST_RUNNING = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint"

log = structlog.get_logger("roll_out")


@dataclass(slots=True)
class RollOuts:
    """One per process. Several processes take different rows. `publish` returns when the event is acknowledged."""

    pool: Pool
    publish: Callable[[Topic, str, Event], Awaitable[None]]
    now: Callable[[], datetime]
    page: int = PAGE

    async def run(self) -> None:
        """Work until cancelled; what is away is waited for."""
        waits_for: dict[UUID, int] = {}
        while True:
            try:
                worked = await self.work_once(waits_for)
            except KafkaAway as error:
                log.warning("roll-out waits", reason=str(error))
                worked = False
            except DATABASE_FAILURES as error:
                if not is_away(error):
                    raise
                log.warning("roll-out waits", reason=type(error).__name__)
                worked = False
            if not worked:
                await asyncio.sleep(LOOK_SECONDS)

    async def work_once(self, waits_for: dict[UUID, int]) -> bool:
        """Tell one page of one roll-out; return whether anything was done. `waits_for` is this process's memory.

        :raises KafkaAway: nothing is moved, and the page is told again.
        """
        async with self.pool.acquire() as connection, connection.transaction():
            roll_out = await roll_outs.take_roll_out(connection)
            if roll_out is None or not await _earlier_ended(connection, roll_out, waits_for):
                return False
            tickets = await roll_outs.next_page(connection, roll_out, self.page)
            await self._tell(roll_out, tickets)
            await roll_outs.move_cursor(connection, roll_out, tickets)
        if not tickets:
            waits_for.pop(roll_out.rollout_id, None)
            log.info("rolled out", rollout_id=str(roll_out.rollout_id), kind=roll_out.kind, tickets=roll_out.counted)
        return True

    async def _tell(self, roll_out: RollOut, tickets: list[UUID]) -> None:
        """Publish the page's commands at once; return when every one is acknowledged."""
        told = [self._publish(roll_out, ticket_id) for ticket_id in tickets]
        for outcome in await asyncio.gather(*told, return_exceptions=True):
            if isinstance(outcome, BaseException):
                raise outcome

    async def _publish(self, roll_out: RollOut, ticket_id: UUID) -> None:
        command = command_of(roll_out, ticket_id)
        command_id = str(uuid5(roll_out.rollout_id, str(ticket_id)))
        event = Event(
            id=command_id,
            source=SOURCE,
            type=command.event_type,
            time=self.now(),
            data=command.encode(),
            subject=str(ticket_id),
            partitionkey=str(ticket_id),
            correlationid=str(roll_out.rollout_id),
        )
        await self.publish(COMMANDS, str(ticket_id), event)


def command_of(roll_out: RollOut, ticket_id: UUID) -> Command:
    """Return what one ticket is told."""
    run_id = str(roll_out.rollout_id)
    if isinstance(roll_out.scope, CalendarScope):
        return Recalculate(ticket_id=ticket_id, actor=ACTOR, run_id=run_id, calendars=roll_out.scope.calendars)
    return Reevaluate(ticket_id=ticket_id, actor=ACTOR, run_id=run_id)


async def _earlier_ended(connection: Connection, roll_out: RollOut, waits_for: dict[UUID, int]) -> bool:
    """Whether every transaction has ended that may not have seen the change; READ COMMITTED looks anew each time."""
    if roll_out.cursor_ticket_id is not None:
        return True
    first_to_see = waits_for.get(roll_out.rollout_id)
    if first_to_see is None:
        first_to_see = waits_for[roll_out.rollout_id] = await connection.fetchval(_OURS)
    oldest: int = await connection.fetchval(_OLDEST_RUNNING)
    return oldest >= first_to_see
