"""Keeps what became of messages of ours, for whoever reads the conversation."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from ticket_contracts.messages import Delivery, MessageReceived
from ticket_router.domain.conversations import thread_keys
from ticket_store.tables import delivery_receipts
from ticket_stream.processing import Connection

CLOCKS_APART = timedelta(minutes=5)
"""How far a platform's clock may be ahead: a time beyond would hold for answers that are yet to be written."""


async def record_receipts(connection: Connection, messages: Iterable[MessageReceived]) -> None:
    """Write the receipts among the messages; a batch without one costs nothing."""
    told = [(message, message.delivery) for message in messages if message.delivery is not None]
    named = [_receipt(message, delivery) for message, delivery in told if message.provider_id]
    if named:
        await connection.execute(delivery_receipts.ADD_RECEIPTS, *_columns(named))
    until = [_watermark(message, delivery, delivery.up_to) for message, delivery in told if delivery.up_to is not None]
    if until:
        await connection.execute(delivery_receipts.ADD_WATERMARKS, *_columns(until))


def _receipt(message: MessageReceived, delivery: Delivery) -> tuple[object, ...]:
    return (
        message.brand,
        delivery_receipts.provider_hash(message.provider_id),
        message.account,
        thread_keys(message)[0],
        delivery.state,
        _time(message),
        delivery.up_to,
        delivery.reason,
    )


def _watermark(message: MessageReceived, delivery: Delivery, up_to: datetime) -> tuple[object, ...]:
    until = up_to if up_to - message.received_at <= CLOCKS_APART else message.received_at
    return thread_keys(message)[0], delivery.state, until, _time(message)


def _time(message: MessageReceived) -> datetime:
    """The platform's own, as it is shown and starts no clock; never later than receipt."""
    return min(message.sent_at or message.received_at, message.received_at)


def _columns(rows: Iterable[tuple[object, ...]]) -> list[list[object]]:
    return [list(column) for column in zip(*rows, strict=True)]
