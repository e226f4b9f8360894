"""Every provider of `tests.support.every_source` at the edge without a network: sources files, senders, shapes.

A new provider adds a row there, and here how its partner signs any body and which other shapes a good request has.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import yaml
from uuid_utils.compat import uuid7

from ingest_webhook.provider import Provider
from ingest_webhook.providers.registry import PROVIDERS
from tests.support.every_source import (
    AIRCALL_TOKEN,
    DESK_SECRET,
    DIALPAD_SECRET,
    DOUYIN_SECRET,
    EVERY_SOURCE,
    FEISHU_SECRET,
    FORM_SECRET,
    GITHUB_SECRET,
    LINE_SECRET,
    META_SECRET,
    ROBOT_SECRET,
    SHOP_SECRET,
    SLACK_SECRET,
    SWITCH_SECRET,
    TELEGRAM_SECRET,
    WECHAT_SECRET,
    WECOM_SECRET,
    WEIBO_SECRET,
    X_SECRET,
    Requests,
    SpokenSource,
)
from tests.support.partners.aircall import AircallSender
from tests.support.partners.dialpad import DialpadSender
from tests.support.partners.dingtalk import DingtalkSender
from tests.support.partners.douyin import DouyinSender
from tests.support.partners.feishu import FeishuSender
from tests.support.partners.freeswitch import FreeswitchSender
from tests.support.partners.github import GitHubSender
from tests.support.partners.hmac_system import HmacSystem
from tests.support.partners.instagram import InstagramSender
from tests.support.partners.line import LineSender
from tests.support.partners.messenger import MessengerSender
from tests.support.partners.signed_request import SignedRequest, Way
from tests.support.partners.slack import SlackSender
from tests.support.partners.standard_webhooks import StandardWebhooksSender
from tests.support.partners.telegram import TelegramSender
from tests.support.partners.web_form import WebFormSender
from tests.support.partners.wechat_official import WechatOfficialSender
from tests.support.partners.wecom import WecomSender
from tests.support.partners.weibo import WeiboSender
from tests.support.partners.whatsapp import WhatsAppSender
from tests.support.partners.x import XSender
from tests.unit.ingest_webhook.edge import now_seconds

BY_PROVIDER: Mapping[str, SpokenSource] = {source.provider: source for source in EVERY_SOURCE}


@cache  # property tests read the file a thousand times
def sources_of(provider: str) -> str:
    """A sources file with this provider as its only source."""
    return yaml.safe_dump({"sources": [BY_PROVIDER[provider].entry]})


def requests(source: SpokenSource) -> Requests:
    """A fresh sender, at the time of the edge."""
    return source.sender(now_seconds)


@cache
def built(provider: str) -> Provider:
    """The provider of a source that has no tokens, without the app around it."""
    source = BY_PROVIDER[provider]
    return PROVIDERS[provider](source.options, source.secrets)


def messenger_sender() -> MessengerSender:
    return MessengerSender(META_SECRET, now_seconds)


def instagram_sender() -> InstagramSender:
    return InstagramSender(META_SECRET, now_seconds)


def whatsapp_sender() -> WhatsAppSender:
    return WhatsAppSender(META_SECRET, now_seconds)


def line_sender() -> LineSender:
    return LineSender(LINE_SECRET, now_seconds)


def telegram_sender() -> TelegramSender:
    return TelegramSender(TELEGRAM_SECRET, now_seconds)


def x_sender() -> XSender:
    return XSender(X_SECRET, now_seconds)


def aircall_sender() -> AircallSender:
    return AircallSender(AIRCALL_TOKEN, now_seconds)


def dialpad_sender() -> DialpadSender:
    return DialpadSender(DIALPAD_SECRET, now_seconds)


def desk_sender() -> HmacSystem:
    return HmacSystem(DESK_SECRET, now_seconds)


def form_sender() -> WebFormSender:
    return WebFormSender(FORM_SECRET, now_seconds)


def wecom_sender() -> WecomSender:
    return WecomSender(WECOM_SECRET, now_seconds)


def wechat_sender() -> WechatOfficialSender:
    return WechatOfficialSender(WECHAT_SECRET, now_seconds)


def dingtalk_sender() -> DingtalkSender:
    return DingtalkSender(ROBOT_SECRET, now_seconds)


def feishu_sender() -> FeishuSender:
    return FeishuSender(FEISHU_SECRET, now_seconds)


def douyin_sender() -> DouyinSender:
    return DouyinSender(DOUYIN_SECRET, now_seconds)


def weibo_sender() -> WeiboSender:
    return WeiboSender(WEIBO_SECRET, now_seconds)


def github_sender() -> GitHubSender:
    return GitHubSender(GITHUB_SECRET)


def _messenger_others() -> Sequence[SignedRequest]:
    sender = messenger_sender()
    edit = {"message_edit": {"mid": "m_1", "text": "changed", "num_edit": 1}}
    file = {"type": "image", "payload": {"url": "https://a.example/1", "title": "1"}}
    return (
        sender.events(edit, {"postback": {"title": "Yes"}}, {"read": {"watermark": 1}}, channel="standby"),
        sender.events({"delivery": {"mids": ["m_1"], "watermark": 1}}),
        sender.message("see", attachments=[file]),
        sender.comment("edited", "changed"),
    )


def _instagram_others() -> Sequence[SignedRequest]:
    sender = instagram_sender()
    return sender.comment("Mine broke", parent_id="1792"), sender.comment("Mine broke", own_login=True)


def _whatsapp_others() -> Sequence[SignedRequest]:
    sender = whatsapp_sender()
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
    failed = {"status": "failed", "timestamp": "1763899200", "recipient_id": sender.person}
    errors = [{"code": 130472, "title": "x", "error_data": {"details": "y"}}]
    return (sender.value(messages=said, statuses=[{"id": "wamid.1", **failed, "errors": errors}]),)


def _line_others() -> Sequence[SignedRequest]:
    sender = line_sender()
    image = {"id": "1", "type": "image", "contentProvider": {"type": "line"}}
    said = [
        sender.event("messageEdited", message={"id": "1", "type": "text", "text": "changed"}),
        sender.event("unsend", unsend={"messageId": "1"}, source={"type": "group", "groupId": "C1"}),
        sender.event("message", message=image),
        sender.event("message", message={"id": "2", "type": "location", "latitude": 1, "longitude": 2}),
    ]
    return (sender.notification(said),)


def _telegram_others() -> Sequence[SignedRequest]:
    sender = telegram_sender()
    photo = [{"file_id": "1", "file_size": 2}]
    deletion = {"business_connection_id": "bc-1", "chat": {"id": 1}, "message_ids": [1]}
    return (
        sender.update(edited_business_message=sender.said("changed", business_connection_id="bc-1", edit_date=1)),
        sender.message("", text=None, photo=photo, poll={"question": "?", "options": [{"text": "no"}]}),
        sender.update(deleted_business_messages=deletion),
    )


def _x_others() -> Sequence[SignedRequest]:
    sender = x_sender()
    deletion = {"status": {"id": "1", "user_id": "2"}, "timestamp_ms": "1763899200000"}
    read = {"sender_id": "2", "target": {"recipient_id": "1"}, "last_read_event_id": "3", "created_timestamp": "4"}
    return (
        sender.older(tweet_create_events=[sender.older_post("@aurora broke")], tweet_delete_events=[deletion]),
        sender.newer("post.mention.create", sender.newer_post("@aurora broke")),
        sender.newer("dm.received", sender.direct("hello")),
        sender.newer("chat.received", {"id": "1", "sender_id": "2", "created_at_msec": 1}),
        sender.newer("dm.read", {"direct_message_mark_read_events": [read]}),
    )


def _sign_as_switch(body: bytes) -> SignedRequest:
    return replace(FreeswitchSender(SWITCH_SECRET, now_seconds, uuid7).call(), body=body)


SIGN: Mapping[str, Callable[[bytes], SignedRequest]] = {
    "standard-webhooks": lambda body: StandardWebhooksSender(SHOP_SECRET, now_seconds).sign("msg_1", body, Way.GOOD),
    "slack": lambda body: SlackSender(SLACK_SECRET, now_seconds).sign(body, Way.GOOD),
    "freeswitch": _sign_as_switch,
    "messenger": messenger_sender().sign,
    "instagram": instagram_sender().sign,
    "whatsapp": whatsapp_sender().sign,
    "line": line_sender().sign,
    "telegram": telegram_sender().sign,
    "x": x_sender().sign,
}
"""How each lets any body be sent under a right signature, for what nobody would send."""

SEAL: Mapping[str, Callable[[bytes], SignedRequest]] = {
    "wecom": lambda content: wecom_sender().document(content),
    "wechat-official": lambda content: wechat_sender().document(content),
    "dingtalk": lambda content: dingtalk_sender().document(content),
    "feishu": lambda content: feishu_sender().document(content),
    "douyin": lambda content: douyin_sender().document(content),
    "weibo": lambda content: weibo_sender().document(content),
}
"""How each of the Chinese platforms sends any content, rightly sealed and signed."""

_OTHERS: Mapping[str, Callable[[], Sequence[SignedRequest]]] = {
    "messenger": _messenger_others,
    "instagram": _instagram_others,
    "whatsapp": _whatsapp_others,
    "line": _line_others,
    "telegram": _telegram_others,
    "x": _x_others,
}


def documents(provider: str) -> list[Any]:
    """The JSON of good requests of every shape, fit to be changed and signed again; none where a body is no JSON."""
    others = _OTHERS[provider]() if provider in _OTHERS else ()
    good = (requests(BY_PROVIDER[provider])(Way.GOOD), *others)
    return [json.loads(request.body) for request in good if request.body.startswith(b"{")]
