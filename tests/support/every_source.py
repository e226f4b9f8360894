"""One source of every webhook provider, and who speaks to it: the table that the journey of all channels walks."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import yaml
from uuid_utils.compat import uuid7

from tests.support.deployment_files import BRAND
from tests.support.partners.aircall import AircallSender
from tests.support.partners.dialpad import DialpadSender
from tests.support.partners.dingtalk import DingtalkSender
from tests.support.partners.douyin import DouyinSender
from tests.support.partners.feishu import FeishuSender
from tests.support.partners.freeswitch import FreeswitchSender
from tests.support.partners.github import GitHubSender
from tests.support.partners.hmac_system import OPTIONS, HmacSystem
from tests.support.partners.instagram import InstagramSender
from tests.support.partners.line import LineSender
from tests.support.partners.messenger import MessengerSender
from tests.support.partners.meta import MetaSender
from tests.support.partners.signed_request import SignedRequest, Way
from tests.support.partners.slack import SlackSender
from tests.support.partners.standard_webhooks import StandardWebhooksSender, whsec
from tests.support.partners.telegram import TelegramSender
from tests.support.partners.twilio import TwilioSender
from tests.support.partners.web_form import WebFormSender
from tests.support.partners.wechat_official import WechatOfficialSender
from tests.support.partners.wecom import WecomSender
from tests.support.partners.weibo import WeiboSender
from tests.support.partners.whatsapp import WhatsAppSender
from tests.support.partners.x import XSender

Clock = Callable[[], float]
"""Gives Unix seconds."""
Requests = Callable[[Way], SignedRequest]
"""How one sender sends in each way; it keeps what it sent last, for `Way.REPEATED`."""

WORDS = "我的包裹呢？ Where is my parcel?"

CALLBACK = "QDG6eK:jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"
SHOP = whsec(b"the-secret-of-the-shop-in-tests!")
FORM = "a-random-text-that-signs-tokens-of-the-form"
DESK = "the-secret-of-the-desk"
GITHUB = "the-secret-of-the-webhook-at-github"
FEISHU = "kudryavka0123456789abcdefEncrypt:v7Kz2mQ9LrTp4XsW8yBn1cJd6fGh3aEu"
HEX_32 = "0123456789abcdef0123456789abcdef"
PUBLIC = "https://support.example.com/webhooks"


@dataclass(frozen=True)
class Speaker:
    """`partner` is the sender behind it: who speaks, and where, are its attributes."""

    partner: Any
    speak: Requests

    def __call__(self, way: Way) -> SignedRequest:
        return self.speak(way)


@dataclass(frozen=True)
class SpokenSource:
    """One source. `sender` makes somebody who speaks, `ask` the provider's question whether the address is ours."""

    provider: str
    secrets: Sequence[str]
    sender: Callable[[Clock], Speaker]
    options: Mapping[str, object] = field(default_factory=dict)
    tokens: Sequence[str] = ()
    ask: Callable[[Clock], SignedRequest] | None = None
    signs_time: bool = True

    def __str__(self) -> str:
        return self.provider

    def sends(self, way: Way) -> bool:
        """Whether this provider can be wrong in this way: what signs no time is never stale."""
        return self.signs_time or way is not Way.STALE

    @property
    def entry(self) -> dict[str, Any]:
        """The source as the sources file has it; its name is its provider's."""
        return {
            "name": self.provider,
            "provider": self.provider,
            "brand": BRAND,
            "account": f"{self.provider}-account",
            "secrets": [{"value": secret} for secret in self.secrets],
            "tokens": [{"value": token} for token in self.tokens],
            "options": dict(self.options),
        }


def _shop(now: Clock) -> Speaker:
    sender = StandardWebhooksSender(SHOP, now, name=str(uuid7()))
    return Speaker(sender, partial(sender.message, WORDS))


def _hmac(now: Clock) -> Speaker:
    sender = HmacSystem(DESK, now)
    return Speaker(sender, partial(sender.note, WORDS))


def _github(_: Clock) -> Speaker:
    sender = GitHubSender(GITHUB)
    return Speaker(sender, partial(sender.comment, WORDS))


def _sms(_: Clock) -> Speaker:
    sender = TwilioSender(HEX_32, f"{PUBLIC}/twilio-sms")
    return Speaker(sender, partial(sender.sms, WORDS))


def _form(now: Clock) -> Speaker:
    sender = WebFormSender(FORM, now)
    return Speaker(sender, partial(sender.submit, WORDS))


def _saying(make: Callable[[Clock], Any]) -> Callable[[Clock], Speaker]:
    """Of a partner whose `message` takes a text and a way."""

    def sender(now: Clock) -> Speaker:
        partner = make(now)
        return Speaker(partner, partial(partner.message, WORDS))

    return sender


def _calling(make: Callable[[Clock], Any]) -> Callable[[Clock], Speaker]:
    """Of a telephone system, whose `call` takes a way."""

    def sender(now: Clock) -> Speaker:
        partner = make(now)
        return Speaker(partner, partner.call)

    return sender


