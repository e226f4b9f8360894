"""One source of every webhook provider, and who speaks to it: the table that the journey of all channels walks."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import yaml
from uuid_utils.compat import uuid7

from ingest_webhook.providers.registry import REPEATING
from tests.support.deployment_files import BRAND, WHATSAPP_SECRET
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

ANSWERS: Mapping[Way, int] = {
    Way.GOOD: 200,
    Way.REPEATED: 200,
    Way.ROTATED: 200,
    Way.FORGED: 401,
    Way.STALE: 401,
    Way.OVERSIZED: 413,
    Way.MALFORMED: 400,
    Way.UNKNOWN_TYPE: 200,
}
"""What is answered to each way."""

WORDS = "我的包裹呢？ Where is my parcel?"

SHOP_SECRET = whsec(b"the-secret-of-the-shop-in-tests!")
SLACK_SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
SWITCH_SECRET = "switch:s3cret"
META_SECRET, META_TOKEN = WHATSAPP_SECRET, MetaSender.verify_token
LINE_SECRET = "8c570fa6dd201bb328f1c1eac23a96d8"
TELEGRAM_SECRET = "d2a5f0c8b1e94763a0f7c3d95be81246"
X_SECRET = "z3ZX4v7mAAUGykl3EcmkqbartmuW8VFOOzCloLx9Q45P0hLrFu"  # of the vector that X's developer relations published
TWILIO_TOKEN = "1f2e3d4c5b6a79808897a6b5c4d3e2f1"
AIRCALL_TOKEN = "45f0c1d2a08b4f0b9f1a2c3d4e5f6071"
DIALPAD_SECRET = "the-secret-of-the-webhook"
DESK_SECRET = "the-secret-of-the-desk"
GITHUB_SECRET = "the-secret-of-the-webhook-at-github"
FORM_SECRET = "a-random-text-that-signs-tokens-of-the-form"
WECOM_SECRET = "QDG6eK:jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"
WECHAT_SECRET = "pamtest:abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
ROBOT_SECRET = "xQ_3kL9-AppSecretOfTheRobotInTheServiceGroup"
FEISHU_SECRET = "kudryavka0123456789abcdefEncrypt:v7Kz2mQ9LrTp4XsW8yBn1cJd6fGh3aEu"
DOUYIN_SECRET = "4f0c8a7d6e5b4c3d2a1f0e9d8c7b6a5f"
WEIBO_SECRET = "0123456789abcdef0123456789abcdef"
TELLING_RECEIPTS = frozenset({"messenger", "instagram", "whatsapp", "x", "twilio-sms", "wechat-official", "feishu"})
"""Providers that name the message of ours which arrived, was read or failed."""

PUBLIC = "https://support.example.com/webhooks"

TWIML = b'<?xml version="1.0" encoding="UTF-8"?><Response/>'


@dataclass(frozen=True)
class Speaker:
    """`partner` is the sender behind it: who speaks, and where, are its attributes."""

    partner: Any
    speak: Requests

    def __call__(self, way: Way) -> SignedRequest:
        return self.speak(way)


@dataclass(frozen=True)
class SpokenSource:
    """One source. `sender` makes somebody who speaks, `ask` the provider's question whether the address is ours.

    `answer` is the body of a 200 to a message or to what is ignored; None: it is sealed anew each time.
    """

    provider: str
    secrets: Sequence[str]
    sender: Callable[[Clock], Speaker]
    options: Mapping[str, object] = field(default_factory=dict)
    tokens: Sequence[str] = ()
    ask: Callable[[Clock], SignedRequest] | None = None
    signs_time: bool = True
    answer: bytes | None = b""

    def __str__(self) -> str:
        return self.provider

    def receipt(self, now: Clock, message_id: str) -> SignedRequest | None:
        """What became of a message of ours, where the provider tells it by the message's id."""
        partner = self.sender(now).partner
        return partner.receipt(message_id) if self.provider in TELLING_RECEIPTS else None

    @property
    def answers(self) -> Mapping[Way, int]:
        return ANSWERS

    @property
    def repeats(self) -> bool:
        """Whether the provider brings again what was not taken."""
        return self.provider in REPEATING

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
    sender = StandardWebhooksSender(SHOP_SECRET, now, name=str(uuid7()))
    return Speaker(sender, partial(sender.message, WORDS))


def _hmac(now: Clock) -> Speaker:
    sender = HmacSystem(DESK_SECRET, now)
    return Speaker(sender, partial(sender.note, WORDS))


def _github(_: Clock) -> Speaker:
    sender = GitHubSender(GITHUB_SECRET)
    return Speaker(sender, partial(sender.comment, WORDS))


def _sms(_: Clock) -> Speaker:
    sender = TwilioSender(TWILIO_TOKEN, f"{PUBLIC}/twilio-sms")
    return Speaker(sender, partial(sender.sms, WORDS))


def _form(now: Clock) -> Speaker:
    sender = WebFormSender(FORM_SECRET, now)
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
        (META_SECRET, MetaSender.next_secret),
        _saying(lambda now: partner(META_SECRET, now)),
        tokens=(META_TOKEN,),
        ask=lambda now: partner(META_SECRET, now).ask(),
        signs_time=False,
    )


