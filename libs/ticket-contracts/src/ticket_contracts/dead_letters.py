"""Copies of dead letters on `support.dead-letters.v1`; the truth is the table of the same name."""

from typing import ClassVar
from uuid import UUID

from ticket_contracts.contract import Instant, Payload, event_types


class DeadLetterRecorded(Payload):
    """A record that could not be processed, with where it stands and why."""

    event_type: ClassVar[str] = "firebreak.dead-letter.recorded.v1"

    dead_letter_id: UUID
    consumer: str
    topic: str
    partition: int
    offset: int
    record_type: str = ""
    record_id: str = ""
    reason: str
    at: Instant


DEAD_LETTER_EVENTS = event_types(DeadLetterRecorded)
