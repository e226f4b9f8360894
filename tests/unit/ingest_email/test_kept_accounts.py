"""Tokens of IMAP accounts outlive an edit of the file: a refresh token that is good for one use must not be lost."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from ingest_email.delivery import Mailbox
from ingest_email.imap_entries import ImapEntry
from ingest_email.imap_jobs import ImapJobs
from ingest_email.imap_mailbox import Secret
from ingest_email.mailboxes import Mailboxes
from ingest_email.secret_references import SecretMissing
from tests.support.partners.token_server import CLIENT, REFRESH_TOKEN, TokenServer, running_token_server

USER = "support@acme.example"
BOX = Mailbox(USER, "acme", USER, "mail")


class World:
    """Jobs of ever new readings of a file, and a server whose tokens end at once and whose refresh tokens rotate."""

    def __init__(self, client: httpx.AsyncClient, server: TokenServer, folder: Path) -> None:
        self.server = server
        self.file = folder / "refresh"
        self.file.write_text(REFRESH_TOKEN)
        nobody: Any = None
        self._jobs = ImapJobs(client, nobody, 1000, lambda: datetime.now(UTC))

    def entry(self, **more: object) -> ImapEntry:
        oauth2 = {"token_url": self.server.token_url, "client_id": CLIENT, "refresh_token": f"file:{self.file}"}
        return ImapEntry.model_validate({"host": "i.example", "user": USER, "oauth2": oauth2, **more})

    def read(self, *entries: ImapEntry, mailbox: Mailbox = BOX) -> list[Secret]:
        """Return what gives the token of each job of a reading of the file."""
        jobs = self._jobs.of(Mailboxes([mailbox], [(mailbox, entry) for entry in entries]))
        return [job._source.secret for job in jobs]


@pytest_asyncio.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with running_token_server(USER) as server, httpx.AsyncClient(trust_env=False) as client:
        server.rotates, server.lifetime_seconds = True, 0
        yield World(client, server, tmp_path)


async def test_an_edit_of_anything_but_the_account_keeps_the_newest_refresh_token(world: World) -> None:
    [token] = world.read(world.entry())
    assert await token() == "token-0"
    [token] = world.read(world.entry(poll_seconds=5), mailbox=Mailbox(USER, "aurora", USER, "mail"))
    assert await token() == "token-1"
    [token] = world.read(world.entry(folder="Sales", port=1143))
    assert await token() == "token-2"


async def test_two_folders_of_an_account_that_ask_at_once_use_a_refresh_token_once(world: World) -> None:
    inbox, sales = world.read(world.entry(), world.entry(folder="Sales"))
    assert list(await asyncio.gather(inbox(), sales())) == ["token-0", "token-0"]
    assert await sales() == "token-1"


async def test_a_job_that_is_ended_while_it_asks_loses_no_refresh_token(world: World) -> None:
    [token] = world.read(world.entry())
    asking = asyncio.ensure_future(token())
    while world.server.asked == 0:  # noqa: ASYNC110 - the server's side of it
        await asyncio.sleep(0)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    [token] = world.read(world.entry(begin="start"))
    assert await token() in ("token-0", "token-1")


async def test_another_refresh_token_in_its_file_takes_the_kept_one_s_place(world: World) -> None:
    [token] = world.read(world.entry())
    await token()
    world.file.unlink()
    assert await token() == "token-1"  # nothing is there, so the kept one it is
    world.server.refresh_token = "given-to-the-administrator"
    with pytest.raises(SecretMissing, match="invalid_grant"):
        await token()
    world.file.write_text("given-to-the-administrator\n")
    assert await token() == "token-2"
    assert await token() == "token-3"


@pytest.mark.parametrize("leaves", [True, False])
async def test_an_account_that_left_the_file_or_changed_is_begun_from_what_its_entry_says(
    world: World, leaves: bool
) -> None:
    [token] = world.read(world.entry())
    await token()
    if leaves:
        world.read()
    [token] = world.read(world.entry() if leaves else world.entry(user="sales@acme.example"))
    with pytest.raises(SecretMissing, match="invalid_grant"):
        await token()
    world.server.refresh_token = REFRESH_TOKEN
    assert await token() == "token-1"
