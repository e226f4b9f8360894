"""Which recipients are ours."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client import CollectorRegistry

from ingest_email.delivery import Mailbox
from ingest_email.hooks.load_hooks import HookLoader
from ingest_email.imap_jobs import ImapJobs
from ingest_email.mailbox_table import MailboxTable
from ingest_email.mailboxes import Mailboxes, read_mailboxes
from ingest_email.metrics import MailMetrics
from service_kit.start_error import StartError
from ticket_intake.source_file import SourcesInvalid

_BOXES = Mailboxes(
    [
        Mailbox("support@acme.example", "acme", "support@acme.example", "mail-support"),
        Mailbox("vip+gold@acme.example", "acme", "vip", "mail-gold"),
        Mailbox("plain@acme.example", "acme", "plain", "mail-plain", subaddress_separator=""),
        Mailbox("a-b@acme.example", "acme", "a-b", "mail-dash", subaddress_separator="-"),
        Mailbox("*@all.example", "all", "all", "mail-all"),
    ]
)

_IMAP = "imap: {host: i.example, user: u, password: 'env:X'}"


@pytest.mark.parametrize(
    ("recipient", "source"),
    [
        ("support@acme.example", "mail-support"),
        ("SUPPORT@Acme.Example", "mail-support"),
        ("support+order-12+x@acme.example", "mail-support"),
        ("vip+gold@acme.example", "mail-gold"),
        ("plain+x@acme.example", None),
        ("a-b-c@acme.example", "mail-dash"),
        ("support-x@acme.example", None),
        ("anybody@all.example", "mail-all"),
        ("@all.example", None),
        ("nobody@acme.example", None),
        ("support@other.example", None),
        ("", None),
    ],
)
def test_a_recipient_leads_to_its_mailbox(recipient: str, source: str | None) -> None:
    found = _BOXES.find(recipient)
    assert (found.source if found else None) == source


def test_the_file_is_read_and_defaults_are_filled_in(tmp_path: Path) -> None:
    path = tmp_path / "mailboxes.yaml"
    path.write_text("mailboxes:\n  - {address: Support@Acme.Example, brand: acme, source: mail}\n")
    found = read_mailboxes(path).find("support@acme.example")
    assert found == Mailbox("support@acme.example", "acme", "support@acme.example", "mail", "+")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("mailboxes: []", "mailboxes"),
        ("mailboxes: [{address: nowhere, brand: a, source: b}]", "address"),
        ("mailboxes: [{address: a@b, brand: a, source: b, extra: c}]", "extra"),
        ("mailboxes: [{address: a@b, brand: a, source: b}, {address: A@B, brand: a, source: c}]", "a@b twice"),
        (
            "mailboxes: [{address: a@b, brand: a, source: s, account: x},"
            " {address: c@d, brand: b, source: s, account: x}]",
            "account x to two brands",
        ),
        ("mailboxes: [", "not YAML"),
        (
            f"mailboxes: [{{address: a@b, brand: a, source: b, {_IMAP}}},"
            f" {{address: c@d, brand: a, source: b, {_IMAP}}}]",
            "two of them read the IMAP folder u@i\\.example/INBOX",
        ),
    ],
)
def test_a_wrong_file_is_refused_with_the_reason(tmp_path: Path, content: str, reason: str) -> None:
    path = tmp_path / "mailboxes.yaml"
    path.write_text(content)
    with pytest.raises(SourcesInvalid, match=reason):
        read_mailboxes(path)
    with pytest.raises(StartError, match=reason):
        table_of(path)


def table_of(path: Path) -> MailboxTable:
    hooks = HookLoader({}, httpx.AsyncClient(), 1000)
    return MailboxTable(path, MailMetrics(CollectorRegistry()), hooks, has_database=True)


def test_folders_without_a_database_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "mailboxes.yaml"
    path.write_text(f"mailboxes: [{{address: a@b, brand: a, source: b, {_IMAP}}}]")
    assert read_mailboxes(path).imap
    with pytest.raises(SourcesInvalid, match="set FIREBREAK_POSTGRES"):
        read_mailboxes(path, has_database=False)


async def test_a_changed_file_changes_who_is_found_and_a_folder_that_stays_keeps_its_job(tmp_path: Path) -> None:
    path, found = tmp_path / "mailboxes.yaml", asyncio.Queue[Mailboxes]()
    path.write_text(f"mailboxes: [{{address: a@b, brand: a, source: b, {_IMAP}}}]")
    table = table_of(path)
    nobody: Any = None
    jobs = ImapJobs(nobody, nobody, 1000, lambda: datetime.now(UTC))
    [before] = jobs.of(table.current)
    watching = asyncio.create_task(table.watch(found.put_nowait, look_seconds=3600))
    other = _IMAP.replace("user: u", "user: v")
    path.write_text(path.read_text().replace("]", f", {{address: c@d, brand: a, source: b, {other}}}]"))
    table.ask_reload()
    async with asyncio.timeout(10):
        reading = await found.get()
    watching.cancel()
    assert table.find("c@d") is not None
    after = jobs.of(reading)
    assert after[0] is before
    assert [job.name for job in after] == ["imap/u@i.example/INBOX", "imap/v@i.example/INBOX"]