def _meta(provider: str, partner: type[MetaSender]) -> SpokenSource:
    return SpokenSource(
        provider,
        (HEX_32, MetaSender.next_secret),
        _saying(lambda now: partner(HEX_32, now)),
        tokens=(MetaSender.verify_token,),
        ask=lambda now: partner(HEX_32, now).ask(),
        signs_time=False,
    )


EVERY_SOURCE: tuple[SpokenSource, ...] = (
    SpokenSource("standard-webhooks", (SHOP, StandardWebhooksSender.next_secret), _shop),
    SpokenSource(
        "slack",
        (HEX_32, SlackSender.next_secret),
        _saying(lambda now: SlackSender(HEX_32, now)),
        ask=lambda now: SlackSender(HEX_32, now).notification({"type": "url_verification", "challenge": "c"}),
    ),
    SpokenSource(
        "freeswitch",
        ("switch:s3cret", FreeswitchSender.next_credentials),
        _calling(lambda now: FreeswitchSender("switch:s3cret", now, uuid7)),
        signs_time=False,
    ),
    _meta("messenger", MessengerSender),
    _meta("instagram", InstagramSender),
    _meta("whatsapp", WhatsAppSender),
    SpokenSource(
        "line",
        (HEX_32, LineSender.next_secret),
        _saying(lambda now: LineSender(HEX_32, now)),
        ask=lambda now: LineSender(HEX_32, now).notification([]),
        signs_time=False,
    ),
    SpokenSource(
        "telegram",
        (HEX_32, TelegramSender.next_secret),
        _saying(lambda now: TelegramSender(HEX_32, now)),
        signs_time=False,
    ),
    SpokenSource(
        "x",
        (HEX_32, XSender.next_secret),
        _saying(lambda now: XSender(HEX_32, now)),
        ask=lambda now: XSender(HEX_32, now).check(),
        signs_time=False,
    ),
    SpokenSource(
        "twilio-sms",
        (HEX_32, TwilioSender.next_token),
        _sms,
        options={"public_url": f"{PUBLIC}/twilio-sms"},
        signs_time=False,
    ),
    SpokenSource(
        "twilio-voice",
        (HEX_32, TwilioSender.next_token),
        _calling(lambda _: TwilioSender(HEX_32, f"{PUBLIC}/twilio-voice")),
        options={"public_url": f"{PUBLIC}/twilio-voice"},
        signs_time=False,
    ),
    SpokenSource(
        "aircall",
        (HEX_32, AircallSender.next_token),
        _calling(lambda now: AircallSender(HEX_32, now)),
        signs_time=False,
    ),
    SpokenSource(
        "dialpad",
        (HEX_32, DialpadSender.next_secret),
        _calling(lambda now: DialpadSender(HEX_32, now)),
        signs_time=False,
    ),
    SpokenSource("hmac", (DESK, HmacSystem.next_secret), _hmac, options=yaml.safe_load(OPTIONS)),
    SpokenSource("github", (GITHUB, GitHubSender.next_secret), _github, signs_time=False),
    SpokenSource(
        "web-form",
        (FORM, WebFormSender.next_secret),
        _form,
        options={"form": "contact", "origins": [WebFormSender.origin]},
        ask=lambda now: WebFormSender(FORM, now).ask_for_token(),
    ),
    SpokenSource(
        "wecom",
        (CALLBACK, WecomSender.next_secret),
        _saying(lambda now: WecomSender(CALLBACK, now)),
        options={"receiver_id": WecomSender.receiver_id},
        ask=lambda now: WecomSender(CALLBACK, now).challenge(b"1616140317555161061"),
    ),
    SpokenSource(
        "wechat-official",
        (CALLBACK, WechatOfficialSender.next_secret),
        _saying(lambda now: WechatOfficialSender(CALLBACK, now)),
        options={"receiver_id": WechatOfficialSender.receiver_id},
        ask=lambda now: WechatOfficialSender(CALLBACK, now).challenge("3857493857"),
    ),
    SpokenSource(
        "dingtalk",
        (DingtalkSender.callback, HEX_32, DingtalkSender.next_secret),
        _saying(lambda now: DingtalkSender(HEX_32, now)),
        options={"receiver_id": DingtalkSender.receiver_id},
    ),
    SpokenSource(
        "feishu",
        (FEISHU, FeishuSender.next_secret),
        _saying(lambda now: FeishuSender(FEISHU, now)),
        ask=lambda now: FeishuSender(FEISHU, now).verification("ajls384kdj"),
    ),
    SpokenSource(
        "douyin",
        (HEX_32, DouyinSender.next_secret),
        _saying(lambda now: DouyinSender(HEX_32, now)),
        options={"own_open_ids": [DouyinSender.account]},
        ask=lambda now: DouyinSender(HEX_32, now).event("verify_webhook", {"challenge": 7}),
        signs_time=False,
    ),
    SpokenSource(
        "weibo",
        (HEX_32, WeiboSender.next_secret),
        _saying(lambda now: WeiboSender(HEX_32, now)),
        options={"receiver_id": WeiboSender.account},
        ask=lambda now: WeiboSender(HEX_32, now).challenge("3857493857"),
    ),
)


def sources_file() -> str:
    """The sources file of all of them."""
    return yaml.safe_dump({"sources": [source.entry for source in EVERY_SOURCE]}, allow_unicode=True)
