"""What stands still until an operator acts: paused partitions, and refusals that stop every service."""

from datetime import datetime

from pydantic import BaseModel

from ticket_store.sessions import DatabaseAway, open_pool
from ticket_stream.pauses import command_to_continue, list_pauses
from ticket_stream.processing import Connection, Partition

_REFUSALS = """
SELECT consumer, topic, partition, reason, command, refused_at FROM stream_refusals
WHERE resolved_at IS NULL ORDER BY id
"""

WHAT_TO_DO = (
    "The database and Kafka no longer tell the same story: one of them is older than the other, or new. Restore both "
    "from the same moment (runbook docs/runbooks/refusal.md); on your own machine start anew with another folder: "
    "`firebreak up --data-dir OTHER`."
)


class PausedPartition(BaseModel):
    """One partition that stands still; the others go on."""

    consumer: str
    topic: str
    partition: int
    next_offset: int
    timer_key: str | None
    reason: str
    paused_at: datetime
    decision: str | None
    decided_by: str | None
    to_continue: str


class Refusal(BaseModel):
    """Why no service goes on."""

    consumer: str
    topic: str
    partition: int
    reason: str
    command: str
    refused_at: datetime


class Troubles(BaseModel):
    """Both kinds."""

    paused: list[PausedPartition] = []
    refusals: list[Refusal] = []


async def read_troubles(connection: Connection) -> Troubles:
    """Return what stands still now; nothing when the tables do not exist yet."""
    if await connection.fetchval("SELECT to_regclass('stream_refusals')") is None:
        return Troubles()
    paused = [
        PausedPartition(
            **pause._asdict(),
            to_continue=command_to_continue(pause.consumer, Partition(pause.topic, pause.partition)),
        )
        for pause in await list_pauses(connection)
    ]
    return Troubles(paused=paused, refusals=[Refusal(**row) for row in await connection.fetch(_REFUSALS)])


async def troubles_at(url: str) -> Troubles | None:
    """Return the troubles of a database; None when it does not answer."""
    try:
        async with (
            open_pool(url, application_name="firebreak-status", max_size=1) as pool,
            pool.acquire() as connection,
        ):
            return await read_troubles(connection)
    except DatabaseAway:
        return None
