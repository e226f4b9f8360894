"""The Chinese platforms' rows of the table provider × way: a source for each, and a sender that knows every way."""

from collections.abc import Callable
from functools import cache
from typing import NamedTuple, Protocol

import yaml

from ingest_webhook.provider import Provider
from ingest_webhook.providers.registry import PROVIDERS
from tests.support.partners.dingtalk import DingtalkSender
from tests.support.partners.douyin import DouyinSender
from tests.support.partners.feishu import FeishuSender
from tests.support.partners.signed_request import SignedRequest, Way
from tests.support.partners.wechat_official import WechatOfficialSender
from tests.support.partners.wecom import WecomSender
from tests.support.partners.weibo import WeiboSender
from tests.unit.ingest_webhook.edge import now_seconds

WECOM_SECRET = "QDG6eK:jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"
WECHAT_SECRET = "pamtest:abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
ROBOT_SECRET = "xQ_3kL9-AppSecretOfTheRobotInTheServiceGroup"
FEISHU_SECRET = "kudryavka0123456789abcdefEncrypt:v7Kz2mQ9LrTp4XsW8yBn1cJd6fGh3aEu"
DOUYIN_SECRET = "4f0c8a7d6e5b4c3d2a1f0e9d8c7b6a5f"
WEIBO_SECRET = "0123456789abcdef0123456789abcdef"

SOURCES = f"""
sources:
  - name: wecom
    provider: wecom
    brand: acme
    account: ww49f0ab532d5d035a
    secrets: [value: "{WECOM_SECRET}", value: "{WecomSender.next_secret}"]
    options: {{receiver_id: {WecomSender.receiver_id}}}
  - name: wechat-official
    provider: wechat-official
    brand: acme
    account: gh_7f083739789a
    secrets: [value: "{WECHAT_SECRET}", value: "{WechatOfficialSender.next_secret}"]
    options: {{receiver_id: {WechatOfficialSender.receiver_id}}}
  - name: dingtalk
    provider: dingtalk
    brand: acme
    account: {DingtalkSender.receiver_id}
    secrets: [value: "{DingtalkSender.callback}", value: "{ROBOT_SECRET}", value: "{DingtalkSender.next_secret}"]
    options: {{receiver_id: {DingtalkSender.receiver_id}}}
  - name: feishu
    provider: feishu
    brand: acme
    account: cli_9f5343c580712544
    secrets: [value: "{FEISHU_SECRET}", value: "{FeishuSender.next_secret}"]
    options: {{}}
  - name: douyin
    provider: douyin
    brand: acme
    account: ttddf8ab4542c7d76601
    secrets: [value: "{DOUYIN_SECRET}", value: "{DouyinSender.next_secret}"]
    options: {{own_open_ids: [{DouyinSender.account}]}}
  - name: weibo
    provider: weibo
    brand: acme
    account: "{WeiboSender.account}"
    secrets: [value: "{WEIBO_SECRET}", value: "{WeiboSender.next_secret}"]
    options: {{receiver_id: {WeiboSender.account}}}
"""


Clock = Callable[[], float]
"""Gives Unix seconds."""


def wecom_sender(now: Clock = now_seconds) -> WecomSender:
    return WecomSender(WECOM_SECRET, now)


def wechat_sender(now: Clock = now_seconds) -> WechatOfficialSender:
    return WechatOfficialSender(WECHAT_SECRET, now)


def dingtalk_sender(now: Clock = now_seconds) -> DingtalkSender:
    return DingtalkSender(ROBOT_SECRET, now)


def feishu_sender(now: Clock = now_seconds) -> FeishuSender:
    return FeishuSender(FEISHU_SECRET, now)


def douyin_sender(now: Clock = now_seconds) -> DouyinSender:
    return DouyinSender(DOUYIN_SECRET, now)


def weibo_sender(now: Clock = now_seconds) -> WeiboSender:
    return WeiboSender(WEIBO_SECRET, now)


class Sender(Protocol):
    """Somebody writes `text`, or any content arrives rightly sealed and signed."""

    def message(self, text: str, way: Way = Way.GOOD) -> SignedRequest: ...

    def document(self, content: bytes, way: Way = Way.GOOD) -> SignedRequest: ...


class Row(NamedTuple):
    """One platform of the table; `signs_time` is false where nothing can be stale."""

    source: str
    sender: Callable[[Clock], Sender]
    signs_time: bool = True


ROWS = (
    Row("wecom", wecom_sender),
    Row("wechat-official", wechat_sender),
    Row("dingtalk", dingtalk_sender),
    Row("feishu", feishu_sender),
    Row("douyin", douyin_sender, signs_time=False),
    Row("weibo", weibo_sender),
)


@cache
def built(source: str) -> Provider:
    """Build the provider of a source of SOURCES, without the app around it."""
    [entry] = [entry for entry in yaml.safe_load(SOURCES)["sources"] if entry["name"] == source]
    return PROVIDERS[entry["provider"]](entry["options"], [secret["value"] for secret in entry["secrets"]])
