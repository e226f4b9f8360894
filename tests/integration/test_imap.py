"""Mailboxes read over IMAP from a real Dovecot, as jobs: every mail once, whatever happens on the way."""

import asyncio
import imaplib
import json
import signal
import ssl
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest
import pytest_asyncio
import yaml
from prometheus_client import CollectorRegistry
from uuid_utils.compat import uuid7

from ingest_email.accept_mail import AcceptMail
from ingest_email.check_sources import open_trials
from ingest_email.delivery import Mailbox
from ingest_email.imap_jobs import CONSUMER
from ingest_email.imap_mailbox import Account
from ingest_email.metrics import MailMetrics
from ingest_email.read_imap import ImapSource, ReadImap
from ingest_email.reading_pool import open_reading_pool
from ingest_email.sealed_addresses import SealedAddresses
from service_kit.supervisor import Supervisor
from tests.support.commit_cutter import open_commit_cutter, through
from tests.support.dovecot import HOST, PASSWORD, Dovecot, running_dovecot
from tests.support.kept_part import wait_until
from tests.support.mail_service import mail_service, read_log, self_signed
from tests.support.partners.mail_sender import write_mail
from tests.support.partners.token_server import CLIENT, REFRESH_TOKEN, TokenServer, running_token_server
from tests.support.servers import SharedKafka, SharedPostgres
from ticket_contracts.messages import MessageReceived
from ticket_contracts.topics import MESSAGES
from ticket_intake.source_checks import Asked, Outcome
from ticket_store.object_storage import ObjectStorage
from ticket_stream.edge_publisher import EdgePublisher, open_edge_publisher
from ticket_stream.job_runner import JobRunner

SECONDS = 60.0  # to come about on a busy machine; one is usual
LARGEST = 20_000
USERS = [
    f"{name}@acme.example"
    for name in ("support", "sales", "restarted", "renumbered", "shared", "odd", "checked", "killed", "added")
]


@dataclass(frozen=True)
class World:
    """What the jobs of this module have in common."""

    dovecot: Dovecot
    kafka: str
    topics: str
    postgres: str
    pool: "asyncpg.Pool[asyncpg.Record]"
    publisher: EdgePublisher
    accept: AcceptMail
    tokens: TokenServer
    certificate: Path

    def source(self, user: str, begin: str = "start") -> ImapSource:
        async def password() -> str:
            return PASSWORD

        account = Account(HOST, self.dovecot.port, "none", user, "INBOX", "password")
        mailbox = Mailbox(user, "acme", user, "mail-imap")
        return ImapSource(account, mailbox, password, "start" if begin == "start" else "now", 1.0)

    @asynccontextmanager
    async def reading(self, user: str, consumer: str = "imap-test") -> AsyncIterator[JobRunner]:
        """Read a user's INBOX while the block lasts."""
        job = ReadImap(self.source(user), self.accept, ssl.create_default_context(), LARGEST, lambda: datetime.now(UTC))
        job.interval_seconds = 0.05
        runner = JobRunner(consumer, [job], self.publisher.publish, self.pool, first_pause_seconds=0.02)
        task = asyncio.create_task(runner.run())
        try:
            yield runner
        finally:
            runner.stop()
            await task

    def mailboxes(self, *users: str) -> str:
        """A mailboxes file that reads these users' INBOX."""
        place = (
            f"host: {HOST}, port: {self.dovecot.port}, security: none, begin: start, password: {{value: {PASSWORD}}}"
        )
        entries = (
            f"  - {{address: {user}, brand: acme, source: mail-imap, imap: {{{place}, user: {user}}}}}"
            for user in users
        )
        return "\n".join(["mailboxes:", *entries])

    async def owner(self, user: str, port: int = 0) -> str | None:
        """The process that has the job of a user's INBOX, read by a port of Dovecot's, usually the plain one."""
        name = f"imap/{user}@{HOST}:{port or self.dovecot.port}/INBOX"
        owner: str | None = await self.pool.fetchval("SELECT owner FROM stream_jobs WHERE name = $1", name)
        return owner

    async def cursor(self, user: str, port: int = 0) -> int:
        """The UID that the service has read a user's INBOX to, by the same port."""
        name = f"imap/{user}@{HOST}:{port or self.dovecot.port}/INBOX"
        row = await self.pool.fetchval(
            "SELECT cursor FROM stream_jobs WHERE consumer = $1 AND name = $2", CONSUMER, name
        )
        return int(json.loads(row)["uid"])

    async def messages(self, user: str) -> list[MessageReceived]:
        """What Kafka has of a user's INBOX."""
        return [message for message in await read_log(self.kafka, self.topics) if message.account == user]

    async def has(self, user: str, *subjects: str) -> None:
        """Wait until each of these has come at least once."""

        async def come() -> bool:
            return {message.subject for message in await self.messages(user)} >= set(subjects)

        await wait_until(come, SECONDS, f"{subjects} have come")


