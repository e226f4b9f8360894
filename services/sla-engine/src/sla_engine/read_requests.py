"""Read what the records of `support.commands.v1` ask."""

from uuid import UUID

from pydantic import ValidationError

from ticket_contracts.catalogue import COMMAND_EVENTS
from ticket_contracts.commands import Command
from ticket_stream.failures import PoisonRecord, UnknownType
from ticket_stream.processing import Record

OUR_TYPES = "firebreak."


def read_command(record: Record) -> Command:
    """Return the command of a record.

    :raises UnknownType: a newer Firebreak sent it; its partition waits for this service's upgrade.
    :raises PoisonRecord: it is no command, is malformed, or stands under the key of another ticket.
    """
    payload = COMMAND_EVENTS.get(record.event.type)
    if payload is None:
        if record.event.type.startswith(OUR_TYPES):
            raise UnknownType(f"command type {record.event.type} is not known to this version")
        raise PoisonRecord(f"{record.event.type} is no command of Firebreak")
    try:
        command = payload.model_validate_json(record.event.data)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        field = ".".join(map(str, first["loc"]))
        raise PoisonRecord(f"{record.event.type}: {field}: {first['msg']}") from error
    assert isinstance(command, Command)  # COMMAND_EVENTS holds nothing else
    if record.key != str(command.ticket_id):
        # The key decides the partition, the partition the order of a ticket's commands and the owner of its timer.
        raise PoisonRecord(f"the key {record.key} is not the ticket id {command.ticket_id}")
    return command


def ticket_of_key(key: str) -> UUID | None:
    """Return the ticket a key names, None when it names none."""
    try:
        return UUID(key)
    except ValueError:
        return None
