"""What one customer says on each channel, and how the provider hands it to us, for journeys."""

from collections.abc import Callable
from uuid import uuid4

import httpx

from tests.support.deployment_files import (
    SHOP,
    SHOP_SECRET,
    SLACK,
    SLACK_SECRET,
    SUPPORT_ADDRESS,
    TELEPHONE,
    TELEPHONE_SECRET,
)
from tests.support.partners.freeswitch import FreeswitchSender
from tests.support.partners.mail_sender import Reply, mail_sender, write_mail
from tests.support.partners.signed_request import SignedRequest, deliver
from tests.support.partners.slack import SlackSender
from tests.support.partners.standard_webhooks import StandardWebhooksSender
from tests.support.stack import Stack

ADDRESS = "li.wei@example.com"


class ChannelsIn:
    """The channels of a stack; each provider is a partner that signs as the real one does."""

    def __init__(self, stack: Stack, client: httpx.AsyncClient, now: Callable[[], float]) -> None:
        self._stack = stack
        self._client = client
        self.shop = StandardWebhooksSender(SHOP_SECRET, now, name=uuid4().hex)
        self.slack = SlackSender(SLACK_SECRET, now)
        self.telephone = FreeswitchSender(TELEPHONE_SECRET, now, uuid4)

    async def through_shop(self, request: SignedRequest) -> httpx.Response:
        """Deliver a webhook of the shop."""
        return await deliver(self._client, f"{self._stack.webhooks}/{SHOP}", request)

    async def through_slack(self, request: SignedRequest) -> httpx.Response:
        """Deliver an event of Slack."""
        return await deliver(self._client, f"{self._stack.webhooks}/{SLACK}", request)

    async def through_telephone(self, request: SignedRequest) -> httpx.Response:
        """Deliver a call record."""
        return await deliver(self._client, f"{self._stack.webhooks}/{TELEPHONE}", request)

    async def through_mail(
        self, subject: str, text: str, message_id: str, headers: tuple[tuple[str, str], ...] = ()
    ) -> Reply:
        """Send a mail to support."""
        raw = write_mail(
            f"Li Wei 李伟 <{ADDRESS}>", SUPPORT_ADDRESS, subject, text, message_id=message_id, headers=headers
        )
        async with mail_sender(*self._stack.smtp) as connection:
            return await connection.send(raw, ADDRESS, [SUPPORT_ADDRESS])


def new_message_id() -> str:
    """Return a Message-ID as a customer's mail program makes it."""
    return f"<{uuid4().hex}@mail.example.com>"


def unique(words: str) -> str:
    """Return a subject that no other test uses."""
    return f"{words} {uuid4().hex[:8]}"
