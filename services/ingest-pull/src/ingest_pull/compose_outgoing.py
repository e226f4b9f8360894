"""From messages as a source understood them to events that a job hands over."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from service_kit.tracing import new_trace
from ticket_contracts.topics import MESSAGES
from ticket_intake.compose_event import Store, compose_event, compose_message, event_key, store_parts
from ticket_intake.incoming import IncomingMessage
from ticket_stream.leased_jobs import Outgoing


@dataclass(frozen=True, slots=True)
class PullSource:
    """What stands in the sources file about a source, whatever its kind."""

    name: str
    brand: str
    account: str
    time_trusted: bool

    @property
    def event_source(self) -> str:
        return f"/firebreak/ingest-pull/{self.name}"


@dataclass(frozen=True, slots=True)
class Composer:
    """One per process; `new_id` makes UUIDv7, `now` is our clock: it says when a message was received."""

    store: Store
    new_id: Callable[[], str]
    now: Callable[[], datetime]

    async def compose(self, source: PullSource, messages: Sequence[IncomingMessage]) -> list[Outgoing]:
        """Store what is long or a file, and return the events in the order of the messages.

        :raises StorageUnavailable: the job tries again.
        """
        outgoing = []
        for message in messages:
            parts = await store_parts(message, self.store)
            payload = compose_message(message, source, self.new_id(), self.now(), parts)
            key = event_key(payload)
            event = compose_event(payload, source, key, new_trace().traceparent)
            outgoing.append(Outgoing(MESSAGES, key, event))
            await asyncio.sleep(0)  # one object may hold a hundred thousand calls: leases are renewed meanwhile
        return outgoing
