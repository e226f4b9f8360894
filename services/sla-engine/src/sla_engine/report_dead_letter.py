"""Tell the caller that waits for a command that it could not be processed."""

from hashlib import sha256

from sla_engine.batch_work import Outcome
from sla_engine.read_requests import read_command, ticket_of_key
from sla_engine.write_tickets import write_outcomes
from ticket_contracts.commands import ReceiveMessage
from ticket_stream.failures import PoisonRecord, UnknownType
from ticket_stream.processing import Connection, Record


async def report_dead_letter(connection: Connection, record: Record, reason: str) -> None:
    """Write the outcome `failed`, in the transaction that makes the record a dead letter."""
    ticket_id = ticket_of_key(record.key)
    if ticket_id is None or record.event.type == ReceiveMessage.event_type:  # nobody waits
        return
    outcome = Outcome(record.event.id, ticket_id, "failed", reason, None, _fingerprint(record))
    await write_outcomes(connection, [outcome], await connection.fetchval("SELECT now()"))


def _fingerprint(record: Record) -> bytes:
    try:
        return read_command(record).fingerprint()
    except (PoisonRecord, UnknownType):  # unreadable, so no retry of the caller can be told from another command
        return sha256(record.event.data).digest()
