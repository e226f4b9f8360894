"""The dialogue by SMTP and LMTP where it goes wrong: answers stay in step, and who is gone is not counted."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from ingest_email.accept_mail import AcceptMail
from ingest_email.delivery import Mailbox
from ingest_email.door import Door, SmtpLimits, client_of
from ingest_email.mailboxes import FindMailbox
from ingest_email.metrics import MailMetrics
from ingest_email.receive_mail import ReceiveMail
from ingest_email.smtp_server import load_tls, open_smtp_server
from ingest_email.smtp_session import LmtpSession
from tests.support.kept_part import wait_until
from tests.support.mail_service import self_signed

HOST = "127.0.0.1"


class Defect(AcceptMail):
    """What follows the dialogue, with a defect that nobody foresaw."""

    def __init__(self) -> None:
        """Has nothing of what it would take."""

    async def accept(
        self, raw: bytes, envelope_sender: str, mailboxes: Sequence[Mailbox], recipients: Sequence[str] = ()
    ) -> None:
        raise RuntimeError


class Everybody:
    """Mailboxes: every address is one."""

    def find(self, address: str) -> Mailbox | None:
        return Mailbox(address, "acme", address, "mail", "+")


EVERYBODY = Everybody().find


class OneGoes(Everybody):
    """All are there when they are named; the second is removed from the file before the mail comes."""

    def __init__(self) -> None:
        self._asked = 0

    def find(self, address: str) -> Mailbox | None:
        self._asked += 1
        return None if self._asked > len(THREE) - 1 and address.startswith("y@") else super().find(address)


class Taken(Defect):
    """Takes every mail, for whomever it is."""

    async def accept(
        self, raw: bytes, envelope_sender: str, mailboxes: Sequence[Mailbox], recipients: Sequence[str] = ()
    ) -> None:
        """Nothing is told of it."""


@asynccontextmanager
async def a_door(
    tls: ssl.SSLContext | None = None,
    idle_seconds: float = 60,
    accept: AcceptMail | None = None,
    find: FindMailbox = EVERYBODY,
) -> AsyncIterator[tuple[Door, int]]:
    metrics = MailMetrics(CollectorRegistry())
    limits = SmtpLimits(10_000, 2000, 10, 10, 0, 100_000, idle_seconds)
    door = Door(limits, metrics, asyncio.get_running_loop().time)
    handler = ReceiveMail(accept or Defect(), find, 100, metrics)
    async with open_smtp_server(HOST, 0, "mx.example", handler, door, limits, tls, LmtpSession) as port:
        yield door, port


async def ask(port: int, *lines: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection(HOST, port)
    writer.write(b"".join(line + b"\r\n" for line in (b"LHLO client.example", *lines)))
    return reader, writer


THREE = (b"MAIL FROM:<a@b.example>", b"RCPT TO:<x@y.example>", b"RCPT TO:<y@y.example>", b"RCPT TO:<z@y.example>")


async def codes_after(
    lines: tuple[bytes, ...], greeting: int, accept: AcceptMail | None = None, find: FindMailbox = EVERYBODY
) -> list[bytes]:
    """The codes of all answers after those to LHLO, MAIL and RCPT."""
    async with a_door(accept=accept, find=find) as (_, port):
        reader, writer = await ask(port, *THREE, *lines, b"QUIT")
        said = (await reader.read()).splitlines()
        writer.close()
    return [line[:3] for line in said if line[3:4] == b" "][greeting:]


async def test_a_defect_is_told_to_each_recipient_of_an_lmtp_mail() -> None:
    assert await codes_after((b"DATA", b"hello", b"."), 6) == [b"354", b"451", b"451", b"451", b"221"]


async def test_a_mail_to_a_mailbox_that_is_removed_meanwhile_is_not_called_accepted() -> None:
    codes = await codes_after((b"DATA", b"hello", b"."), 6, Taken(), OneGoes().find)
    assert codes == [b"354", b"451", b"451", b"451", b"221"]


async def test_a_data_command_that_is_refused_has_one_answer_however_many_recipients_there_are() -> None:
    assert await codes_after((b"DATA now",), 6) == [b"501", b"221"]


async def _is_empty(door: Door) -> bool:
    return not door.sessions


async def test_a_client_that_begins_tls_and_says_no_more_is_not_counted_for_ever(tmp_path: Path) -> None:
    async with a_door(load_tls(*self_signed(tmp_path)), idle_seconds=0.2) as (door, port):
        reader, writer = await ask(port, b"STARTTLS")
        await reader.read()  # until we are sent away
        writer.close()
        await wait_until(lambda: _is_empty(door), 10, "nobody is counted any more")
        assert door.has_room_for(HOST)


@pytest.mark.parametrize(
    ("address", "client"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8::7", "2001:db8::/64"),
        ("fe80::1%eth0", "fe80::/64"),
    ],
)
def test_a_client_of_ipv6_is_its_network(address: str, client: str) -> None:
    assert client_of(address) == client
