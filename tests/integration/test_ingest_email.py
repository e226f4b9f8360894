"""ingest-email as a process, over real SMTP, into a real Kafka."""

import asyncio
import os
import signal
import smtplib
import ssl
from collections.abc import AsyncIterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
import pytest_asyncio

from firebreak_cli.local_stack.ports import free_ports
from tests.support.mail_service import HOST, MailService, mail_service, read_log, self_signed
from tests.support.partners.mail_sender import mail_sender, write_mail
from tests.support.servers import SharedKafka
from ticket_contracts.vocabulary import Automation

CUSTOMER = "ann@customer.example"
SUPPORT = "support@acme.example"


def _mail(name: str, **extra: str) -> bytes:
    headers = [(key.replace("_", "-"), value) for key, value in extra.items()]
    return write_mail(
        CUSTOMER, SUPPORT, f"Pump {name}", "It leaks.", message_id=f"<{name}@customer.example>", headers=headers
    )


@pytest_asyncio.fixture
async def service(kafka: SharedKafka, topics: str, tmp_path: Path) -> AsyncIterator[MailService]:
    async with mail_service(kafka.bootstrap, topics, tmp_path) as running:
        yield running


async def test_an_accepted_mail_is_in_the_log_and_its_original_in_storage(
    service: MailService, kafka: SharedKafka, topics: str
) -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "李雷 <li@customer.example>", SUPPORT, "水泵漏水"
    mail["Message-ID"] = "<first@customer.example>"
    mail.set_content("订单 12")
    mail.add_alternative("<p>订单 12<script>steal()</script></p>", subtype="html")
    mail.add_attachment(b"%PDF-", maintype="application", subtype="pdf", filename="照片.pdf")
    raw = mail.as_bytes(policy=mail.policy.clone(linesep="\r\n"))

    def deliver() -> None:
        with smtplib.SMTP(HOST, service.smtp_port) as client:
            client.sendmail("li@customer.example", ["Support+vip@acme.example"], raw)

    await asyncio.to_thread(deliver)
    (message,) = await read_log(kafka.bootstrap, topics)
    assert (message.subject, message.text.strip(), message.sender.name) == ("水泵漏水", "订单 12", "李雷")
    assert (message.brand, message.source, message.account) == ("acme", "mail-support", SUPPORT)
    assert message.conversation.key == "<first@customer.example>"
    assert message.raw is not None
    assert await service.storage.get(message.raw.key) == raw
    assert message.html is not None
    assert b"steal" not in await service.storage.get(message.html.key)
    assert [item.name for item in message.attachments] == ["照片.pdf"]
    assert await service.storage.get(message.attachments[0].content.key) == b"%PDF-"


async def test_a_repeated_delivery_has_the_same_identity_and_each_mailbox_its_own(
    service: MailService, kafka: SharedKafka, topics: str
) -> None:
    async with mail_sender(HOST, service.smtp_port) as sender:
        assert (await sender.send(_mail("a"), CUSTOMER, [SUPPORT, "sales@acme.example"])).code == 250
        relayed = b"Received: from another.example\r\n" + _mail("a")
        assert (await sender.send(relayed, CUSTOMER, [SUPPORT])).code == 250
    messages = await read_log(kafka.bootstrap, topics)
    assert sorted(message.source for message in messages) == ["mail-sales", "mail-support", "mail-support"]
    assert len({message.message_id for message in messages}) == 3
    assert len({message.identity for message in messages}) == 2


async def test_only_known_mailboxes_take_mail(service: MailService) -> None:
    async with mail_sender(HOST, service.smtp_port) as sender:
        assert (await sender.send(_mail("a"), CUSTOMER, ["nobody@acme.example"])).code == 550
        assert (await sender.send(_mail("a"), CUSTOMER, ["support@other.example"])).code == 550
        assert (await sender.send(_mail("a"), CUSTOMER, [SUPPORT])).code == 250


async def test_a_bounce_of_our_mail_refers_to_it_and_starts_nothing(
    service: MailService, kafka: SharedKafka, topics: str
) -> None:
    bounce = (
        b"From: MAILER-DAEMON@customer.example\r\nSubject: failed\r\nMessage-ID: <b@customer.example>\r\n"
        b"Content-Type: multipart/report; report-type=delivery-status; boundary=r\r\n\r\n"
        b"--r\r\n\r\nNo such user.\r\n--r\r\nContent-Type: message/delivery-status\r\n\r\nStatus: 5.1.1\r\n"
        b"--r\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: <ours@acme.example>\r\n\r\nHi\r\n--r--\r\n"
    )
    async with mail_sender(HOST, service.smtp_port) as sender:
        assert (await sender.send(bounce, "", [SUPPORT])).code == 250
    (message,) = await read_log(kafka.bootstrap, topics)
    assert message.automation is Automation.BOUNCE
    assert not message.automation.starts_tickets
    assert message.conversation.refers_to == ("<ours@acme.example>",)


