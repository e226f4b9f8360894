"""A stack with a source of every kind of channel, and one function for each that sends it a message.

What needs another program is there when the program is: IMAP needs a Dovecot. Amazon SES is left out, because its
certificates come from addresses of Amazon only.
"""

import os
import random
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TypeAlias

import httpx
import yaml

from firebreak_cli.local_stack.ports import LOOPBACK
from tests.load.call_lines import (
    CSV_HEADER,
    CSV_MAPPING,
    cdr_row,
    csv_row,
    manager_event,
    numbered_calls,
    queue_lines,
)
from tests.load.hook_requests import CUSTOMER, hook_entries, hook_requests, new_key
from tests.load.mail_corpus import corpus_folder, fresh_mails
from tests.load.strangers import PERSONS, requests_of_all
from tests.support.deployment_files import BRAND, MAIL, SUPPORT_ADDRESS
from tests.support.dovecot import PASSWORD, Dovecot, running_dovecot
from tests.support.every_source import EVERY_SOURCE
from tests.support.mail_service import self_signed
from tests.support.partners.asterisk_manager import SECRET, USER, AsteriskManager, asterisk_manager
from tests.support.partners.bot_api import BotApi, bot_api
from tests.support.partners.mail_sender import mail_sender
from tests.support.partners.signed_request import SignedRequest, deliver
from tests.support.stack import Stack

IMAP_ADDRESS = "imap@aurora.example"
BOT_TOKEN = "17:token-of-the-load"
FILE_BYTES = 20_000
MESSAGES_OF_ONE = 3  # a customer writes three times, then somebody else does

Send: TypeAlias = Callable[[], Awaitable[str | None]]
"""Sends one message; returns what was said when it was refused."""


@dataclass(frozen=True)
class Partners:
    """The other side of every channel but plain webhooks. `dovecot` is None where none is installed."""

    manager: AsteriskManager
    bot: BotApi
    sendgrid_key: str
    dovecot: Dovecot | None

    def configure(self, stack: Stack) -> None:
        """Write the files that name all of them; the services are not started yet."""
        layout = stack.layout
        layout.sources_file.write_text(yaml.safe_dump({"sources": self._sources()}), encoding="utf-8")
        mapping = layout.data_dir / "csv-mapping.yaml"
        mapping.write_text(CSV_MAPPING, encoding="utf-8")
        sources = _pull_sources(layout.call_logs.absolute(), mapping, self.manager.port)
        layout.pull_sources_file.write_text(yaml.safe_dump({"sources": sources}), encoding="utf-8")
        mailboxes = {"mailboxes": self._mailboxes(), "hooks": hook_entries(self.sendgrid_key)}
        layout.mailboxes_file.write_text(yaml.safe_dump(mailboxes), encoding="utf-8")

    def _sources(self) -> list[dict[str, object]]:
        """Files of one provider are fetched; what is fetched from any of them goes the same way."""
        fetched = {"files": {"tokens": [{"value": BOT_TOKEN}], "api": self.bot.url}}
        return [source.entry | (fetched if source.provider == "telegram" else {}) for source in EVERY_SOURCE]

    def _mailboxes(self) -> list[dict[str, object]]:
        usual: dict[str, object] = {"address": SUPPORT_ADDRESS, "brand": BRAND, "source": MAIL}
        if self.dovecot is None:
            return [usual]
        imap = {
            "host": LOOPBACK,
            "port": self.dovecot.port,
            "security": "none",
            "user": IMAP_ADDRESS,
            "password": {"value": PASSWORD},
            "begin": "start",
        }
        return [usual, {"address": IMAP_ADDRESS, "brand": BRAND, "source": "imap", "imap": imap}]


def _pull_sources(folder: Path, mapping: Path, manager_port: int) -> list[dict[str, object]]:
    files = {"folder": str(folder), "begin": "start", "region": "CN", "settle_seconds": 0, "poll_seconds": 1.0}
    manager = {"host": LOOPBACK, "port": manager_port, "region": "CN", "settle_seconds": 0}
    kinds: tuple[tuple[str, dict[str, object]], ...] = (
        ("asterisk-cdr", files),
        ("asterisk-queue-log", files),
        ("csv", {**files, "files": "export-*.csv", "mapping": str(mapping)}),
        ("asterisk-ami", manager),
    )
    return [
        {
            "name": kind, "provider": kind, "brand": BRAND, "account": kind, "options": options,
            "secrets": [{"value": f"{USER}:{SECRET}"}] if options is manager else [],
        }
        for kind, options in kinds
    ]  # fmt: skip


