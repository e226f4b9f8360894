"""A provider's mail over HTTP, through ingest-email as a process, into a real Kafka."""

import time
from pathlib import Path
from uuid import UUID

import httpx

from tests.support.mail_service import HOST, MAILBOXES, mail_service, read_log
from tests.support.partners.mailgun import MailgunSender
from tests.support.partners.signed_request import Way, deliver
from tests.support.servers import SharedKafka
from ticket_contracts.messages import Authentication
from ticket_contracts.reply_addresses import reply_address
from ticket_contracts.vocabulary import AuthenticationResult

HOOKS = """
hooks:
  - {name: mailgun-eu, provider: mailgun, secrets: ["env:MAILGUN_KEY"]}
"""
TICKET = UUID("01920000-0000-7000-8000-0000000000ff")
SECRET = "sixteen-characters-or-more"


async def test_a_mail_over_http_is_a_message_of_the_ticket_whose_address_it_was_sent_to_and_hooks_follow_their_file(
    kafka: SharedKafka, topics: str, tmp_path: Path
) -> None:
    address = reply_address("support@acme.example", "acme", TICKET, SECRET.encode())
    raw = (
        b"Authentication-Results: mx.acme.example; dmarc=pass\r\nReceived: from mailgun by mx.acme.example\r\n"
        b"From: li@customer.example\r\nSubject: pump\r\nContent-Type: text/plain; charset=gb2312\r\n\r\n"
    ) + "水泵漏水".encode("gb18030")
    sender = MailgunSender("signing-key", "next-key", time.time)
    async with (
        mail_service(
            kafka.bootstrap,
            topics,
            tmp_path,
            mailboxes=MAILBOXES + HOOKS,
            environment={"MAILGUN_KEY": "signing-key"},
            mail_trusted_server="mx.acme.example",
            reply_address_secrets=f"another-secret-in-front {SECRET}",
        ) as service,
        httpx.AsyncClient(trust_env=False) as client,
    ):
        hook = f"http://{HOST}:{service.http_port}/mail/mailgun-eu/mime"
        answer = await deliver(client, hook, sender.mail(raw, "li@customer.example", address))
        assert (answer.status_code, answer.text) == (200, "taken\n")
        moved = (MAILBOXES + HOOKS).replace("mailgun-eu", "mailgun-us")
        await service.change_mailboxes(moved.replace("MAILGUN_KEY", "NO_SUCH_KEY"), "refused")
        again = sender.mail(raw, "li@customer.example", address, Way.REPEATED)
        assert (await deliver(client, hook, again)).status_code == 200
        await service.change_mailboxes(moved, "done")
        assert (await deliver(client, hook, again)).status_code == 404
        assert (await deliver(client, hook.replace("mailgun-eu", "mailgun-us"), again)).status_code == 200
        metrics = (await client.get(f"http://{HOST}:{service.http_port}/metrics")).text
    assert 'firebreak_mail_hooks_total{hook="mailgun-eu",status="200"} 2.0' in metrics
    assert 'firebreak_mail_hooks_total{hook="mailgun-us",status="200"} 1.0' in metrics
    message, *repeats = await read_log(kafka.bootstrap, topics)
    assert {repeat.identity for repeat in repeats} == {message.identity}
    assert message.text == "水泵漏水"
    assert message.conversation.ticket_id == TICKET
    assert message.authentication == Authentication(dmarc=AuthenticationResult.PASS)
    assert message.raw is not None
    assert message.raw.size == len(raw)