@pytest_asyncio.fixture(scope="module")
async def world(kafka: SharedKafka, postgres: SharedPostgres) -> AsyncIterator[World]:
    topics = "test-imap."
    await kafka.create_topics(topics)
    database = await postgres.fresh_database()
    metrics, supervisor = MailMetrics(CollectorRegistry()), Supervisor()
    with tempfile.TemporaryDirectory(prefix="firebreak-dovecot-") as name:
        folder = _open_to_others(name)
        certificate = self_signed(folder)
        storage = ObjectStorage.open((folder / "objects").as_uri())
        async with (
            running_token_server("sales@acme.example") as tokens,
            running_dovecot(folder, USERS, certificate, tokens.info_url) as dovecot,
            asyncpg.create_pool(database, min_size=1, max_size=8) as pool,
            open_edge_publisher(kafka.bootstrap, topics, topics=(MESSAGES,)) as publisher,
            open_reading_pool(1, [], metrics, supervisor) as reading,
        ):
            accept = AcceptMail(
                storage, reading, publisher, metrics, lambda: datetime.now(UTC), uuid7, SealedAddresses([])
            )
            yield World(dovecot, kafka.bootstrap, topics, database, pool, publisher, accept, tokens, certificate[0])
    await kafka.delete_topics(topics)


def _open_to_others(name: str) -> Path:
    """Dovecot has a user of its own."""
    folder = Path(name)
    folder.chmod(0o755)
    return folder


def _mail(name: str, text: str = "It leaks.") -> bytes:
    written = write_mail(
        "ann@customer.example", "support@acme.example", name, text, message_id=f"<{name}@customer.example>"
    )
    return b"Return-Path: <ann@customer.example>\r\n" + written.replace(b"\n", b"\r\n")


async def test_mailboxes_are_read_by_password_and_by_token_stay_as_they_are_and_come_and_go_with_their_file(
    world: World, tmp_path: Path
) -> None:
    support, sales = "support@acme.example", "sales@acme.example"
    world.dovecot.deliver(support, _mail("support-1"))
    world.dovecot.deliver(sales, _mail("sales-1"))
    place = f"host: {HOST}, begin: start"
    mailboxes = f"""
mailboxes:
  - address: {support}
    brand: acme
    source: mail-support
    imap: {{{place}, port: {world.dovecot.tls_port}, user: {support}, password: "env:SUPPORT_PASSWORD"}}
  - address: {sales}
    brand: acme
    source: mail-sales
    imap:
      {{{place}, port: {world.dovecot.port}, security: starttls, user: {sales}, oauth2:
      {{token_url: "{world.tokens.token_url}", client_id: {CLIENT}, refresh_token: {{value: {REFRESH_TOKEN}}}}}}}
"""
    async with mail_service(
        world.kafka,
        world.topics,
        tmp_path,
        mailboxes=mailboxes,
        environment={"SSL_CERT_FILE": str(world.certificate), "SUPPORT_PASSWORD": PASSWORD},
        postgres=world.postgres,
    ) as service:
        await world.has(support, "support-1")
        await world.has(sales, "sales-1")
        world.dovecot.deliver(support, _mail("support-2"))
        await world.has(support, "support-2")
        await service.change_mailboxes("mailboxes: nonsense", "refused")
        world.dovecot.deliver(sales, _mail("sales-2"))
        world.dovecot.deliver("added@acme.example", _mail("added-1"))
        await world.has(sales, "sales-2")
        await service.change_mailboxes(world.mailboxes("added@acme.example"), "done")
        await world.has("added@acme.example", "added-1")
        assert await world.owner(support, world.dovecot.tls_port) is None
        assert await world.cursor(support, world.dovecot.tls_port) == 2
    messages = await world.messages(support)
    assert sorted((each.subject, each.source, each.sender.value) for each in messages) == [
        ("support-1", "mail-support", "ann@customer.example"),
        ("support-2", "mail-support", "ann@customer.example"),
    ]
    assert await asyncio.to_thread(_flags, world.dovecot, support) == [b"", b""]


