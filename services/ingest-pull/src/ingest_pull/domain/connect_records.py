"""Amazon Connect's contact records: docs.aws.amazon.com/connect/latest/adminguide/ctr-data-model.html.

Delivered at least once, and again when something in them changed; a transfer makes one more record of the same call.
"""

import gzip
import json
import zlib
from collections.abc import Iterator
from datetime import datetime
from io import BytesIO
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from ingest_pull.domain.asterisk_cdr import RowUnreadable
from ingest_pull.domain.call_so_far import CallSoFar
from ingest_pull.domain.connect_recordings import Recordings, recordings_of
from ticket_intake.clean_text import clean_text

_ID_LENGTH = 256
_MAX_SECONDS = 86_400
_GZIP = b"\x1f\x8b"
# How a customer's call begins; what continues one has another method and the first's InitialContactId.
_CUSTOMER_BEGAN = frozenset({"INBOUND", "CALLBACK"})
_CONTINUES = frozenset({"TRANSFER", "QUEUE_TRANSFER", "DISCONNECT"})


# Stands in the cursor until the call is complete, and JSONB takes no NUL.
_Text = Annotated[str, AfterValidator(clean_text)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)


class _Endpoint(_Part):
    address: _Text = Field(default="", alias="Address", max_length=_ID_LENGTH)


class _Queue(_Part):
    name: _Text = Field(default="", alias="Name", max_length=_ID_LENGTH)


class _Agent(_Part):
    connected_at: AwareDatetime | None = Field(default=None, alias="ConnectedToAgentTimestamp")
    seconds: int = Field(default=0, alias="AgentInteractionDuration", ge=0)


class ContactRecord(_Part):
    """The fields that say whose call it was and how it went."""

    contact_id: _Text = Field(alias="ContactId", min_length=1, max_length=_ID_LENGTH)
    initial_id: _Text | None = Field(default=None, alias="InitialContactId", max_length=_ID_LENGTH)
    channel: str = Field(alias="Channel")
    method: str = Field(alias="InitiationMethod")
    started_at: AwareDatetime = Field(alias="InitiationTimestamp")
    ended_at: AwareDatetime | None = Field(default=None, alias="DisconnectTimestamp")
    next_id: str | None = Field(default=None, alias="NextContactId")
    reason: _Text | None = Field(default=None, alias="DisconnectReason")
    customer: _Endpoint | None = Field(default=None, alias="CustomerEndpoint")
    system: _Endpoint | None = Field(default=None, alias="SystemEndpoint")
    queue: _Queue | None = Field(default=None, alias="Queue")
    agent: _Agent | None = Field(default=None, alias="Agent")


def read_content(content: bytes, most: int) -> str:
    """Return the text of a file, compressed by gzip or not: its first bytes say so, whatever its name does.

    :param most: bytes of text.
    :raises RowUnreadable: it is longer, or damaged.
    """
    if content.startswith(_GZIP):
        try:
            with gzip.open(BytesIO(content)) as file:  # several one after the other are one file (RFC 1952 §2.2)
                content = file.read(most + 1)
        except EOFError as error:
            raise RowUnreadable("is cut off within its compression") from error
        except (zlib.error, gzip.BadGzipFile) as error:
            raise RowUnreadable(f"is damaged: {error}") from error
        if len(content) > most:
            raise RowUnreadable(f"is longer than {most} bytes, more than any file of contact records")
    return content.decode("utf-8-sig", "replace")


def split_records(text: str) -> Iterator[object]:
    """Return the JSON documents of a file, with or without line breaks between them, as Firehose writes them.

    :raises RowUnreadable: what follows the last one is no JSON; what came before was returned.
    """
    decoder, place = json.JSONDecoder(), 0
    while True:
        while place < len(text) and text[place].isspace():
            place += 1
        if place == len(text):
            return
        try:
            document, place = decoder.raw_decode(text, place)
        except (json.JSONDecodeError, RecursionError) as error:
            raise RowUnreadable(f"no JSON at character {place}") from error
        yield document


def read_record(document: object, now: datetime, voicemail_attribute: str = "") -> CallSoFar | None:
    """Return what a record says of a call; None: no telephone call, or one that we made.

    :param voicemail_attribute: as in `RecordingOptions`.
    :raises RowUnreadable:
    """
    try:
        record = ContactRecord.model_validate(document)
    except ValidationError as error:
        places = ", ".join(".".join(map(str, detail["loc"])) for detail in error.errors(include_input=False))
        raise RowUnreadable(f"is no contact record: {places}") from None
    if record.channel != "VOICE" or record.method not in _CUSTOMER_BEGAN | _CONTINUES:
        return None
    connected = record.agent is not None and record.agent.connected_at is not None
    recordings = recordings_of(document, voicemail_attribute) if isinstance(document, dict) else Recordings((), False)
    callee = record.queue.name if record.queue and record.queue.name else ""
    return CallSoFar(
        call_id=record.initial_id or record.contact_id,
        caller=record.customer.address if record.customer else "",
        callee=(record.system.address if record.system else "") or callee,
        started_at=record.started_at,
        ended_at=record.ended_at or record.started_at,
        answered=connected,
        seconds=min(record.agent.seconds, _MAX_SECONDS) if connected and record.agent else 0,
        cause="" if connected else record.reason or "",
        recordings=recordings.locations,
        has_voicemail=recordings.voicemail,
        is_open=record.next_id is not None,  # transferred: the record of the next contact follows
        seen_at=now,
    )
