"""One request with many events: what was said in it, in its order, or why nothing was."""

from collections.abc import Iterable
from typing import TypeAlias

from ingest_webhook.provider import Ignored, Messages, Reading
from ingest_webhook.rejections import IgnoreReason
from ticket_intake.incoming import IncomingMessage

Item: TypeAlias = IncomingMessage | IgnoreReason
"""What one event of a batch is."""


def read_batch(items: Iterable[Item]) -> Reading:
    """Return the messages; a batch without one is ignored for the reason of its first event."""
    messages: list[IncomingMessage] = []
    reason = None
    for item in items:
        if isinstance(item, IncomingMessage):
            messages.append(item)
        elif reason is None:
            reason = item
    if messages:
        return Messages(tuple(messages))
    return Ignored(reason or IgnoreReason.UNKNOWN_TYPE)
