"""WeCom, WeChat, DingTalk, Feishu, Douyin and Weibo: their conversations, and what they ask about an address."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.every_source import WORDS
from tests.support.partners.signed_request import SignedRequest, Way, deliver
from tests.unit.ingest_webhook.all_providers import (
    BY_PROVIDER,
    douyin_sender,
    feishu_sender,
    requests,
    sources_of,
    wechat_sender,
    wecom_sender,
    weibo_sender,
)
from tests.unit.ingest_webhook.edge import Edge, client_of

WRITING = ("wecom", "wechat-official", "dingtalk", "feishu", "douyin", "weibo")


@pytest.mark.parametrize("source", WRITING)
async def test_one_writers_words_are_one_conversation(source: str, tmp_path: Path) -> None:
    edge = Edge()
    send = requests(BY_PROVIDER[source])
    async with client_of(edge.app(tmp_path, sources=sources_of(source))) as client:
        for _ in range(2):
            await deliver(client, f"/webhooks/{source}", send(Way.GOOD))
    first, another = edge.messages
    assert first.identity != another.identity
    assert first.conversation == another.conversation
    assert first.text == WORDS


HANDSHAKES: dict[str, tuple[Callable[[Way], SignedRequest], bytes]] = {
    "wecom": (lambda way: wecom_sender().challenge(b"1616140317555161061", way), b"1616140317555161061"),
    "wechat-official": (lambda way: wechat_sender().challenge("3857493857", way), b"3857493857"),
    "weibo": (lambda way: weibo_sender().challenge("3857493857", way), b"3857493857"),
    "feishu": (lambda way: feishu_sender().verification("ajls384kdj", way), b'{"challenge":"ajls384kdj"}'),
    "douyin": (lambda way: douyin_sender().event("verify_webhook", {"challenge": 7}, way), b'{"challenge":7}'),
}


@pytest.mark.parametrize("source", HANDSHAKES)
async def test_the_platforms_question_is_answered_to_the_byte(source: str, tmp_path: Path) -> None:
    edge = Edge()
    question, expected = HANDSHAKES[source]
    async with client_of(edge.app(tmp_path, sources=sources_of(source))) as client:
        right = await deliver(client, f"/webhooks/{source}", question(Way.GOOD))
        forged = await deliver(client, f"/webhooks/{source}", question(Way.FORGED))
    assert (right.status_code, right.content) == (200, expected)
    assert forged.status_code == 401
    assert (edge.counted(source, "handshake"), edge.counted(source, "bad-signature")) == (1, 1)
    assert edge.published == []
