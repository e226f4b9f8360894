"""The pages that senders read say what the code does."""

import hmac
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from ingest_webhook.providers.hmac_sender import HmacSender
from ingest_webhook.providers.standard_webhooks import StandardWebhooks
from ingest_webhook.providers.web_form import WebForm
from ingest_webhook.rejections import Outcome
from ingest_webhook.sources import read_sources
from tests.support.every_source import (
    AIRCALL_TOKEN,
    DESK_SECRET,
    DIALPAD_SECRET,
    DOUYIN_SECRET,
    FEISHU_SECRET,
    FORM_SECRET,
    GITHUB_SECRET,
    LINE_SECRET,
    META_SECRET,
    META_TOKEN,
    ROBOT_SECRET,
    TELEGRAM_SECRET,
    TWILIO_TOKEN,
    WECHAT_SECRET,
    WECOM_SECRET,
    WEIBO_SECRET,
    X_SECRET,
)
from tests.support.partners.signed_request import SignedRequest, Way
from tests.support.partners.standard_webhooks import whsec
from tests.unit.ingest_webhook.all_providers import form_sender
from tests.unit.ingest_webhook.edge import SHOP_SECRET, SLACK_SECRET, SWITCH_SECRET, now_seconds, shop_sender
from tests.unit.ingest_webhook.readings import read_one

PAGES = Path(__file__).parents[3] / "docs" / "channels"
ENVIRONMENT = {
    "SHOP_WEBHOOK_SECRET": whsec(b"a-secret-of-twenty-four-bytes-at-least"),
    "SLACK_SIGNING_SECRET": SLACK_SECRET,
    "FREESWITCH_CREDENTIALS": SWITCH_SECRET,
    "META_APP_SECRET": META_SECRET,
    "META_VERIFY_TOKEN": META_TOKEN,
    "LINE_CHANNEL_SECRET": LINE_SECRET,
    "TELEGRAM_SECRET_TOKEN": TELEGRAM_SECRET,
    "X_CONSUMER_SECRET": X_SECRET,
    "TWILIO_AUTH_TOKEN": TWILIO_TOKEN,
    "AIRCALL_WEBHOOK_TOKEN": AIRCALL_TOKEN,
    "DIALPAD_WEBHOOK_SECRET": DIALPAD_SECRET,
    "DESK_SECRET": DESK_SECRET,
    "GITHUB_WEBHOOK_SECRET": GITHUB_SECRET,
    "CONTACT_FORM_SECRET": FORM_SECRET,
    "WECOM_CALLBACK": WECOM_SECRET,
    "WECHAT_CALLBACK": WECHAT_SECRET,
    "DINGTALK_ROBOT_SECRET": ROBOT_SECRET,
    "DINGTALK_CALLBACK": WECOM_SECRET,
    "FEISHU_CALLBACK": FEISHU_SECRET,
    "DOUYIN_CLIENT_SECRET": DOUYIN_SECRET,
    "WEIBO_APP_SECRET": WEIBO_SECRET,
}
PAGES_WITH_SOURCES = [
    "standard-webhooks.md",
    "slack.md",
    "freeswitch.md",
    "wecom.md",
    "wechat-official.md",
    "dingtalk.md",
    "feishu.md",
    "douyin.md",
    "weibo.md",
    "twilio-sms.md",
    "twilio-voice.md",
    "aircall.md",
    "dialpad.md",
    "hmac.md",
    "github.md",
    "web-form.md",
    "messenger.md",
    "instagram.md",
    "whatsapp.md",
    "line.md",
    "telegram.md",
    "x.md",
]


def example(page: str, language: str) -> str:
    match = re.search(rf"```{language}\n(.*?)```", (PAGES / page).read_text(encoding="utf-8"), re.DOTALL)
    assert match is not None, f"{page} has no {language} example"
    return match[1]


@pytest.mark.parametrize("page", PAGES_WITH_SOURCES)
def test_the_sources_of_each_page_can_be_used(page: str, tmp_path: Path) -> None:
    file = tmp_path / "sources.yaml"
    file.write_text(example(page, "yaml"), encoding="utf-8")
    assert len(read_sources(file, ENVIRONMENT).by_name) == 1


def test_the_sources_of_all_pages_make_one_file(tmp_path: Path) -> None:
    """Who has text messages and calls of Twilio follows two pages."""
    sources = [source for page in PAGES_WITH_SOURCES for source in yaml.safe_load(example(page, "yaml"))["sources"]]
    file = tmp_path / "sources.yaml"
    file.write_text(yaml.safe_dump({"sources": sources}), encoding="utf-8")
    assert len(read_sources(file, ENVIRONMENT).by_name) == len(PAGES_WITH_SOURCES)


def test_the_message_on_the_page_is_read() -> None:
    request = shop_sender().sign("msg_1", example("standard-webhooks.md", "json").encode(), Way.GOOD)
    message = read_one(StandardWebhooks.build({}, [SHOP_SECRET]), request)
    assert (message.provider_id, message.conversation) == ("form-4711", "order-17")
    assert message.files[0].content == b"paid"


def test_the_document_on_the_page_of_hmac_is_read_by_the_map_beside_it() -> None:
    [source] = yaml.safe_load(example("hmac.md", "yaml"))["sources"]
    body = example("hmac.md", "json").encode()
    timestamp = str(int(now_seconds()))
    signature = hmac.digest(DESK_SECRET.encode(), timestamp.encode() + b"." + body, "sha256").hex()
    headers = {"x-desk-timestamp": timestamp, "x-desk-signature": f"v1={signature}"}
    message = read_one(HmacSender.build(source["options"], [DESK_SECRET]), SignedRequest(headers, body))
    assert (message.conversation, message.sender.value) == ("4711", "li.wei@example.com")


def test_the_form_on_the_page_has_the_fields_that_are_read() -> None:
    [source] = yaml.safe_load(example("web-form.md", "yaml"))["sources"]
    page = example("web-form.md", "html")
    names = re.findall(r'<(?:input|textarea) name="(\w+)"', page)
    filled: dict[str, Any] = {name: f"{name}@example.com" for name in names} | {"website": ""}
    filled.pop("files")
    form = form_sender().submit(files=[("a.txt", "text/plain", b"a")], **filled)
    message = read_one(WebForm.build(source["options"], [FORM_SECRET]), form)
    assert message.sender.value == "email@example.com"
    assert message.sender.name == "name@example.com"
    assert message.subject == "subject@example.com"
    assert message.text == "Order number: order@example.com\n\nmessage@example.com"
    assert f"/webhooks/{source['name']}" in page


def test_the_page_lists_every_problem() -> None:
    page = (PAGES / "standard-webhooks.md").read_text(encoding="utf-8")
    # The sender is told of none of these by a problem of that name.
    silent = {Outcome.ACCEPTED, Outcome.IGNORED, Outcome.HANDSHAKE, Outcome.ABANDONED, Outcome.FAILED}
    assert [outcome for outcome in Outcome if outcome not in silent and f"`{outcome}`" not in page] == []
