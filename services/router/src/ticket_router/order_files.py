"""Orders the files that a provider keeps: a row for each, in the transaction that gives their message its ticket."""

from collections.abc import Sequence

from ticket_contracts.messages import MessageReceived
from ticket_contracts.vocabulary import FileState, MessageKind
from ticket_router.domain.conversations import Arrival
from ticket_store.tables import file_fetches
from ticket_stream.processing import Connection, Record

# The words and files of a message are not needed to say what became of a file of it.
_LEFT_OUT = frozenset(
    {"subject", "text", "quoted_text", "text_object", "html", "raw", "attachments", "files", "call", "reading_problems"}
)


async def order_files(connection: Connection, placed: Sequence[tuple[Record, Arrival]]) -> None:
    """Write what is to be fetched; most batches have nothing and cost nothing."""
    rows = [
        (
            arrival.identity,
            file.number,
            arrival.message.source,
            arrival.message.model_dump_json(exclude=set(_LEFT_OUT), exclude_none=True),
            file.model_dump_json(exclude_none=True),
            record.event.correlationid or record.event.id,
        )
        for record, arrival in placed
        if arrival.message.files and _is_said(arrival.message)
        for file in arrival.message.files
        if file.state is FileState.PENDING
    ]
    if rows:
        await connection.execute(file_fetches.ADD, *(list(column) for column in zip(*sorted(rows), strict=True)))


def _is_said(message: MessageReceived) -> bool:
    return message.kind in (MessageKind.CREATED, MessageKind.EDITED)
