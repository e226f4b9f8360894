"""WhatsApp in a fault run: one request brings what several people wrote, others what became of agents' answers."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from random import Random
from typing import Any
from uuid import UUID

import httpx

from tests.support.deployment_files import WHATSAPP, WHATSAPP_SECRET
from tests.support.ledger import InputKind, Ledger, SentMessage, SentReceipt
from tests.support.partners.signed_request import SignedRequest, deliver
from tests.support.partners.whatsapp import WhatsAppSender
from tests.support.persistence import insist, times_brought
from tests.support.stack import Stack
from ticket_contracts.vocabulary import DeliveryState

DELIVERED, READ, FAILED = DeliveryState
PEOPLE = (3, 4, 5)  # in a request, one of these
TURNS = (1, 2, 5)  # messages of each of them; each waits for the one before it, so there is time to die between
# What becomes of an answer, in the order of time.
FATES = ((), (DELIVERED,), (DELIVERED, READ), (DELIVERED, READ), (FAILED,), (FAILED, DELIVERED))
UNDELIVERABLE = {"code": 131026, "title": "Message undeliverable"}
# Receipts are dated before they are sent: a time later than receipt would not be kept as it is.
SETTLED = timedelta(minutes=1)


@dataclass(frozen=True)
class ChatPlatform:
    """The platform as one stack sees it; `name` keeps the runs on a stack apart.

    `request_begins` is set for the moment in which a request with messages goes out: the time to die is near.
    """

    stack: Stack
    ledger: Ledger
    random: Random
    name: str
    request_begins: asyncio.Event

    async def bring_messages(self, client: httpx.AsyncClient, number: int) -> None:
        """Bring all that some people wrote, what one said between what others said, with a receipt of a stranger's."""
        people = [f"{self.name}-chat-{number}-{person}" for person in range(self.random.choice(PEOPLE))]
        said = [self.ledger.message(InputKind.BATCHED, *each) for each in self._interleaved(people)]
        stranger = f"{self.name}-stranger-{number}"
        lost = self.ledger.receipt(f"wamid.{stranger}", stranger, FAILED, _past(), None)
        sender = _sender()
        request = sender.value(
            messages=[_message(sender, each) for each in said],
            statuses=[_status(sender, lost)],
            contacts=[*map(_contact, people)],
        )
        self.ledger.requests.append(said)
        await self._bring(client, request, [*said, lost])
        self.ledger.finished += people

    async def tell_receipts(self, client: httpx.AsyncClient, answer: str, conversation: str, ticket_id: UUID) -> None:
        """Tell what became of an answer, in any order, and the first of it twice."""
        fate = self.random.choice(FATES)
        told = [
            self.ledger.receipt(answer, conversation, state, _past() + timedelta(seconds=place), ticket_id)
            for place, state in enumerate(fate)
        ]
        order = [*told, *told[:1]]
        self.random.shuffle(order)
        sender = _sender()
        for receipt in order:
            request = sender.value(statuses=[_status(sender, receipt)], contacts=[_contact(conversation)])
            await self._bring(client, request, [receipt])

    def _interleaved(self, people: Sequence[str]) -> Iterator[tuple[str, str]]:
        """Yield the ids of messages with their conversations."""
        turns = {person: self.random.choice(TURNS) for person in people}
        for turn in range(max(TURNS)):
            for person in self.random.sample(people, len(people)):
                if turn < turns[person]:
                    yield f"wamid.{person}.{turn}", person

    async def _bring(self, client: httpx.AsyncClient, request: SignedRequest, sent: Sequence[SentMessage]) -> None:
        async def attempt() -> int:
            if len(sent) > 1:
                self.request_begins.set()  # wakes who waits now, and nobody later
                self.request_begins.clear()
            return (await deliver(client, f"{self.stack.webhooks}/{WHATSAPP}", request)).status_code

        for _again in range(times_brought(self.random)):
            await insist(sent, attempt)


def _message(sender: WhatsAppSender, sent: SentMessage) -> dict[str, Any]:
    text = {"body": f"chat {sent.provider_id}"}
    return sender.said(**{"from": _telephone(sent.conversation), "id": sent.provider_id, "type": "text", "text": text})


def _status(sender: WhatsAppSender, sent: SentReceipt) -> dict[str, Any]:
    errors = {"errors": [UNDELIVERABLE]} if sent.state is FAILED else {}
    return sender.status_of(
        sent.provider_id,
        sent.state,
        timestamp=str(int(sent.at.timestamp())),
        recipient_id=_telephone(sent.conversation),
        **errors,
    )


def _sender() -> WhatsAppSender:
    return WhatsAppSender(WHATSAPP_SECRET, time.time)


def _contact(conversation: str) -> dict[str, Any]:
    return {"profile": {"name": "Li Wei"}, "wa_id": _telephone(conversation)}


def _telephone(conversation: str) -> str:
    """Return a number that no other conversation has: with one person there is one."""
    return f"86{int(sha256(conversation.encode()).hexdigest(), 16) % 10**13:013}"


def _past() -> datetime:
    """Return a time in whole seconds, as WhatsApp tells it."""
    return datetime.now(UTC).replace(microsecond=0) - SETTLED
