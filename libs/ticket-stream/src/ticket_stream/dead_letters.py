"""Records that can never be processed: kept whole in `dead_letters`, with a copy of the fact on their own topic."""

import json
from base64 import b64decode, b64encode
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID, uuid5

from aiokafka.structs import ConsumerRecord

from ticket_contracts.dead_letters import DeadLetterRecorded
from ticket_contracts.envelope import NotAnEvent, read_event
from ticket_contracts.topics import DEAD_LETTERS
from ticket_stream.processing import Connection, NewEvent, Partition, Record
from ticket_stream.reading import appended_at

_NAMESPACE = UUID("0c6f3a43-6d5f-5a53-9c38-6a1a4f0d5c1e")  # drawn once: the same record has the same dead letter
_MAX_NAME = 200  # characters of a type or an id
_MAX_REASON = 2_000  # characters; a driver's message may quote a whole statement

_INSERT = """
INSERT INTO dead_letters (id, consumer, topic, partition, "offset", record_type, record_id, appended_at,
                          key, headers, value, reason, recorded_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
ON CONFLICT (id) DO NOTHING  -- read again by a consumer whose projection is rebuilt; what was decided stays
"""

_RECENT = (
    "SELECT count(*) FROM dead_letters WHERE consumer = $1 AND recorded_at > clock_timestamp() - interval '1 hour'"
)


async def count_recent(connection: Connection, consumer: str) -> int:
    """How many the consumer has made in the last hour; counted here, so that a restart does not forget it."""
    return int(await connection.fetchval(_RECENT, consumer))


async def bury(
    connection: Connection,
    consumer: str,
    generation: int,
    partition: Partition,
    raw: ConsumerRecord,
    reason: str,
    now: datetime,
) -> NewEvent:
    """Insert the dead letter and return the event that tells of it."""
    identity = f"{generation}/{consumer}/{partition.topic}/{partition.number}/{raw.offset}"
    dead_letter_id = uuid5(_NAMESPACE, identity)
    record = as_record(partition, raw)
    fact = DeadLetterRecorded(
        dead_letter_id=dead_letter_id,
        consumer=consumer,
        topic=partition.topic,
        partition=partition.number,
        offset=raw.offset,
        record_type=_short(record.event.type) if record else "",
        record_id=_short(record.event.id) if record else "",
        reason=reason[:_MAX_REASON].replace("\0", ""),
        at=now,
    )
    await connection.execute(
        _INSERT,
        dead_letter_id,
        consumer,
        partition.topic,
        partition.number,
        raw.offset,
        fact.record_type,
        fact.record_id,
        appended_at(raw),
        raw.key,
        pack_any_headers(raw.headers),
        raw.value,
        fact.reason,
        now,
    )
    return NewEvent(
        origin=partition,
        topic=DEAD_LETTERS.name,
        key=f"{partition.topic}/{partition.number}/{raw.offset}",
        id=str(dead_letter_id),
        type=DeadLetterRecorded.event_type,
        time=now,
        data=fact.encode(),
    )


def _short(text: str) -> str:
    """What somebody else wrote, so that it fits the table and the fact whatever it is."""
    return text[:_MAX_NAME].replace("\0", "")


def as_record(partition: Partition, raw: ConsumerRecord) -> Record | None:
    """Return the record, or None when it is no event at all, or has a name that no table can hold."""
    try:
        event = read_event(raw.headers, raw.value)
        key = raw.key.decode() if raw.key else ""
    except (NotAnEvent, UnicodeDecodeError):
        return None
    if "\0" in key or "\0" in event.id:
        return None
    return Record(partition, raw.offset, appended_at(raw), key, event)


def pack_any_headers(headers: Sequence[tuple[str, bytes | None]]) -> bytes:
    """Headers of a record that may be nobody's event, as JSON with base64 values."""
    named = [[name, None if value is None else b64encode(value).decode()] for name, value in headers]
    return json.dumps(named).encode()


def unpack_any_headers(packed: bytes) -> list[tuple[str, bytes | None]]:
    return [(name, None if value is None else b64decode(value)) for name, value in json.loads(packed)]
