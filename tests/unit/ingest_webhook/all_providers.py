"""Every provider in one table, for tests that hold for each of them.

A new provider adds one row to `PROVIDERS_UNDER_TEST`: the name in the registry, its secrets, and how its partner sends
in each `Way`. What only some have (tokens, options, a signed time, an answer of their own) are fields with a default.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import yaml

from tests.support.partners.freeswitch import FreeswitchSender
from tests.support.partners.instagram import InstagramSender
from tests.support.partners.line import LineSender
from tests.support.partners.messenger import MessengerSender
from tests.support.partners.meta import MetaSender
from tests.support.partners.signed_request import SignedRequest, Way
from tests.support.partners.slack import SlackSender
from tests.support.partners.standard_webhooks import StandardWebhooksSender
from tests.support.partners.telegram import TelegramSender
from tests.support.partners.whatsapp import WhatsAppSender
from tests.support.partners.x import XSender
from tests.unit.ingest_webhook.edge import (
    SHOP_SECRET,
    SLACK_SECRET,
    SWITCH_SECRET,
    now_seconds,
    shop_sender,
    slack_sender,
    switch_sender,
)

Requests = Callable[[Way], SignedRequest]
"""How one sender sends a message in each way; it keeps what it sent last, for `Way.REPEATED`."""

META_SECRET = "4f3b0a1c9de84e6f8a7b2c5d1e0f9a8b"
META_TOKEN = MetaSender.verify_token
TELEGRAM_SECRET = "d2a5f0c8b1e94763a0f7c3d95be81246"
# Of the vector that X's developer relations published.
X_SECRET = "z3ZX4v7mAAUGykl3EcmkqbartmuW8VFOOzCloLx9Q45P0hLrFu"
LINE_SECRET = "8c570fa6dd201bb328f1c1eac23a96d8"


@dataclass(frozen=True)
class ProviderUnderTest:
    """One row. `requests` makes a fresh sender; `sign` lets it send any body, for what nobody would send."""

    provider: str
    secrets: Sequence[str]
    requests: Callable[[], Requests]
    sign: Callable[[bytes], SignedRequest] | None = None
    tokens: Sequence[str] = ()
    options: Mapping[str, object] = field(default_factory=dict)
    signs_time: bool = False
    """Whether a request can be stale."""
    has_own_answer: bool = False
    """Whether the provider reads something in our 200."""
    others: Callable[[], Sequence[SignedRequest]] | None = None
    """Good requests of other shapes (edits, comments), for tests that change them at random."""

    def __str__(self) -> str:
        return self.provider

    @property
    def sources(self) -> str:
        """A sources file with this provider as its only source."""
        source: dict[str, Any] = {"name": self.provider, "provider": self.provider, "brand": "acme"}
        source |= {"account": self.provider}
        source |= {"secrets": _literal(self.secrets), "tokens": _literal(self.tokens), "options": dict(self.options)}
        return yaml.safe_dump({"sources": [source]})

    def documents(self) -> list[Any]:
        """The JSON of good requests, fit to be changed and signed again; none where a body is something else."""
        requests = (self.requests()(Way.GOOD), *(self.others() if self.others else ()))
        return [json.loads(request.body) for request in requests if request.body.startswith(b"{")]


def _literal(secrets: Sequence[str]) -> list[dict[str, str]]:
    return [{"value": secret} for secret in secrets]


def _shop() -> Requests:
    sender = shop_sender()
    return lambda way: sender.message("Where is my parcel?", way)


def _slack() -> Requests:
    sender = slack_sender()
    return lambda way: sender.message("Where is my parcel?", way)


def _switch() -> Requests:
    return switch_sender().call


def _sign_as_switch(body: bytes) -> SignedRequest:
    return replace(switch_sender().call(), body=body)


def _messenger() -> MessengerSender:
    return MessengerSender(META_SECRET, now_seconds)


def _instagram() -> InstagramSender:
    return InstagramSender(META_SECRET, now_seconds)


def _whatsapp() -> WhatsAppSender:
    return WhatsAppSender(META_SECRET, now_seconds)


def _line() -> LineSender:
    return LineSender(LINE_SECRET, now_seconds)


def _telegram() -> TelegramSender:
    return TelegramSender(TELEGRAM_SECRET, now_seconds)


def _x() -> XSender:
    return XSender(X_SECRET, now_seconds)


def _messenger_others() -> Sequence[SignedRequest]:
    sender = _messenger()
    edit = {"message_edit": {"mid": "m_1", "text": "changed", "num_edit": 1}}
    file = {"type": "image", "payload": {"url": "https://a.example/1", "title": "1"}}
    return (
        sender.events(edit, {"postback": {"title": "Yes"}}, {"read": {}}, channel="standby"),
        sender.message("see", attachments=[file]),
        sender.comment("edited", "changed"),
    )


def _instagram_others() -> Sequence[SignedRequest]:
    sender = _instagram()
    return sender.comment("Mine broke", parent_id="1792"), sender.comment("Mine broke", own_login=True)


def _whatsapp_others() -> Sequence[SignedRequest]:
    sender = _whatsapp()
    edit = {"original_message_id": "wamid.1", "message": {"type": "image", "image": {"id": "1", "caption": "see"}}}
    said = [
        sender.said(type="edit", edit=edit),
        sender.said(type="revoke", revoke={"original_message_id": "wamid.1"}, from_user_id="CN.42"),
        sender.said(type="location", location={"latitude": 1, "longitude": 2}),
        sender.said(type="contacts", contacts=[{"name": {"formatted_name": "Wang"}, "phones": [{"phone": "1"}]}]),
        sender.said(type="interactive", interactive={"button_reply": {"title": "Yes"}}),
        sender.said(type="order", order={"product_items": [{"product_retailer_id": "X1", "quantity": 2}]}),
        sender.said(type="unsupported", errors=[{"title": "unknown", "error_data": {"details": "x"}}]),
    ]
    return (sender.value(messages=said, statuses=[{"id": "wamid.1", "status": "read"}]),)


def _line_others() -> Sequence[SignedRequest]:
    sender = _line()
    image = {"id": "1", "type": "image", "contentProvider": {"type": "line"}}
    said = [
        sender.event("messageEdited", message={"id": "1", "type": "text", "text": "changed"}),
        sender.event("unsend", unsend={"messageId": "1"}, source={"type": "group", "groupId": "C1"}),
        sender.event("message", message=image),
        sender.event("message", message={"id": "2", "type": "location", "latitude": 1, "longitude": 2}),
    ]
    return (sender.notification(said),)


def _telegram_others() -> Sequence[SignedRequest]:
    sender = _telegram()
    photo = [{"file_id": "1", "file_size": 2}]
    deletion = {"business_connection_id": "bc-1", "chat": {"id": 1}, "message_ids": [1]}
    return (
        sender.update(edited_business_message=sender.said("changed", business_connection_id="bc-1", edit_date=1)),
        sender.message("", text=None, photo=photo, poll={"question": "?", "options": [{"text": "no"}]}),
        sender.update(deleted_business_messages=deletion),
    )


def _x_others() -> Sequence[SignedRequest]:
    sender = _x()
    deletion = {"status": {"id": "1", "user_id": "2"}, "timestamp_ms": "1763899200000"}
    return (
        sender.older(tweet_create_events=[sender.older_post("@aurora broke")], tweet_delete_events=[deletion]),
        sender.newer("post.mention.create", sender.newer_post("@aurora broke")),
        sender.newer("dm.received", sender.direct("hello")),
        sender.newer("chat.received", {"id": "1", "sender_id": "2", "created_at_msec": 1}),
    )


class _Sender(Protocol):
    def message(self, text: str, /, way: Way) -> SignedRequest: ...


def _asks(sender: _Sender) -> Requests:
    return lambda way: sender.message("Where is my parcel? 我的包裹呢？", way)


PROVIDERS_UNDER_TEST = (
    ProviderUnderTest(
        "standard-webhooks",
        (SHOP_SECRET, StandardWebhooksSender.next_secret),
        _shop,
        lambda body: shop_sender().sign("msg_1", body, Way.GOOD),
        signs_time=True,
    ),
    ProviderUnderTest(
        "slack",
        (SLACK_SECRET, SlackSender.next_secret),
        _slack,
        lambda body: slack_sender().sign(body, Way.GOOD),
        signs_time=True,
    ),
    ProviderUnderTest("freeswitch", (SWITCH_SECRET, FreeswitchSender.next_credentials), _switch, _sign_as_switch),
    ProviderUnderTest(
        "messenger",
        (META_SECRET, MetaSender.next_secret),
        lambda: _asks(_messenger()),
        _messenger().sign,
        tokens=(META_TOKEN,),
        others=_messenger_others,
    ),
    ProviderUnderTest(
        "instagram",
        (META_SECRET, MetaSender.next_secret),
        lambda: _asks(_instagram()),
        _instagram().sign,
        tokens=(META_TOKEN,),
        others=_instagram_others,
    ),
    ProviderUnderTest(
        "whatsapp",
        (META_SECRET, MetaSender.next_secret),
        lambda: _asks(_whatsapp()),
        _whatsapp().sign,
        tokens=(META_TOKEN,),
        others=_whatsapp_others,
    ),
    ProviderUnderTest(
        "line", (LINE_SECRET, LineSender.next_secret), lambda: _asks(_line()), _line().sign, others=_line_others
    ),
    ProviderUnderTest(
        "telegram",
        (TELEGRAM_SECRET, TelegramSender.next_secret),
        lambda: _asks(_telegram()),
        _telegram().sign,
        others=_telegram_others,
    ),
    ProviderUnderTest("x", (X_SECRET, XSender.next_secret), lambda: _asks(_x()), _x().sign, others=_x_others),
)
