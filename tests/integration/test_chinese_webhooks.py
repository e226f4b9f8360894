"""The Chinese platforms against ingest-webhook as a process, on real Kafka: GETs, queries, encrypted answers."""

import json
import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from uuid_utils.compat import uuid7

from tests.support.mail_service import read_log
from tests.support.partners.signed_request import Way, deliver
from tests.support.servers import SharedKafka
from tests.support.webhook_service import WebhookService, webhook_service
from tests.unit.ingest_webhook.rows_of_chinese_platforms import ROWS, SOURCES, Row, dingtalk_sender, wecom_sender


@pytest_asyncio.fixture(scope="module")
async def prefix(kafka: SharedKafka) -> AsyncIterator[str]:
    name = f"test-{uuid7().hex}."
    await kafka.create_topics(name)
    yield name
    await kafka.delete_topics(name)


@pytest_asyncio.fixture(scope="module")
async def service(
    kafka: SharedKafka, prefix: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[WebhookService]:
    folder = tmp_path_factory.mktemp("chinese")
    sources_file = folder / "chinese.yaml"
    sources_file.write_text(SOURCES, encoding="utf-8")
    async with webhook_service(kafka.bootstrap, prefix, folder, sources_file=sources_file) as running:
        await running.until_ready()
        yield running


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.source)
async def test_what_was_acknowledged_is_in_the_log(
    row: Row, service: WebhookService, kafka: SharedKafka, prefix: str
) -> None:
    sender = row.sender(time.time)
    for way in (Way.GOOD, Way.REPEATED, Way.ROTATED):
        answer = await deliver(service.client, f"/webhooks/{row.source}", sender.message("包裹没有到", way))
        assert answer.status_code == 200, answer.text
    messages = [message for message in await read_log(kafka.bootstrap, prefix) if message.source == row.source]
    assert [message.text for message in messages] == ["包裹没有到"] * 3
    assert len({message.identity for message in messages}) == 2


async def test_wecom_gets_its_echo_over_http(service: WebhookService) -> None:
    answer = await deliver(service.client, "/webhooks/wecom", wecom_sender(time.time).challenge(b"1616140317555161061"))
    assert (answer.status_code, answer.content) == (200, b"1616140317555161061")


async def test_dingtalk_gets_an_encrypted_answer(service: WebhookService) -> None:
    event = dingtalk_sender(time.time).event({"EventType": "check_url"})
    answer = await deliver(service.client, "/webhooks/dingtalk", event)
    assert answer.headers["content-type"] == "application/json"
    assert set(json.loads(answer.content)) == {"msg_signature", "timeStamp", "nonce", "encrypt"}
