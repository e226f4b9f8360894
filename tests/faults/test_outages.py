"""While a server or the disk is away, senders are told to come back, nothing that was acknowledged is lost, and all
recovers without a hand."""

import asyncio
import base64
import os
import time
from collections.abc import AsyncIterator
from random import Random
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio

from tests.faults.conftest import Report
from tests.support.alarm_exactness import Targets
from tests.support.customers import hand_over
from tests.support.deployment_files import SHOP, SHOP_SECRET, SLACK, SLACK_SECRET, SUPPORT_ADDRESS, fast_policy
from tests.support.ledger import InputKind, Ledger
from tests.support.partners.mail_sender import mail_sender, write_mail
from tests.support.partners.signed_request import deliver
from tests.support.partners.slack import SlackSender
from tests.support.partners.standard_webhooks import StandardWebhooksSender
from tests.support.small_disk import fill, small_disk
from tests.support.stack import Stack, running_stack
from tests.support.steady_load import Rates, SteadyLoad
from tests.support.verdict import reach_verdict

TARGETS = Targets(first_response=6, resolution=12)
ATTACHMENT_BYTES = 100 * 1024
WRITER = "ann@example.net"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stack() -> AsyncIterator[Stack]:
    async with running_stack([fast_policy(TARGETS.first_response, TARGETS.resolution)]) as stack:
        yield stack


@pytest.fixture(scope="module")
def ledger() -> Ledger:
    """One for the module: each outage is judged with all that was before it."""
    return Ledger()


async def judge(stack: Stack, ledger: Ledger, load: SteadyLoad, report: Report) -> None:
    verdict = await reach_verdict(stack, ledger, TARGETS)
    report(verdict.lines())
    verdict.require_exactness()
    assert not load.failures, load.failures


async def test_without_postgres_the_edges_go_on(stack: Stack, ledger: Ledger, report: Report) -> None:
    load = SteadyLoad(stack, ledger, Random(1), "no-postgres", Rates(commands=0))
    await stack.parts["postgres"].hold()
    await load.run(3)  # returns when every message is acknowledged
    assert len(ledger.acknowledged_messages) == len(ledger.messages) > 0
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.get(f"{stack.api}/tickets", headers={"authorization": f"Bearer {stack.api_key}"})
    assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")
    await stack.parts["postgres"].start()
    await judge(stack, ledger, load, report)


async def test_without_kafka_senders_are_asked_to_come_back_and_reading_goes_on(
    stack: Stack, ledger: Ledger, report: Report
) -> None:
    await SteadyLoad(stack, ledger, Random(2), "before-kafka-went").run(2)
    await stack.parts["kafka"].hold()
    sender = StandardWebhooksSender(SHOP_SECRET, time.time, name="away")
    headers = {"authorization": f"Bearer {stack.api_key}"}
    async with httpx.AsyncClient(trust_env=False, timeout=20) as client:
        # Noted and never acknowledged: what was refused may have been written all the same, but once.
        refused = ledger.message(InputKind.WEBHOOK, f"away-{uuid4()}", "away").provider_id
        webhook = await deliver(client, f"{stack.webhooks}/{SHOP}", sender.message("hello", id=refused))
        assert webhook.status_code == 503
        assert int(webhook.headers["retry-after"]) > 0
        refused = ledger.message(InputKind.MAIL, f"<{uuid4()}@a.example>", "away-mail").provider_id
        mail = await say(stack, write_mail(WRITER, SUPPORT_ADDRESS, "hello", "hello", message_id=refused))
        assert mail in (451, 452)
        tickets = await client.get(f"{stack.api}/tickets?limit=1", headers=headers)
        assert tickets.status_code == 200
        ticket_id = tickets.json()["items"][0]["ticket_id"]
        note = {"type": "note", "text": "written while Kafka was away"}
        write = await client.post(f"{stack.api}/tickets/{ticket_id}/commands", json=note, headers=headers)
        assert write.status_code == 503
    said = await say_at_slack(stack, ledger, 3)
    await stack.parts["ingest-webhook"].kill()
    await stack.parts["ingest-webhook"].wait_until_up()
    said += await say_at_slack(stack, ledger, 2)
    load = SteadyLoad(stack, ledger, Random(2), "no-kafka")
    going_on = asyncio.create_task(load.run(3))  # people insist, and Kafka comes back
    await stack.parts["kafka"].start()
    await going_on
    await judge(stack, ledger, load, report)
    assert await in_the_order_of_their_ticket(stack, said) == said


