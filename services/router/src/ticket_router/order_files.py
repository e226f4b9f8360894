"""Orders files to be fetched or scanned: a row for each, in the transaction that gives their message its ticket."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from msgspec import structs
from pydantic_core import from_json, to_json

from ticket_contracts.messages import Attachment, MessageReceived, RemoteFile
from ticket_contracts.vocabulary import FileState, MessageKind
from ticket_router.domain.conversations import Arrival
from ticket_store.tables import file_fetches
from ticket_stream.processing import Connection, Record

# The words and files of a message are not needed to say what became of a file of it.
_LEFT_OUT = frozenset(
    {"subject", "text", "quoted_text", "text_object", "html", "raw", "attachments", "files", "call", "reading_problems"}
)

_Order = tuple[int, str]
"""The number of the row among those of its message, and the JSON of `file_fetches.file`."""


async def order_files(connection: Connection, placed: Sequence[tuple[Record, Arrival]], *, scans: bool) -> None:
    """Write what is to be fetched and, with `scans`, to be scanned; most batches have nothing and cost nothing."""
    rows = [
        (
            arrival.identity,
            number,
            arrival.message.source,
            arrival.message.model_dump_json(exclude=set(_LEFT_OUT), exclude_none=True),
            order,
            record.event.correlationid or record.event.id,
        )
        for record, arrival in placed
        if _is_said(arrival.message)
        for number, order in _orders(arrival.message, scans)
    ]
    if rows:
        await connection.execute(file_fetches.ADD, *(list(column) for column in zip(*sorted(rows), strict=True)))


def awaiting_scan(record: Record, message: MessageReceived) -> Record:
    """Return the record with attachments that are `pending`, when `order_files` orders a scan of them.

    The bytes are changed and not the model, so that what a newer edge wrote and we do not know stays in them.
    """
    if not message.attachments or not _is_said(message):
        return record
    data = from_json(record.event.data)
    for attachment in data["attachments"]:
        attachment["state"] = FileState.PENDING
    return replace(record, event=structs.replace(record.event, data=to_json(data)))


def _orders(message: MessageReceived, scans: bool) -> Iterator[_Order]:
    for file in message.files:
        if file.state is FileState.PENDING:
            yield file.number, file.model_dump_json(exclude_none=True)
    if scans and message.attachments:
        # One order and one result for all: ten pictures in a signature are not ten entries of a conversation.
        first = 1 + max((file.number for file in message.files), default=-1)
        asked = [_to_scan(number, each) for number, each in enumerate(message.attachments, first)]
        yield first, to_json([each.model_dump(mode="json", exclude_none=True) for each in asked]).decode()


def _to_scan(number: int, attachment: Attachment) -> RemoteFile:
    """Return what a result repeats of an attachment: no more, for there may be a hundred in one event."""
    content = attachment.content
    return RemoteFile(
        number=number, name=attachment.name, size=content.size, danger=attachment.danger, attachment_key=content.key
    )


def _is_said(message: MessageReceived) -> bool:
    return message.kind in (MessageKind.CREATED, MessageKind.EDITED)
