"""Doors of ingest-email beside plain SMTP: LMTP, encrypted only, a share for each client; and a Postfix before it."""

import asyncio
import smtplib
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest_asyncio

from tests.support.kept_part import wait_until
from tests.support.mail_service import HOST, MailService, mail_service, read_log, self_signed
from tests.support.partners.mail_sender import mail_sender, write_mail
from tests.support.postfix import flush, running_postfix
from tests.support.servers import SharedKafka, kafka_server
from ticket_contracts.topics import TOPICS
from ticket_stream.topic_admin import create_topics

CUSTOMER = "ann@customer.example"
SUPPORT, SALES = "support@acme.example", "sales@acme.example"
SECONDS = 120.0  # to come back on a busy machine; ten are usual


def _mail(name: str) -> bytes:
    return write_mail(CUSTOMER, SUPPORT, f"Pump {name}", "It leaks.", message_id=f"<{name}@customer.example>")


@pytest_asyncio.fixture
async def service(kafka: SharedKafka, topics: str, tmp_path: Path) -> AsyncIterator[MailService]:
    async with mail_service(kafka.bootstrap, topics, tmp_path, smtp_message_bytes=50_000) as running:
        yield running


async def test_lmtp_answers_for_each_recipient_that_it_took(
    service: MailService, kafka: SharedKafka, topics: str
) -> None:
    async with mail_sender(HOST, service.lmtp_port, "LHLO") as sender:
        first = await sender.send(_mail("a"), CUSTOMER, [SUPPORT, "nobody@acme.example", SALES])
        second = await sender.next_reply()
        assert (first, second) == (second, first)
        assert first.text.startswith("2.0.0")
        assert (await sender.send(_mail("b"), CUSTOMER, [SUPPORT])).code == 250
    messages = await read_log(kafka.bootstrap, topics)
    assert sorted((message.source, message.subject) for message in messages) == [
        ("mail-sales", "Pump a"),
        ("mail-support", "Pump a"),
        ("mail-support", "Pump b"),
    ]


async def test_lmtp_refuses_a_mail_once_for_each_recipient(service: MailService) -> None:
    large = _mail("large") + b"x\r\n" * 30_000
    async with mail_sender(HOST, service.lmtp_port, "LHLO") as sender:
        refusals = [await sender.send(large, CUSTOMER, [SUPPORT, SALES]), await sender.next_reply()]
        assert [refusal.code for refusal in refusals] == [552, 552]
        assert (await sender.send(_mail("small"), CUSTOMER, [SUPPORT])).code == 250  # the answers are still in step


async def test_lmtp_offers_what_its_standard_demands_and_takes_no_other_greeting(service: MailService) -> None:
    async with mail_sender(HOST, service.lmtp_port, "LHLO") as sender:
        offered = (await sender.command("LHLO again.example")).text.splitlines()
        assert {"PIPELINING", "ENHANCEDSTATUSCODES", "8BITMIME", "SIZE 50000"} <= set(offered)
        assert (await sender.command("EHLO smtp.example")).code == 500
        assert (await sender.command("HELO smtp.example")).code == 500
    async with mail_sender(HOST, service.smtp_port) as sender:
        assert (await sender.command("LHLO lmtp.example")).code == 500
        assert (await sender.command("BOGUS")).text.startswith("5.5.2")


async def test_each_client_has_its_share_of_mails_and_none_in_plain_where_that_is_refused(
    kafka: SharedKafka, topics: str, tmp_path: Path
) -> None:
    certificate, key = self_signed(tmp_path)
    limits: dict[str, Any] = {
        "smtp_mails_per_minute": 2,
        "smtp_require_tls": "true",
        "smtp_tls_certificate": certificate,
        "smtp_tls_key": key,
    }

    def say(service: MailService) -> list[int]:
        with smtplib.SMTP(HOST, service.smtp_port) as client:
            client.ehlo()
            codes = [client.mail(CUSTOMER)[0]]
            client.starttls()
            client.ehlo()
            for name in "ab":
                client.sendmail(CUSTOMER, [SUPPORT], _mail(name))
            return [*codes, client.mail(CUSTOMER)[0]]

    async with mail_service(kafka.bootstrap, topics, tmp_path, **limits) as service:
        assert await asyncio.to_thread(say, service) == [530, 450]
    assert len(await read_log(kafka.bootstrap, topics)) == 2


async def test_postfix_queues_what_we_cannot_take_and_delivers_it_once_kafka_is_back(tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="firebreak-postfix-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # noqa: ASYNC240 - once
        async with kafka_server() as kafka:
            await create_topics(kafka.bootstrap, "", TOPICS)
            async with (
                mail_service(kafka.bootstrap, "", tmp_path) as service,
                running_postfix(folder, service.lmtp_port) as smtp_port,
                mail_sender(HOST, smtp_port) as sender,
            ):
                assert (await sender.send(_mail("before"), CUSTOMER, [SUPPORT, SALES])).code == 250
                await wait_until(lambda: _has(kafka.bootstrap, 2), SECONDS, "the first mail is in the log")
                await kafka.kill()
                assert (await sender.send(_mail("during"), CUSTOMER, [SUPPORT, SALES])).code == 250
                await wait_until(lambda: _said(folder, "status=deferred"), SECONDS, "Postfix was told to come back")
                await kafka.restart()
                await wait_until(lambda: _delivered(folder), SECONDS, "Postfix delivered both", every=1.0)
                messages = await read_log(kafka.bootstrap, "")
    assert {(message.source, message.subject) for message in messages} == {
        (source, subject) for source in ("mail-support", "mail-sales") for subject in ("Pump before", "Pump during")
    }
    assert len({message.identity for message in messages}) == 4


async def _has(kafka: str, count: int) -> bool:
    return len(await read_log(kafka, "")) >= count


async def _delivered(folder: Path) -> bool:
    await flush(folder)
    return await _said(folder, "dsn=2.0.0, status=sent", 4)


async def _said(folder: Path, words: str, times: int = 1) -> bool:
    file = folder / "log" / "maillog"
    return file.is_file() and file.read_text().count(words) >= times
