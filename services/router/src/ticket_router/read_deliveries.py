"""From records to messages: decoded once, each identity once, in the order of the batch."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from pydantic import ValidationError

from ticket_contracts.messages import MessageReceived
from ticket_router.domain.conversations import Arrival
from ticket_stream.failures import PoisonRecord, UnknownType
from ticket_stream.processing import Record

_OUR_TYPES = "firebreak."
_NAMED_ERRORS = 5  # enough for a reader to see the pattern; a broken producer may violate every field


@dataclass(slots=True)
class Delivered:
    """A message with the record that brought it first, and how often the batch brought it."""

    record: Record
    arrival: Arrival
    times: int
    last_at: datetime


def read_deliveries(records: Iterable[Record]) -> dict[bytes, Delivered]:
    """Return what was delivered by identity.

    :raises PoisonRecord: a record holds no message; the runtime finds it by bisection.
    :raises UnknownType: a newer version wrote something this one does not know.
    """
    delivered: dict[bytes, Delivered] = {}
    for record in records:
        arrival = Arrival.of(_decode(record))
        at = arrival.message.received_at
        if (first := delivered.get(arrival.identity)) is not None:
            first.times += 1
            first.last_at = max(first.last_at, at)
        else:
            delivered[arrival.identity] = Delivered(record, arrival, 1, at)
    return delivered


def _decode(record: Record) -> MessageReceived:
    event = record.event
    if event.type != MessageReceived.event_type:
        if event.type.startswith(_OUR_TYPES):
            raise UnknownType(f"{event.type} on {record.origin.topic}")
        raise PoisonRecord(f"{event.type!r} is no event of ours")
    try:
        return MessageReceived.model_validate_json(event.data)
    except ValidationError as error:
        # The place and kind of each error, never the value: it may be a customer's words.
        found = error.errors(include_url=False, include_context=False, include_input=False)[:_NAMED_ERRORS]
        places = "; ".join(f"{'.'.join(map(str, each['loc'])) or 'data'}: {each['type']}" for each in found)
        raise PoisonRecord(f"not a {MessageReceived.event_type}: {places}") from error
