"""What an operator does with dead letters: list, show, replay, discard. A shell command is its only caller."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from msgspec.structs import replace

from ticket_contracts.envelope import Event, NotAnEvent, read_event
from ticket_contracts.topics import Topic
from ticket_stream.dead_letters import unpack_any_headers
from ticket_stream.edge_publisher import EdgePublisher
from ticket_stream.processing import Connection

_LIST = """
SELECT id, consumer, topic, partition, "offset", record_type, record_id, appended_at, reason, recorded_at, state
FROM dead_letters WHERE state = ANY ($1) ORDER BY recorded_at DESC, id LIMIT $2
"""

_SHOW = """
SELECT id, consumer, topic, partition, "offset", record_type, record_id, appended_at, reason, recorded_at, state,
       key, headers, value, replay_id
FROM dead_letters WHERE id = $1
"""

# The new id is stored before anything is sent, so that a replay that was interrupted goes on with the same id and is
# recognised as a repeat by whoever reads it.
_CLAIM = """
UPDATE dead_letters SET state = 'replaying', replay_id = coalesce(replay_id, $2)
WHERE id = $1 AND state IN ('new', 'replaying') RETURNING replay_id
"""

_RESOLVE = """
UPDATE dead_letters SET state = $2, resolved_by = $3, resolved_at = clock_timestamp()
WHERE id = $1 AND state = ANY ($4) RETURNING id
"""


class NoSuchDeadLetter(LookupError):
    """No dead letter has this id, or it is already replayed or discarded."""


class NotReplayable(ValueError):
    """The record was no event, or its topic is none of ours; it can only be discarded."""


class DeadLetter(NamedTuple):
    """One line of the list."""

    id: UUID
    consumer: str
    topic: str
    partition: int
    offset: int
    record_type: str
    record_id: str
    appended_at: datetime
    reason: str
    recorded_at: datetime
    state: str


class WholeDeadLetter(NamedTuple):
    """A dead letter with the record as it was."""

    summary: DeadLetter
    key: bytes | None
    headers: list[tuple[str, bytes | None]]
    value: bytes | None
    replay_id: str | None


async def list_dead_letters(
    connection: Connection, *, states: Sequence[str] = ("new", "replaying"), limit: int = 100
) -> list[DeadLetter]:
    """The newest first; by default those that wait for somebody."""
    return [DeadLetter(**row) for row in await connection.fetch(_LIST, list(states), limit)]


async def show(connection: Connection, dead_letter_id: UUID) -> WholeDeadLetter:
    """:raises NoSuchDeadLetter: there is none."""
    row = await connection.fetchrow(_SHOW, dead_letter_id)
    if row is None:
        raise NoSuchDeadLetter(str(dead_letter_id))
    summary = DeadLetter(**{name: row[name] for name in DeadLetter._fields})
    return WholeDeadLetter(summary, row["key"], unpack_any_headers(row["headers"]), row["value"], row["replay_id"])


async def replay(
    connection: Connection,
    publisher: EdgePublisher,
    topics: Sequence[Topic],
    dead_letter_id: UUID,
    *,
    new_id: str,
    by: str,
) -> str:
    """Send the record again as a new event with a new id, caused by the old one; return the new id.

    :raises NoSuchDeadLetter: there is none to replay. :raises NotReplayable: it was no event.
    :raises KafkaAway: not acknowledged; calling again is safe.
    """
    whole = await show(connection, dead_letter_id)
    event = _event_of(whole)
    topic = next((item for item in topics if item.name == whole.summary.topic), None)
    if topic is None:
        raise NotReplayable(f"topic {whole.summary.topic} is none of ours")
    event_id = await connection.fetchval(_CLAIM, dead_letter_id, new_id)
    if event_id is None:
        raise NoSuchDeadLetter(f"{dead_letter_id} is {whole.summary.state}")
    again = replace(event, id=event_id, source="/firebreak/dead-letters", sequence=None, causationid=event.id)
    await publisher.publish(topic, (whole.key or b"").decode(), again)
    await connection.fetchval(_RESOLVE, dead_letter_id, "replayed", by, ["replaying"])
    return str(event_id)


async def discard(connection: Connection, dead_letter_id: UUID, *, by: str) -> None:
    """Decide that nothing is to be done; the record stays readable.

    :raises NoSuchDeadLetter: there is none that waits.
    """
    if await connection.fetchval(_RESOLVE, dead_letter_id, "discarded", by, ["new", "replaying"]) is None:
        raise NoSuchDeadLetter(str(dead_letter_id))


def _event_of(whole: WholeDeadLetter) -> Event:
    try:
        return read_event(whole.headers, whole.value)
    except NotAnEvent as error:
        raise NotReplayable(str(error)) from error
