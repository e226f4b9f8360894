"""Hooks follow the mailboxes file and the files of their secrets, and forget nothing of what they have taken."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest_asyncio
import yaml
from prometheus_client import CollectorRegistry

from ingest_email.delivery import Mailbox
from ingest_email.hooks.load_hooks import HookLoader
from ingest_email.hooks.receive_hook import MailHooks
from ingest_email.mailbox_table import MailboxTable
from ingest_email.mailboxes import Mailboxes
from ingest_email.metrics import MailMetrics
from tests.support.partners.mailgun import MailgunSender
from tests.support.partners.postmark import PostmarkSender
from tests.support.partners.signed_request import SignedRequest, Way, deliver

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
SUPPORT = "support@acme.example"
RAW = b"From: li@customer.example\r\nSubject: pump\r\n\r\nIt leaks.\r\n"
DEADLINE_SECONDS = 10
NEVER_LOOKS = 3600.0
POSTMARK = {"name": "postmark", "provider": "postmark", "basic": [{"value": "postmark:secret"}]}


class Edge:
    """The hooks of a file that is watched, as ingest-email has them, and who sends to them."""

    def __init__(self, folder: Path, client: httpx.AsyncClient) -> None:
        self.file, self.key = folder / "mailboxes.yaml", folder / "key"
        self.key.write_text("signing-key")
        self.mailgun = {"name": "mailgun", "provider": "mailgun", "secrets": [f"file:{self.key}"]}
        self.write(self.mailgun)
        self.registry = CollectorRegistry()
        metrics = MailMetrics(self.registry)
        self.table = MailboxTable(self.file, metrics, HookLoader({}, client, 100_000), has_database=False)
        self.adopted = asyncio.Queue[Mailboxes]()
        app = MailHooks(self.table.hook, self.table.find, 100_000, metrics, lambda: NOW)
        app.open(taken)
        self._client = httpx.AsyncClient(transport=httpx.ASGITransport(app), trust_env=False)
        self.mailgun_sender = MailgunSender("signing-key", "next-key", NOW.timestamp)
        self.listened_to = MailgunSender("signing-key", "next-key", NOW.timestamp, keeps_token=True, _token="heard")

    def write(self, *hooks: dict[str, Any]) -> None:
        box = {"address": SUPPORT, "brand": "acme", "source": "mail"}
        self.file.write_text(yaml.safe_dump({"mailboxes": [box], "hooks": hooks}))

    async def reload(self, result: str) -> None:
        """Ask for the file to be read, as SIGHUP does, and wait until that is counted."""
        before = self.reloads(result)
        self.table.ask_reload()
        await self.until_counted(result, before)

    async def until_counted(self, result: str, before: float) -> None:
        async with asyncio.timeout(DEADLINE_SECONDS):
            while self.reloads(result) == before:  # noqa: ASYNC110 - a metric has nobody who tells
                await asyncio.sleep(0.01)

    def reloads(self, result: str) -> float:
        return self.registry.get_sample_value("firebreak_sources_reloads_total", {"result": result}) or 0

    async def by_mailgun(self, raw: bytes = RAW, way: Way = Way.GOOD) -> int:
        return await self._post("mailgun/mime", self.mailgun_sender.mail(raw, "li@customer.example", SUPPORT, way))

    async def by_postmark(self) -> int:
        sender = PostmarkSender("postmark:secret", "postmark:next")
        return await self._post("postmark", sender.mail(RAW, "li@customer.example", SUPPORT))

    async def by_the_token_that_was_listened_to(self, raw: bytes) -> int:
        return await self._post("mailgun/mime", self.listened_to.mail(raw, "li@customer.example", SUPPORT))

    async def _post(self, address: str, request: SignedRequest) -> int:
        return (await deliver(self._client, f"http://edge/mail/{address}", request)).status_code


async def taken(raw: bytes, envelope_sender: str, mailboxes: Sequence[Mailbox], recipients: Sequence[str]) -> None:
    """Every mail is."""


@pytest_asyncio.fixture
async def edge(tmp_path: Path) -> AsyncIterator[Edge]:
    async with httpx.AsyncClient() as client:
        made = Edge(tmp_path, client)
        watching = asyncio.create_task(made.table.watch(made.adopted.put_nowait, NEVER_LOOKS))
        yield made
        watching.cancel()


async def test_hooks_come_change_and_go_with_the_file(edge: Edge) -> None:
    assert [await edge.by_mailgun(), await edge.by_postmark()] == [200, 404]
    edge.write(edge.mailgun, POSTMARK)
    await edge.reload("done")
    assert [await edge.by_mailgun(), await edge.by_postmark()] == [200, 200]
    edge.write(POSTMARK | {"basic": [{"value": "postmark:other"}]})
    await edge.reload("done")
    assert [await edge.by_mailgun(), await edge.by_postmark()] == [404, 401]


async def test_a_secret_that_changed_in_its_file_is_in_use(edge: Edge) -> None:
    assert [await edge.by_mailgun(), await edge.by_mailgun(way=Way.ROTATED)] == [200, 401]
    looking = asyncio.create_task(edge.table.watch(edge.adopted.put_nowait, look_seconds=0.01))
    edge.key.write_text("next-key")
    await edge.until_counted("done", 0)
    looking.cancel()
    assert [await edge.by_mailgun(), await edge.by_mailgun(way=Way.ROTATED)] == [401, 200]


async def test_a_hook_that_cannot_be_used_changes_nothing_and_is_counted(edge: Edge) -> None:
    changes: list[dict[str, Any]] = [
        {"secrets": ["env:ABSENT"]},
        {"path_secrets": [{"value": "short"}]},
        {"secrets": []},
    ]
    for wrong in changes:
        edge.write(edge.mailgun | wrong, POSTMARK)
        await edge.reload("refused")
        assert [await edge.by_mailgun(), await edge.by_postmark()] == [200, 404]
    edge.key.unlink()
    edge.write(edge.mailgun)
    await edge.reload("refused")
    edge.key.write_text("signing-key")
    await edge.reload("done")
    assert await edge.by_mailgun() == 200


async def test_an_edit_lets_no_used_token_in_again(edge: Edge) -> None:
    assert await edge.by_the_token_that_was_listened_to(RAW) == 200
    edge.write(edge.mailgun | {"secrets": [f"file:{edge.key}", {"value": "one-more"}]}, POSTMARK)
    await edge.reload("done")
    edge.write(POSTMARK)
    await edge.reload("done")
    edge.write(edge.mailgun)
    await edge.reload("done")
    assert await edge.by_the_token_that_was_listened_to(b"Subject: forged\r\n\r\n") == 401
    assert await edge.by_the_token_that_was_listened_to(RAW) == 200