async def test_a_worker_killed_in_the_middle_costs_no_mail(
    service: MailService, kafka: SharedKafka, topics: str
) -> None:
    async def deliver(first: int) -> list[int]:
        async with mail_sender(HOST, service.smtp_port) as sender:
            names = [f"mail{number}" for number in range(first, first + 50)]
            return [(await sender.send(_mail(name), CUSTOMER, [SUPPORT])).code for name in names]

    deliveries = [asyncio.create_task(deliver(first)) for first in range(0, 200, 50)]
    for _ in range(3):
        known = service.worker_pids()
        for pid in known:
            os.kill(pid, signal.SIGKILL)
        await _until_replaced(service, known)
    codes = [code for delivery in deliveries for code in await delivery]
    messages = await read_log(kafka.bootstrap, topics)
    assert codes == [250] * 200
    assert {message.subject for message in messages} == {f"Pump mail{number}" for number in range(200)}


async def test_a_mail_that_kills_its_reader_is_accepted_with_its_original_and_delays_no_other(
    service: MailService, kafka: SharedKafka, topics: str
) -> None:
    poison = b"From: mallory@customer.example\r\nSubject: poison\r\nIn-Reply-To: <root@customer.example>\r\n" + (
        b"Content-Type: text/html\r\n\r\n<a\r\n" + b"".join(b"x%d\r\n" % number for number in range(120_000)) + b">\r\n"
    )

    async def deliver_poison() -> int:
        async with mail_sender(HOST, service.smtp_port) as sender:
            return (await sender.send(poison, CUSTOMER, [SUPPORT])).code

    poisoned = asyncio.create_task(deliver_poison())
    others = 0
    async with mail_sender(HOST, service.smtp_port) as sender:
        while not poisoned.done():
            assert (await sender.send(_mail("a"), CUSTOMER, [SUPPORT])).code == 250
            others += not poisoned.done()
    assert await poisoned == 250
    assert others > 1  # accepted while the poison still kept its reader busy
    (message,) = [message for message in await read_log(kafka.bootstrap, topics) if message.subject == "poison"]
    assert message.reading_problems
    assert message.conversation.refers_to == ("<root@customer.example>",)
    assert message.raw is not None
    assert await service.storage.get(message.raw.key) == poison


async def test_a_mail_above_the_limit_is_refused_before_or_after_its_data(
    kafka: SharedKafka, topics: str, tmp_path: Path
) -> None:
    large = _mail("large") + b"x" * 70 * 1000 + b"\r\n"
    async with (
        mail_service(kafka.bootstrap, topics, tmp_path, smtp_message_bytes=50_000, smtp_line_bytes=100_000) as service,
        mail_sender(HOST, service.smtp_port) as sender,
    ):
        assert "SIZE 50000" in (await sender.command("EHLO again.example")).text
        assert (await sender.send(large, CUSTOMER, [SUPPORT], declare_size=True)).code == 552
        assert (await sender.send(large, CUSTOMER, [SUPPORT])).code == 552
        assert (await sender.send(_mail("small"), CUSTOMER, [SUPPORT])).code == 250
    assert [message.subject for message in await read_log(kafka.bootstrap, topics)] == ["Pump small"]


async def test_connections_recipients_lines_and_memory_are_limited(
    kafka: SharedKafka, topics: str, tmp_path: Path
) -> None:
    limits: dict[str, Any] = {
        "smtp_connections_per_address": 2,
        "smtp_recipients": 2,
        "smtp_line_bytes": 2000,
        "smtp_message_bytes": 60_000,
        "smtp_buffered_bytes": 60_000,
    }
    async with (
        mail_service(kafka.bootstrap, topics, tmp_path, **limits) as service,
        mail_sender(HOST, service.smtp_port) as sender,
        mail_sender(HOST, service.smtp_port) as other,
    ):
        async with mail_sender(HOST, service.smtp_port) as third:
            assert third.greeting.code == 421
        assert (await sender.send(_mail("a") + b"y" * 3000, CUSTOMER, [SUPPORT])).code == 500
        await sender.command(f"MAIL FROM:<{CUSTOMER}>")
        codes = [(await sender.command(f"RCPT TO:<support+{tag}@acme.example>")).code for tag in "abc"]
        assert codes == [250, 250, 452]
        await sender.command("DATA")
        sender.write(b"z\r\n" * 17_000)
        second = await other.send(_mail("b") + b"z\r\n" * 10_000, CUSTOMER, [SUPPORT])
        first = await sender.command(".")
        # Whose bytes come last over the limit is cut off; the other one's mail is taken.
        assert sorted((first.code, second.code)) in ([0, 250], [250, 421])