EVERY_SOURCE: tuple[SpokenSource, ...] = (
    SpokenSource("standard-webhooks", (SHOP_SECRET, StandardWebhooksSender.next_secret), _shop),
    SpokenSource(
        "slack",
        (SLACK_SECRET, SlackSender.next_secret),
        _saying(lambda now: SlackSender(SLACK_SECRET, now)),
        ask=lambda now: SlackSender(SLACK_SECRET, now).notification({"type": "url_verification", "challenge": "c"}),
    ),
    SpokenSource(
        "freeswitch",
        (SWITCH_SECRET, FreeswitchSender.next_credentials),
        _calling(lambda now: FreeswitchSender(SWITCH_SECRET, now, uuid7)),
        signs_time=False,
    ),
    _meta("messenger", MessengerSender),
    _meta("instagram", InstagramSender),
    _meta("whatsapp", WhatsAppSender),
    SpokenSource(
        "line",
        (LINE_SECRET, LineSender.next_secret),
        _saying(lambda now: LineSender(LINE_SECRET, now)),
        ask=lambda now: LineSender(LINE_SECRET, now).notification([]),
        signs_time=False,
    ),
    SpokenSource(
        "telegram",
        (TELEGRAM_SECRET, TelegramSender.next_secret),
        _saying(lambda now: TelegramSender(TELEGRAM_SECRET, now)),
        signs_time=False,
    ),
    SpokenSource(
        "x",
        (X_SECRET, XSender.next_secret),
        _saying(lambda now: XSender(X_SECRET, now)),
        ask=lambda now: XSender(X_SECRET, now).check(),
        signs_time=False,
    ),
    SpokenSource(
        "twilio-sms",
        (TWILIO_TOKEN, TwilioSender.next_token),
        _sms,
        options={"public_url": f"{PUBLIC}/twilio-sms"},
        signs_time=False,
        answer=TWIML,
    ),
    SpokenSource(
        "twilio-voice",
        (TWILIO_TOKEN, TwilioSender.next_token),
        _calling(lambda _: TwilioSender(TWILIO_TOKEN, f"{PUBLIC}/twilio-voice")),
        options={"public_url": f"{PUBLIC}/twilio-voice"},
        signs_time=False,
        answer=TWIML,
    ),
    SpokenSource(
        "aircall",
        (AIRCALL_TOKEN, AircallSender.next_token),
        _calling(lambda now: AircallSender(AIRCALL_TOKEN, now)),
        options={"language": "zh"},
        signs_time=False,
    ),
    SpokenSource(
        "dialpad",
        (DIALPAD_SECRET, DialpadSender.next_secret),
        _calling(lambda now: DialpadSender(DIALPAD_SECRET, now)),
        options={"region": "CN"},
        signs_time=False,
    ),
    SpokenSource("hmac", (DESK_SECRET, HmacSystem.next_secret), _hmac, options=yaml.safe_load(OPTIONS)),
    SpokenSource("github", (GITHUB_SECRET, GitHubSender.next_secret), _github, signs_time=False),
    SpokenSource(
        "web-form",
        (FORM_SECRET, WebFormSender.next_secret),
        _form,
        options={"form": "contact", "origins": [WebFormSender.origin]},
        answer=b'{"received":true}',
        ask=lambda now: WebFormSender(FORM_SECRET, now).ask_for_token(),
    ),
    SpokenSource(
        "wecom",
        (WECOM_SECRET, WecomSender.next_secret),
        _saying(lambda now: WecomSender(WECOM_SECRET, now)),
        options={"receiver_id": WecomSender.receiver_id},
        ask=lambda now: WecomSender(WECOM_SECRET, now).challenge(b"1616140317555161061"),
    ),
    SpokenSource(
        "wechat-official",
        (WECHAT_SECRET, WechatOfficialSender.next_secret),
        _saying(lambda now: WechatOfficialSender(WECHAT_SECRET, now)),
        options={"receiver_id": WechatOfficialSender.receiver_id},
        ask=lambda now: WechatOfficialSender(WECHAT_SECRET, now).challenge("3857493857"),
    ),
    SpokenSource(
        "dingtalk",
        (DingtalkSender.callback, ROBOT_SECRET, DingtalkSender.next_secret),
        _saying(lambda now: DingtalkSender(ROBOT_SECRET, now)),
        options={"receiver_id": DingtalkSender.receiver_id},
        ask=lambda now: DingtalkSender(ROBOT_SECRET, now).event({"EventType": "check_url"}),
        answer=None,
    ),
    SpokenSource(
        "feishu",
        (FEISHU_SECRET, FeishuSender.next_secret),
        _saying(lambda now: FeishuSender(FEISHU_SECRET, now)),
        ask=lambda now: FeishuSender(FEISHU_SECRET, now).verification("ajls384kdj"),
    ),
    SpokenSource(
        "douyin",
        (DOUYIN_SECRET, DouyinSender.next_secret),
        _saying(lambda now: DouyinSender(DOUYIN_SECRET, now)),
        options={"own_open_ids": [DouyinSender.account]},
        ask=lambda now: DouyinSender(DOUYIN_SECRET, now).event("verify_webhook", {"challenge": 7}),
        signs_time=False,
    ),
    SpokenSource(
        "weibo",
        (WEIBO_SECRET, WeiboSender.next_secret),
        _saying(lambda now: WeiboSender(WEIBO_SECRET, now)),
        options={"receiver_id": WeiboSender.account},
        ask=lambda now: WeiboSender(WEIBO_SECRET, now).challenge("3857493857"),
    ),
)


def sources_file() -> str:
    """The sources file of all of them."""
    return yaml.safe_dump({"sources": [source.entry for source in EVERY_SOURCE]}, allow_unicode=True)
