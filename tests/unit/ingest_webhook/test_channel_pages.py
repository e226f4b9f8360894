"""The pages that senders read say what the code does."""

import re
from pathlib import Path

import pytest

from ingest_webhook.providers.standard_webhooks import StandardWebhooks
from ingest_webhook.rejections import Outcome
from ingest_webhook.sources import read_sources
from tests.support.partners.signed_request import Way
from tests.support.partners.standard_webhooks import whsec
from tests.unit.ingest_webhook.edge import SHOP_SECRET, SLACK_SECRET, SWITCH_SECRET, shop_sender
from tests.unit.ingest_webhook.readings import read_one
from tests.unit.ingest_webhook.rows_of_chinese_platforms import (
    DOUYIN_SECRET,
    FEISHU_SECRET,
    ROBOT_SECRET,
    WECHAT_SECRET,
    WECOM_SECRET,
    WEIBO_SECRET,
)

PAGES = Path(__file__).parents[3] / "docs" / "channels"
ENVIRONMENT = {
    "SHOP_WEBHOOK_SECRET": whsec(b"a-secret-of-twenty-four-bytes-at-least"),
    "SLACK_SIGNING_SECRET": SLACK_SECRET,
    "FREESWITCH_CREDENTIALS": SWITCH_SECRET,
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


def test_the_message_on_the_page_is_read() -> None:
    request = shop_sender().sign("msg_1", example("standard-webhooks.md", "json").encode(), Way.GOOD)
    message = read_one(StandardWebhooks.build({}, [SHOP_SECRET]), request)
    assert (message.provider_id, message.conversation) == ("form-4711", "order-17")
    assert message.files[0].content == b"paid"


def test_the_page_lists_every_problem() -> None:
    page = (PAGES / "standard-webhooks.md").read_text(encoding="utf-8")
    # The sender is told of none of these by a problem of that name.
    silent = {Outcome.ACCEPTED, Outcome.IGNORED, Outcome.HANDSHAKE, Outcome.ABANDONED, Outcome.FAILED}
    assert [outcome for outcome in Outcome if outcome not in silent and f"`{outcome}`" not in page] == []
