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
    read = list(items)
    messages = tuple(item for item in read if isinstance(item, IncomingMessage))
    if messages:
        return Messages(messages)
    return Ignored(next((item for item in read if isinstance(item, IgnoreReason)), IgnoreReason.UNKNOWN_TYPE))