async def say_at_slack(stack: Stack, ledger: Ledger, count: int) -> list[str]:
    """Say something in one thread at Slack, which does not repeat for long; return the ids of what was said."""
    sender = SlackSender(SLACK_SECRET, time.time, channel="CSPOOL")
    said = []
    async with httpx.AsyncClient(trust_env=False, timeout=20) as client:
        for _ in range(count):
            ts = f"{time.time():.6f}"
            sent = ledger.message(InputKind.WEBHOOK, f"CSPOOL/{ts}", "spool")
            request = sender.message("while Kafka is away", ts=ts, thread_ts="1700000000.000001")
            assert (await deliver(client, f"{stack.webhooks}/{SLACK}", request)).is_success
            sent.acknowledged += 1
            said.append(sent.provider_id)
    return said


async def in_the_order_of_their_ticket(stack: Stack, said: list[str]) -> list[str]:
    rows = await stack.fetch(
        "SELECT data #>> '{message,provider_id}' AS said FROM ticket_events "
        "WHERE data #>> '{message,provider_id}' = ANY($1) ORDER BY ticket_id, version",
        said,
    )
    return [row["said"] for row in rows]


@pytest.mark.skipif(os.geteuid() != 0, reason="a small disk can be mounted by root alone")
async def test_with_a_full_object_storage_senders_are_asked_to_come_back(
    stack: Stack, ledger: Ledger, report: Report
) -> None:
    load = SteadyLoad(stack, ledger, Random(3), "full", Rates(webhooks=5, mails=5, commands=0))
    with small_disk(stack.layout.data_dir / "small") as disk:
        store = {"FIREBREAK_OBJECT_STORE": disk.as_uri()}
        await asyncio.gather(*(stack.parts[edge].stop() for edge in ("ingest-webhook", "ingest-email")))
        edges = [stack.add(edge, environment=store) for edge in ("ingest-webhook", "ingest-email")]
        await asyncio.gather(*(edge.start() for edge in edges))
        filler = disk / "filler"
        fill(filler)
        attachment = {"name": "photo", "content": base64.b64encode(os.urandom(ATTACHMENT_BYTES)).decode()}
        sender = StandardWebhooksSender(SHOP_SECRET, time.time, name="full")
        with_file = sender.message("look", id="full-file", attachments=[attachment])
        async with httpx.AsyncClient(trust_env=False, timeout=20) as client:
            assert (await deliver(client, f"{stack.webhooks}/{SHOP}", with_file)).status_code == 503
            # What needs no storage is taken all the same.
            sent = ledger.message(InputKind.WEBHOOK, "full-plain", "full-plain")
            plain = sender.message("no file", id=sent.provider_id)
            assert (await deliver(client, f"{stack.webhooks}/{SHOP}", plain)).is_success
            sent.acknowledged += 1
            mail = write_mail(WRITER, SUPPORT_ADDRESS, "full", "full", message_id="<full@a.example>")
            assert await say(stack, mail) == 452
            sending = asyncio.create_task(load.run(2))  # all of them insist
            filler.unlink()
            await sending
            sent = ledger.message(InputKind.WEBHOOK, "full-file", "full-file")
            assert (await deliver(client, f"{stack.webhooks}/{SHOP}", with_file)).is_success
            sent.acknowledged += 1
            sent = ledger.message(InputKind.MAIL, "<full@a.example>", "full-mail")
            assert await hand_over(stack.smtp, WRITER, mail) == 250
            sent.acknowledged += 1
        await judge(stack, ledger, load, report)
        await asyncio.gather(*(edge.stop() for edge in edges))


async def say(stack: Stack, raw: bytes) -> int:
    async with mail_sender(*stack.smtp) as session:
        return (await session.send(raw, WRITER, [SUPPORT_ADDRESS])).code
