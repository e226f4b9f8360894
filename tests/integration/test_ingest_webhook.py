"""ingest-webhook as a process, on real Kafka: an acknowledged request is in the log, a refused one is not."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
import yaml
from uuid_utils.compat import uuid7

from firebreak_cli.local_stack.ports import free_ports
from tests.support.deployment_files import SHOP, SHOP_SECRET, SLACK, SLACK_SECRET, TELEPHONE, TELEPHONE_SECRET
from tests.support.mail_service import read_log
from tests.support.partners.freeswitch import FreeswitchSender
from tests.support.partners.signed_request import SignedRequest, Way, deliver
from tests.support.partners.slack import SlackSender
from tests.support.partners.standard_webhooks import StandardWebhooksSender
from tests.support.servers import SharedKafka, kafka_server
from tests.support.small_disk import fill, small_disk
from tests.support.webhook_service import WebhookService, webhook_service
from ticket_contracts.messages import MessageReceived
from ticket_contracts.topics import TOPICS
from ticket_store.object_storage import ObjectStorage
from ticket_stream.topic_admin import create_topics

# Kafka starts in two to six seconds on a busy machine and the publisher notices within one.
BACK_SECONDS = 30

Requests = Callable[[Way], SignedRequest]


def shop() -> Requests:
    sender = StandardWebhooksSender(SHOP_SECRET, time.time, name=str(uuid7()))
    return lambda way: sender.message("包裹没有到", way)


def slack() -> Requests:
    sender = SlackSender(SLACK_SECRET, time.time, channel=f"C{uuid7().hex}")
    return lambda way: sender.message("包裹没有到", way)


def telephone() -> Requests:
    return FreeswitchSender(TELEPHONE_SECRET, time.time, uuid7).call


PROVIDERS = {SHOP: shop, SLACK: slack, TELEPHONE: telephone}


@pytest_asyncio.fixture(scope="module")
async def prefix(kafka: SharedKafka) -> AsyncIterator[str]:
    name = f"test-{uuid7().hex}."
    await kafka.create_topics(name)
    yield name
    await kafka.delete_topics(name)


@pytest_asyncio.fixture(scope="module")
async def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("webhooks")


@pytest_asyncio.fixture(scope="module")
async def service(kafka: SharedKafka, prefix: str, folder: Path) -> AsyncIterator[WebhookService]:
    async with webhook_service(kafka.bootstrap, prefix, folder) as running:
        await running.until_ready()
        yield running


async def logged(kafka: SharedKafka, prefix: str, source: str) -> list[MessageReceived]:
    return [message for message in await read_log(kafka.bootstrap, prefix) if message.source == source]


@pytest.mark.parametrize("source", PROVIDERS)
async def test_what_was_acknowledged_is_in_the_log(
    source: str, service: WebhookService, kafka: SharedKafka, prefix: str
) -> None:
    requests = PROVIDERS[source]()
    before = len(await logged(kafka, prefix, source))
    for way in (Way.GOOD, Way.REPEATED, Way.GOOD):
        answer = await deliver(service.client, f"/webhooks/{source}", requests(way))
        assert answer.status_code == 200, answer.text
    messages = (await logged(kafka, prefix, source))[before:]
    assert len(messages) == 3
    assert len({message.identity for message in messages}) == 2


WRONG = [
    (Way.FORGED, 401, "bad-signature"),
    (Way.ROTATED, 401, "bad-signature"),  # this deployment has not added the next secret yet
    (Way.STALE, 401, "stale"),
    (Way.OVERSIZED, 413, "too-large"),
    (Way.MALFORMED, 400, "undecodable"),
    (Way.UNKNOWN_TYPE, 200, "ignored"),
]


@pytest.mark.parametrize(
    ("source", "way", "status", "outcome"),
    [
        (source, *answer)
        for answer in WRONG
        for source in PROVIDERS
        if (source, answer[0]) != (TELEPHONE, Way.STALE)  # call records carry no signed time
    ],
)
async def test_what_is_wrong_is_answered_counted_and_not_in_the_log(
    source: str, way: Way, status: int, outcome: str, service: WebhookService, kafka: SharedKafka, prefix: str
) -> None:
    line = f'firebreak_webhook_requests_total{{outcome="{outcome}",source="{source}"}}'
    counted, before = await service.metric(line), len(await logged(kafka, prefix, source))
    answer = await deliver(service.client, f"/webhooks/{source}", PROVIDERS[source]()(way))
    assert answer.status_code == status
    assert await service.metric(line) == counted + 1
    assert len(await logged(kafka, prefix, source)) == before
    if status >= 400:
        assert answer.json()["type"] == f"/problems/{outcome}"


async def test_a_long_text_and_a_file_are_in_the_storage_before_the_answer(
    service: WebhookService, kafka: SharedKafka, prefix: str, folder: Path
) -> None:
    sender = StandardWebhooksSender(SHOP_SECRET, time.time, name=str(uuid7()))
    text = "火" * 50_000
    file = {"name": "../../receipt.txt", "media_type": "text/plain", "content": "cGFpZA=="}
    answer = await deliver(service.client, f"/webhooks/{SHOP}", sender.message(text, attachments=[file]))
    assert answer.status_code == 200, answer.text
    [message] = [found for found in await logged(kafka, prefix, SHOP) if found.attachments]
    storage = ObjectStorage.open((folder / "objects").as_uri())
    assert message.text_object is not None
    assert (await storage.get(message.text_object.key)).decode() == text
    assert await storage.get(message.attachments[0].content.key) == b"paid"


async def test_a_secret_rotates_without_a_restart(service: WebhookService) -> None:
    sender = StandardWebhooksSender(SHOP_SECRET, time.time, name=str(uuid7()))
    document = yaml.safe_load(service.sources_file.read_text())
    shop_entry = next(entry for entry in document["sources"] if entry["name"] == SHOP)
    shop_entry["secrets"].append({"value": sender.next_secret})
    service.sources_file.write_text(yaml.safe_dump(document))
    service.process.send_signal(signal.SIGHUP)
    async with asyncio.timeout(BACK_SECONDS):
        while await service.metric('firebreak_sources_reloads_total{result="done"}') == 0:  # noqa: ASYNC110 - a process
            await asyncio.sleep(0.05)
    for way in (Way.GOOD, Way.ROTATED):
        answer = await deliver(service.client, f"/webhooks/{SHOP}", sender.message("still here", way))
        assert answer.status_code == 200
    shop_entry["secrets"].pop()
    service.sources_file.write_text(yaml.safe_dump(document))
    service.process.send_signal(signal.SIGHUP)
    async with asyncio.timeout(BACK_SECONDS):
        while await service.metric('firebreak_sources_reloads_total{result="done"}') < 2:  # noqa: ASYNC110 - a process
            await asyncio.sleep(0.05)


async def test_without_kafka_requests_are_refused_or_kept_and_all_goes_on_when_it_is_back(tmp_path: Path) -> None:
    requests, unrepeated = shop(), slack()
    async with kafka_server() as own_kafka:
        await create_topics(own_kafka.bootstrap, "", TOPICS)
        async with webhook_service(own_kafka.bootstrap, "", tmp_path) as service:
            await service.until_ready()
            acknowledged = [await deliver(service.client, f"/webhooks/{SHOP}", requests(Way.GOOD))]
            await own_kafka.kill()
            refused = await deliver(service.client, f"/webhooks/{SHOP}", requests(Way.GOOD))
            assert refused.status_code == 503
            assert refused.json()["type"] == "/problems/kafka-away"
            assert int(refused.headers["retry-after"]) > 0
            kept = await deliver(service.client, f"/webhooks/{SLACK}", unrepeated(Way.GOOD))
            assert kept.status_code == 200
            assert await service.metric("firebreak_webhook_kafka_available") == 0
            assert await service.is_ready()  # what can wait in the spool has to reach us
            await own_kafka.restart()
            acknowledged.append(await until_acknowledged(service, requests))
            assert [answer.status_code for answer in acknowledged] == [200, 200]
            async with asyncio.timeout(BACK_SECONDS):
                while await service.metric("firebreak_spool_requests"):  # noqa: ASYNC110 - a process
                    await asyncio.sleep(0.05)
            messages = await read_log(own_kafka.bootstrap, "")
            # Of the repeats of the refused one all are one message.
            assert len({message.identity for message in messages if message.source == SHOP}) == 2
            assert len({message.identity for message in messages if message.source == SLACK}) == 1


async def until_acknowledged(service: WebhookService, requests: Requests) -> httpx.Response:
    """Repeat the last message as a provider does."""
    async with asyncio.timeout(BACK_SECONDS):
        while True:
            answer = await deliver(service.client, f"/webhooks/{SHOP}", requests(Way.REPEATED))
            if answer.status_code != 503:
                return answer
            await asyncio.sleep(0.1)


async def test_it_starts_and_says_so_while_kafka_is_away(tmp_path: Path) -> None:
    [port] = free_ports(1)
    settings = {"publish_seconds": 0.5, "spool_max_requests": 1}
    async with webhook_service(f"127.0.0.1:{port}", "", tmp_path, **settings) as service:
        requests = slack()
        kept = await deliver(service.client, f"/webhooks/{SLACK}", requests(Way.GOOD))
        refused = await deliver(service.client, f"/webhooks/{SLACK}", requests(Way.GOOD))
        ready = await service.client.get("/ready")
        service.process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(service.process.wait(), BACK_SECONDS) == 0
    assert (kept.status_code, refused.status_code, ready.status_code) == (200, 503, 503)
    assert "Kafka is away" in ready.text


@pytest.mark.skipif(os.geteuid() != 0, reason="a small disk can be mounted by root alone")
async def test_without_kafka_and_room_on_the_disk_a_sender_is_asked_to_come_again(tmp_path: Path) -> None:
    [port] = free_ports(1)
    requests = slack()
    with small_disk(tmp_path / "disk") as disk:
        settings = {"publish_seconds": 0.5, "object_store": disk.as_uri()}
        async with webhook_service(f"127.0.0.1:{port}", "", tmp_path, **settings) as service:
            answers = [await deliver(service.client, f"/webhooks/{SLACK}", requests(Way.GOOD))]
            fill(disk / "filler")
            answers.append(await deliver(service.client, f"/webhooks/{SLACK}", requests(Way.GOOD)))
            (disk / "filler").unlink()
            answers.append(await deliver(service.client, f"/webhooks/{SLACK}", requests(Way.REPEATED)))
        assert len(list((disk / "spool").iterdir())) == 2
    assert [answer.status_code for answer in answers] == [200, 503, 200]
    assert answers[1].json()["type"] == "/problems/storage-away"


async def test_it_does_not_start_with_a_sources_file_that_is_wrong(tmp_path: Path) -> None:
    sources = tmp_path / "sources.yaml"
    sources.write_text("sources: [{name: shop}]")
    environment = {
        "FIREBREAK_KAFKA": "127.0.0.1:1",
        "FIREBREAK_PORT": "0",
        "FIREBREAK_SOURCES_FILE": str(sources),
        "FIREBREAK_OBJECT_STORE": (tmp_path / "objects").as_uri(),
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "ingest_webhook", env=os.environ | environment, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await asyncio.wait_for(process.communicate(), BACK_SECONDS)
    assert process.returncode == os.EX_CONFIG
    assert b"sources.0.provider" in output
