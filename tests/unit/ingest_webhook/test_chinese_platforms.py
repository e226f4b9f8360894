"""WeCom, WeChat, DingTalk, Feishu, Douyin and Weibo in every way of being wrong, through the whole app."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.partners.signed_request import SignedRequest, Way, deliver
from tests.unit.ingest_webhook.edge import Edge, client_of, now_seconds
from tests.unit.ingest_webhook.rows_of_chinese_platforms import (
    ROWS,
    SOURCES,
    Row,
    douyin_sender,
    feishu_sender,
    wechat_sender,
    wecom_sender,
    weibo_sender,
)

TEXT = "我的包裹在哪里？"

ANSWERS = [
    (Way.GOOD, 200, "accepted"),
    (Way.ROTATED, 200, "accepted"),
    (Way.FORGED, 401, "bad-signature"),
    (Way.STALE, 401, "stale"),
    (Way.OVERSIZED, 413, "too-large"),
    (Way.MALFORMED, 400, "undecodable"),
    (Way.UNKNOWN_TYPE, 200, "ignored"),
]


@pytest.mark.parametrize(
    ("row", "way", "status", "outcome"),
    [(row, *answer) for row in ROWS for answer in ANSWERS if row.signs_time or answer[0] is not Way.STALE],
    ids=lambda value: value.source if isinstance(value, Row) else str(value),
)
async def test_each_way_has_its_answer_and_its_metric(
    row: Row, way: Way, status: int, outcome: str, tmp_path: Path
) -> None:
    edge = Edge()
    async with client_of(edge.app(tmp_path, sources=SOURCES)) as client:
        answer = await deliver(client, f"/webhooks/{row.source}", row.sender(now_seconds).message(TEXT, way))
    assert answer.status_code == status, answer.text
    assert edge.counted(row.source, outcome) == 1
    assert len(edge.published) == (1 if outcome == "accepted" else 0)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.source)
async def test_a_repeat_has_the_identity_of_the_first(row: Row, tmp_path: Path) -> None:
    edge = Edge()
    sender = row.sender(now_seconds)
    async with client_of(edge.app(tmp_path, sources=SOURCES)) as client:
        for way in (Way.GOOD, Way.REPEATED, Way.GOOD):
            await deliver(client, f"/webhooks/{row.source}", sender.message(TEXT, way))
    first, repeat, another = edge.messages
    assert first.identity == repeat.identity != another.identity
    assert first.conversation == another.conversation
    assert first.text == TEXT


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
    async with client_of(edge.app(tmp_path, sources=SOURCES)) as client:
        right = await deliver(client, f"/webhooks/{source}", question(Way.GOOD))
        forged = await deliver(client, f"/webhooks/{source}", question(Way.FORGED))
    assert (right.status_code, right.content) == (200, expected)
    assert forged.status_code == 401
    assert (edge.counted(source, "handshake"), edge.counted(source, "bad-signature")) == (1, 1)
    assert edge.published == []