CHECKED: tuple[tuple[dict[str, Any], Outcome, str], ...] = (
    ({}, Outcome.PASSED, "mails: 2, unseen: 2; IDLE"),
    ({"password": {"value": "wrong"}}, Outcome.FAILED, "AUTHENTICATIONFAILED"),
    ({"folder": "收件箱"}, Outcome.FAILED, "Mailbox doesn't exist"),
    ({"host": "localhost"}, Outcome.FAILED, "certificate is refused"),
    ({"port": 9}, Outcome.FAILED, "Connect call failed"),
    ({"password": "env:ABSENT"}, Outcome.FAILED, "the environment has no ABSENT"),
)


async def test_a_check_looks_into_a_folder_says_what_is_wrong_and_leaves_it_as_it_is(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = "checked@acme.example"
    for name in ("checked-1", "checked-2"):
        world.dovecot.deliver(user, _mail(name))
    monkeypatch.setenv("SSL_CERT_FILE", str(world.certificate))
    usual = {"host": HOST, "port": world.dovecot.tls_port, "user": user, "password": {"value": PASSWORD}}
    for changes, outcome, told in CHECKED:
        box = {"address": user, "brand": "acme", "source": "mail", "imap": {**usual, **changes}}
        (tmp_path / "mailboxes.yaml").write_text(yaml.safe_dump({"mailboxes": [box]}))
        async with open_trials(Asked(tmp_path / "mailboxes.yaml", None, {}, datetime.now(UTC))) as [trial]:
            [attempt] = [each async for each in trial.attempts()]
        assert (attempt.outcome, told in attempt.answer) == (outcome, True), attempt
        assert PASSWORD not in f"{attempt}"
    assert await asyncio.to_thread(_flags, world.dovecot, user) == [b"", b""]


async def test_a_process_killed_between_publishing_and_its_cursors_move_loses_and_doubles_nothing(
    world: World, tmp_path: Path
) -> None:
    user, published = "killed@acme.example", ["page-1", "page-2", "page-3"]
    world.dovecot.deliver(user, _mail("taken"))
    async with open_commit_cutter(urlsplit(world.postgres).port or 0) as relay:
        postgres, mailboxes = through(relay.port, world.postgres), world.mailboxes(user)
        running = mail_service(world.kafka, world.topics, tmp_path, mailboxes=mailboxes, postgres=postgres)
        async with running as service:
            await world.has(user, "taken")
            await wait_until(lambda: _idles(world.dovecot, user), SECONDS, "the process waits in IDLE")
            await relay.take_away()  # so that mails can be published, and no cursor moved
            service.process.send_signal(signal.SIGSTOP)  # so that all are there when it looks
            for name in published:
                world.dovecot.deliver(user, _mail(name))
            service.process.send_signal(signal.SIGCONT)
            await world.has(user, *published)
            service.process.kill()
            await service.process.wait()
    assert await world.cursor(user) == 1
    world.dovecot.deliver(user, _mail("next"))
    async with world.reading(user, CONSUMER):
        await world.has(user, "next")
    identities = [(message.subject, message.identity) for message in await world.messages(user)]
    assert sorted(subject for subject, _ in identities) == sorted(["next", "taken", *published, *published])
    assert len(set(identities)) == 5  # each repeat is the same message, and the record keeps one of it


async def test_a_server_that_restarts_while_we_wait_is_read_on_where_we_were(world: World) -> None:
    user = "restarted@acme.example"
    world.dovecot.deliver(user, _mail("before"))
    async with world.reading(user):
        await world.has(user, "before")
        await wait_until(lambda: _idles(world.dovecot, user), SECONDS, "the job waits in IDLE")
        await world.dovecot.restart()
        world.dovecot.deliver(user, _mail("after"))
        await world.has(user, "after")
    assert sorted(message.subject for message in await world.messages(user)) == ["after", "before"]


async def test_a_mailbox_with_new_numbers_loses_nothing_and_what_comes_again_is_the_same_message(world: World) -> None:
    user = "renumbered@acme.example"
    world.dovecot.deliver(user, _mail("one"))
    async with world.reading(user):
        await world.has(user, "one")
    world.dovecot.renumber(user)
    world.dovecot.deliver(user, _mail("two"))
    async with world.reading(user):
        await world.has(user, "one", "two")
    identities = {message.subject: set[str]() for message in await world.messages(user)}
    for message in await world.messages(user):
        identities[message.subject].add(message.identity)
    assert {subject: len(found) for subject, found in identities.items()} == {"one": 1, "two": 1}


async def test_two_of_us_and_a_person_on_one_mailbox_take_each_mail_once(world: World) -> None:
    user = "shared@acme.example"
    names = [f"mail-{number:03}" for number in range(60)]
    for name in names[:30]:
        world.dovecot.deliver(user, _mail(name))
    async with world.reading(user), world.reading(user):
        await world.has(user, *names[:30])
        await asyncio.to_thread(_delete_first, world.dovecot, user, 10)
        for name in names[30:]:
            world.dovecot.deliver(user, _mail(name))
        await world.has(user, *names)
    assert sorted(message.subject for message in await world.messages(user)) == names


async def test_a_mail_that_cannot_be_had_becomes_a_note_and_the_next_one_is_read(world: World) -> None:
    user = "odd@acme.example"
    world.dovecot.deliver(user, _mail("too-large", "x" * 70 + "\n" + "It leaks.\n" * 3000))
    world.dovecot.deliver(user, b"\x00\xff not a mail")
    world.dovecot.deliver(user, _mail("locked"))
    world.dovecot.deliver(user, _mail("last"))
    await asyncio.to_thread(_flags, world.dovecot, user)  # the server has looked at all of them
    world.dovecot.lock_away(user, "locked")
    async with world.reading(user):
        await world.has(user, "last")
    found = await world.messages(user)
    messages = {message.subject: message for message in found}
    assert messages["too-large"].text == ""
    assert "too large" in messages["too-large"].reading_problems[0]
    noted = [each for each in messages.values() if any("does not give" in said for said in each.reading_problems)]
    assert [each.subject for each in noted] == ["IMAP INBOX UID 3"]
    assert len(messages) == len(found) == 4


def _flags(dovecot: Dovecot, user: str) -> list[bytes]:
    """What another client sees of each mail's flags, but for `Recent`."""
    with imaplib.IMAP4(HOST, dovecot.port) as client:
        client.login(user, PASSWORD)
        client.select(readonly=True)
        _, answers = client.fetch("1:*", "(FLAGS)")
    found = [imaplib.ParseFlags(answer) for answer in answers if isinstance(answer, bytes)]
    return [b" ".join(flag for flag in flags if flag != rb"\Recent") for flags in found]


def _delete_first(dovecot: Dovecot, user: str, count: int) -> None:
    with imaplib.IMAP4(HOST, dovecot.port) as client:
        client.login(user, PASSWORD)
        client.select()
        client.store(f"1:{count}", "+FLAGS", r"(\Seen \Deleted)")
        client.expunge()


async def _idles(dovecot: Dovecot, user: str) -> bool:
    return dovecot.idles(user)
