"""The message event that tells what became of files: kind `attachment`, with the provider id of their message."""

from datetime import datetime
from hashlib import sha256
from uuid import UUID

from ingest_files.leased_orders import Order
from ticket_contracts.envelope import Event
from ticket_contracts.messages import MessageReceived, RemoteFile
from ticket_contracts.vocabulary import MessageKind


def compose_result(order: Order, files: tuple[RemoteFile, ...], message_id: str, now: datetime) -> tuple[str, Event]:
    """Return the record key, the one of the message, and the event. Told twice it has the same identity."""
    original = order.message
    # State and content do not matter: whichever of two tellings comes first stands.
    parts = (original.account, original.provider_id, MessageKind.ATTACHMENT, f"{original.identity}/{order.number}")
    told = original.model_copy(
        update={
            "message_id": UUID(message_id),
            "identity": sha256("\0".join(parts).encode()).hexdigest(),
            "kind": MessageKind.ATTACHMENT,
            "files": files,
            "recipients": (),  # a hundred long names beside a hundred files would not fit one event
            "received_at": now,
            "sent_at": None,
            "time_trusted": False,
            "may_auto_answer": False,
        }
    )
    key = f"{original.brand}|{original.account}|{original.conversation.key}"
    event = Event(
        id=message_id,
        source=f"/firebreak/ingest-files/{original.source}",
        type=MessageReceived.event_type,
        time=now,
        data=told.encode(),
        subject=message_id,
        partitionkey=key,
        correlationid=order.correlation_id,
        causationid=str(original.message_id),
    )
    return key, event