@asynccontextmanager
async def open_partners() -> AsyncIterator[Partners]:
    """Start the other side of every channel."""
    async with AsyncExitStack() as context:
        manager = await context.enter_async_context(asterisk_manager())
        bot = await context.enter_async_context(bot_api(BOT_TOKEN))
        dovecot = None
        if shutil.which("dovecot", path=f"{os.environ.get('PATH', '')}{os.pathsep}/usr/sbin"):
            folder = Path(context.enter_context(tempfile.TemporaryDirectory(prefix="firebreak-dovecot-")))
            os.chmod(folder, 0o755)  # Dovecot runs as a user of its own
            dovecot = await context.enter_async_context(running_dovecot(folder, [IMAP_ADDRESS], self_signed(folder)))
        yield Partners(manager, bot, new_key(), dovecot)


def senders(stack: Stack, partners: Partners, client: httpx.AsyncClient) -> Mapping[str, Send]:
    """One function for each channel, by its name."""
    mails = fresh_mails(corpus_folder())
    calls = numbered_calls()
    found: dict[str, Send] = {
        name: _webhook(client, f"{stack.webhooks}/{name}", requests)
        for name, requests in requests_of_all(MESSAGES_OF_ONE).items()
    }
    found |= {
        "smtp": _mail(stack.layout.port("smtp"), "EHLO", mails),
        "lmtp": _mail(stack.layout.port("lmtp"), "LHLO", mails),
    }
    found["file"] = _webhook(client, f"{stack.webhooks}/telegram", _with_files(partners.bot))
    hooks = stack.layout.url("ingest-email") + "/mail"
    found |= {
        name: _webhook(client, f"{hooks}/{name}/", requests)
        for name, requests in hook_requests(partners.sendgrid_key).items()
    }
    if (dovecot := partners.dovecot) is not None:
        found["imap"] = _told(lambda: dovecot.deliver(IMAP_ADDRESS, next(mails)))
    folder = stack.layout.call_logs
    export = folder / "export-1.csv"
    export.write_text(CSV_HEADER, encoding="utf-8")
    found |= {
        "asterisk-cdr": _told(lambda: _append(folder / "Master.csv", cdr_row(*next(calls)))),
        "asterisk-queue-log": _told(lambda: _append(folder / "queue_log", queue_lines(*next(calls)))),
        "csv": _told(lambda: _append(export, csv_row(*next(calls)))),
        "asterisk-ami": _told(lambda: partners.manager.tell("Cdr", **manager_event(*next(calls)))),
    }
    return found


def _webhook(client: httpx.AsyncClient, address: str, requests: Iterator[SignedRequest]) -> Send:
    async def send() -> str | None:
        answer = await deliver(client, address, next(requests))
        return None if answer.is_success else f"{answer.status_code} {answer.text[:200]}"

    return send


def _with_files(bot: BotApi) -> Iterator[SignedRequest]:
    """Telegram's users who send a file, none of them twice."""
    [telegram] = [source for source in EVERY_SOURCE if source.provider == "telegram"]
    partner = telegram.sender(time.time).partner
    partner.person += PERSONS
    for number in count():
        partner.person += 1
        name = f"receipt-{number}"
        bot.files[name] = random.randbytes(FILE_BYTES)
        yield partner.message("", text=None, document={"file_id": name, "file_name": f"{name}.bin"})


def _mail(port: int, hello: str, mails: Iterator[bytes]) -> Send:
    async def send() -> str | None:
        async with mail_sender(LOOPBACK, port, hello) as connection:
            reply = await connection.send(next(mails), CUSTOMER, [SUPPORT_ADDRESS])
        return None if reply.code == 250 else f"{reply.code} {reply.text[:200]}"

    return send


def _told(tell: Callable[[], None]) -> Send:
    """Of a channel that gives no answer."""

    async def send() -> None:
        tell()

    return send


def _append(file: Path, lines: str) -> None:
    with file.open("a", encoding="utf-8") as log:
        log.write(lines)