@pytest.mark.parametrize("end", [b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r"])
async def test_no_second_mail_is_smuggled_in_behind_another_end_of_data(
    service: MailService, kafka: SharedKafka, topics: str, end: bytes
) -> None:
    hidden = b"MAIL FROM:<boss@acme.example>\r\nRCPT TO:<support@acme.example>\r\nDATA\r\n" + _mail("hidden")
    async with mail_sender(HOST, service.smtp_port) as sender:
        for command in (f"MAIL FROM:<{CUSTOMER}>", f"RCPT TO:<{SUPPORT}>", "DATA"):
            await sender.command(command)
        sender.write(_mail("seen") + b"x" + end + hidden + b"\r\n")  # as it is: `send` would double the dots
        assert (await sender.command(".")).code == 250
    (message,) = await read_log(kafka.bootstrap, topics)
    assert message.subject == "Pump seen"
    assert message.raw is not None
    assert hidden.split(b"\r\n")[0] in await service.storage.get(message.raw.key)


async def test_a_mail_of_no_bytes_is_a_message_of_its_envelope_s_sender(
    service: MailService, kafka: SharedKafka, topics: str
) -> None:
    async with mail_sender(HOST, service.smtp_port) as sender:
        for person in (CUSTOMER, "ben@customer.example"):
            assert (await sender.send(b"", person, [SUPPORT])).code == 250
    messages = await read_log(kafka.bootstrap, topics)
    assert {message.sender.value for message in messages} == {CUSTOMER, "ben@customer.example"}
    assert len({message.identity for message in messages}) == 2


async def test_mail_comes_encrypted_when_a_certificate_is_configured(
    kafka: SharedKafka, topics: str, tmp_path: Path
) -> None:
    certificate, key = self_signed(tmp_path)
    tls: dict[str, Any] = {"smtp_tls_certificate": certificate, "smtp_tls_key": key}
    async with mail_service(kafka.bootstrap, topics, tmp_path, **tls) as service:

        def deliver() -> None:
            with smtplib.SMTP(HOST, service.smtp_port) as client:
                client.starttls(context=ssl.create_default_context(cafile=str(certificate)))
                client.ehlo()
                assert not client.has_extn("auth")
                client.sendmail(CUSTOMER, [SUPPORT], _mail("secret"))

        await asyncio.to_thread(deliver)
    assert [message.subject for message in await read_log(kafka.bootstrap, topics)] == ["Pump secret"]


async def test_a_silent_connection_is_closed(kafka: SharedKafka, topics: str, tmp_path: Path) -> None:
    async with mail_service(kafka.bootstrap, topics, tmp_path, smtp_idle_seconds=0.3) as service:
        reader, writer = await asyncio.open_connection(HOST, service.smtp_port)
        async with asyncio.timeout(5):
            assert (await reader.read()).startswith(b"220")
        writer.close()


async def test_without_kafka_senders_are_told_to_try_again(tmp_path: Path) -> None:
    nobody = f"{HOST}:{free_ports(1)[0]}"
    async with (
        mail_service(nobody, "", tmp_path, ready=False) as service,
        mail_sender(HOST, service.smtp_port) as sender,
        httpx.AsyncClient(trust_env=False) as client,
    ):
        assert (await sender.send(_mail("a"), CUSTOMER, [SUPPORT])).code == 451
        ready = await client.get(f"http://{HOST}:{service.http_port}/ready")
        assert ready.status_code == 503
        assert "Kafka" in ready.text


async def test_without_object_storage_senders_are_told_to_try_again_until_it_is_back(service: MailService) -> None:
    objects = service.object_folder / "sha256"
    aside = objects.rename(service.object_folder / "aside")
    objects.write_text("in the way")
    async with mail_sender(HOST, service.smtp_port) as sender:
        assert (await sender.send(_mail("a"), CUSTOMER, [SUPPORT])).code == 452
        objects.unlink()
        aside.rename(objects)
        assert (await sender.send(_mail("a"), CUSTOMER, [SUPPORT])).code == 250


async def test_a_stop_answers_the_mail_on_its_way_and_leaves_no_process(
    service: MailService, kafka: SharedKafka, topics: str
) -> None:
    workers = service.worker_pids()
    async with mail_sender(HOST, service.smtp_port) as sender:
        await sender.command(f"MAIL FROM:<{CUSTOMER}>")
        await sender.command(f"RCPT TO:<{SUPPORT}>")
        await sender.command("DATA")
        sender.write(b"Subject: half")
        stop = asyncio.create_task(service.stop())
        await _until_closed(service)
        reply = await sender.command(" sent\r\n\r\nbody\r\n.")
        assert reply.code == 250
        assert await stop == 0
    assert [message.subject for message in await read_log(kafka.bootstrap, topics)] == ["half sent"]
    assert not [pid for pid in workers if psutil.pid_exists(pid)]


async def _until_replaced(service: MailService, known: list[int]) -> None:
    async with asyncio.timeout(20):
        while len(set(service.worker_pids()) - set(known)) < 2:  # noqa: ASYNC110 - another process's doing
            await asyncio.sleep(0.02)


async def _until_closed(service: MailService) -> None:
    """Wait until nobody can connect any more."""
    async with asyncio.timeout(5):
        while True:
            try:
                _, writer = await asyncio.open_connection(HOST, service.smtp_port)
            except ConnectionRefusedError:
                return
            writer.close()
            await asyncio.sleep(0.02)
