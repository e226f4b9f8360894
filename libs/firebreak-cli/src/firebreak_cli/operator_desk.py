"""What the `dead-letters` commands do, on one installation's database and Kafka."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Literal, NamedTuple
from uuid import UUID, uuid4

from firebreak_cli.local_stack.errors import LocalStackError
from firebreak_cli.reached_servers import ReachedServers
from ticket_contracts.topics import TOPICS
from ticket_store.sessions import open_pool
from ticket_stream import dead_letter_desk, pauses
from ticket_stream.dead_letter_desk import NoSuchDeadLetter
from ticket_stream.edge_publisher import open_edge_publisher
from ticket_stream.pauses import Decision, Pause
from ticket_stream.processing import Connection, Partition

ALL_STATES = ("new", "replaying", "replayed", "discarded")
CARRIED_OUT_WITHIN = 5.0  # seconds; an owner looks once a second, and may be in the middle of a batch
PAUSED_AGAIN_WITHIN = 1.0  # seconds; one batch, and the transaction that pauses
ASK_EVERY = 0.1  # seconds

_BEGINNING = "SELECT id, state FROM dead_letters WHERE starts_with(id::text, $1) ORDER BY id LIMIT 2"

Outcome = Literal["goes on", "paused again", "not carried out yet"]


class AmbiguousIdError(LocalStackError):
    """More than one dead letter begins so."""


class Decided(NamedTuple):
    """What came of an operator's decision; `pause` is there unless the partition goes on."""

    outcome: Outcome
    pause: Pause | None


@asynccontextmanager
async def open_connection(servers: ReachedServers) -> AsyncIterator[Connection]:
    """:raises DatabaseAway: the database cannot be reached."""
    name = "firebreak-operator"
    async with open_pool(servers.postgres, application_name=name, max_size=1) as pool, pool.acquire() as connection:
        yield connection


async def find_letter(connection: Connection, beginning: str) -> UUID:
    """Return the one id with this beginning.

    :raises NoSuchDeadLetter: there is none. :raises AmbiguousIdError: there are several.
    """
    found = await connection.fetch(_BEGINNING, beginning.lower())
    if not found:
        raise NoSuchDeadLetter(f"No dead letter has the id {beginning}.")
    if len(found) > 1:
        raise AmbiguousIdError(f"More than one dead letter's id begins with {beginning}: give more of it.")
    found_id: UUID = found[0]["id"]
    return found_id


async def replay(servers: ReachedServers, connection: Connection, letter_id: UUID, by: str) -> str:
    """Send the record again as a new event; return its id."""
    async with open_edge_publisher(servers.need_kafka(), servers.topic_prefix) as publisher:
        return await dead_letter_desk.replay(connection, publisher, TOPICS, letter_id, new_id=str(uuid4()), by=by)


async def decide(connection: Connection, decision: Decision, consumer: str, partition: Partition, by: str) -> Decided:
    """Store the decision and wait a moment for the owner to carry it out.

    :raises pauses.NotPaused: the partition is not paused.
    """
    store = pauses.resume if decision == "resume" else pauses.skip
    await store(connection, consumer, partition, by)
    deadline = time.monotonic() + CARRIED_OUT_WITHIN
    while True:
        pause = _pause_of(await pauses.list_pauses(connection), consumer, partition)
        if pause is None:
            return await _settled(connection, consumer, partition)
        if pause.decision is None:
            return Decided("paused again", pause)
        if time.monotonic() > deadline:
            return Decided("not carried out yet", pause)
        await asyncio.sleep(ASK_EVERY)


async def _settled(connection: Connection, consumer: str, partition: Partition) -> Decided:
    """A fault that is still there pauses the partition again at once: look a little longer before saying it goes on."""
    deadline = time.monotonic() + PAUSED_AGAIN_WITHIN
    while time.monotonic() < deadline:
        pause = _pause_of(await pauses.list_pauses(connection), consumer, partition)
        if pause is not None:
            return Decided("paused again", pause)
        await asyncio.sleep(ASK_EVERY)
    return Decided("goes on", None)


def _pause_of(stored: Sequence[Pause], consumer: str, partition: Partition) -> Pause | None:
    where = (consumer, partition.topic, partition.number)
    return next((pause for pause in stored if (pause.consumer, pause.topic, pause.partition) == where), None)
