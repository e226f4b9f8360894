"""Customers of a fault run: they write once or several times, and some of their messages are delivered again."""

import time
from dataclasses import dataclass
from random import Random

import httpx

from tests.support.deployment_files import SHOP, SHOP_SECRET, SUPPORT_ADDRESS
from tests.support.ledger import InputKind, Ledger
from tests.support.partners.mail_sender import mail_sender, write_mail
from tests.support.partners.signed_request import SignedRequest, Way, deliver
from tests.support.partners.standard_webhooks import StandardWebhooksSender
from tests.support.persistence import insist, times_brought
from tests.support.stack import Stack

TURNS = (1, 1, 1, 2, 4)  # messages of a conversation, one of these
PEOPLE = 97  # so that conversations share contacts, and the router's transactions meet on their rows


@dataclass(frozen=True)
class Customers:
    """Everybody who writes to one stack; `name` keeps the runs on a stack apart."""

    stack: Stack
    ledger: Ledger
    random: Random
    name: str

    async def write_to_the_shop(self, client: httpx.AsyncClient, number: int) -> None:
        """One conversation by webhook, from the first message to the last."""
        conversation = f"{self.name}-shop-{number}"
        sender = StandardWebhooksSender(SHOP_SECRET, time.time, name=conversation)
        for turn in range(self.random.choice(TURNS)):
            provider_id = f"{conversation}-{turn}"
            person = {"kind": "email", "id": f"customer{number % PEOPLE}@example.com", "name": "Li Wei"}
            text = f"message {turn} of {conversation}"
            first = sender.message(text, sender=person, id=provider_id, conversation_id=conversation)
            await self._deliver(client, sender, first, provider_id, conversation)
        self.ledger.finished.append(conversation)

    async def write_mails(self, _: httpx.AsyncClient, number: int) -> None:
        """One thread of mails, each later one an answer to those before."""
        conversation = f"{self.name}-mail-{number}"
        writer = f"mail{number % PEOPLE}@example.net"
        ids: list[str] = []
        for turn in range(self.random.choice(TURNS)):
            message_id = f"<{conversation}.{turn}@example.net>"
            references = [("In-Reply-To", ids[-1]), ("References", " ".join(ids))] if ids else []
            subject, text = f"About {conversation}", f"mail {turn} of {conversation}\n"
            raw = write_mail(writer, SUPPORT_ADDRESS, subject, text, message_id=message_id, headers=references)
            sent = self.ledger.message(InputKind.MAIL, message_id, conversation)

            async def attempt(raw: bytes = raw) -> int:
                return await hand_over(self.stack.smtp, writer, raw)

            for _again in range(times_brought(self.random)):
                await insist([sent], attempt)
            ids.append(message_id)
        self.ledger.finished.append(conversation)

    async def _deliver(
        self,
        client: httpx.AsyncClient,
        sender: StandardWebhooksSender,
        first: SignedRequest,
        provider_id: str,
        conversation: str,
    ) -> None:
        sent = self.ledger.message(InputKind.WEBHOOK, provider_id, conversation)

        async def attempt() -> int:
            # A repetition has the same id and body, signed anew with the present time.
            request = first if sent.attempts == 1 else sender.message("", Way.REPEATED)
            return (await deliver(client, f"{self.stack.webhooks}/{SHOP}", request)).status_code

        for _again in range(times_brought(self.random)):
            await insist([sent], attempt)


async def hand_over(address: tuple[str, int], writer: str, raw: bytes) -> int:
    """Deliver one mail and return the answer as HTTP would say it: SMTP's 4xx is the temporary refusal, 5xx is not."""
    async with mail_sender(*address) as session:
        reply = await session.send(raw, writer, [SUPPORT_ADDRESS])
    if reply.code >= 500:
        return 400
    return 503 if reply.code >= 400 else reply.code
