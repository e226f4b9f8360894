"""The IMAP jobs of the mailboxes file, run under leases while the service lives."""

import os
import ssl
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Literal

import httpx
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from ingest_email.accept_mail import AcceptMail
from ingest_email.delivery import Mailbox
from ingest_email.imap_entries import ImapEntry
from ingest_email.imap_mailbox import Account
from ingest_email.imap_secrets import secret_of
from ingest_email.read_imap import ImapSource, ReadImap
from service_kit.start_error import StartError
from service_kit.supervisor import Supervisor
from ticket_store.sessions import open_pool
from ticket_stream.edge_publisher import EdgePublisher
from ticket_stream.job_runner import JobRunner

CONSUMER = "ingest-email"
"""Names the jobs' rows in Postgres; another name would read every folder again from its beginning."""

CONNECTIONS = 4  # one renews the leases, the others move cursors


@asynccontextmanager
async def running_imap(
    entries: Sequence[tuple[Mailbox, ImapEntry]],
    postgres: SecretStr | None,
    accept: AcceptMail,
    largest_mail: int,
    clock: Callable[[], datetime],
    publisher: EdgePublisher,
    registry: CollectorRegistry,
    supervisor: Supervisor,
) -> AsyncIterator[None]:
    """Read the folders while the block lasts; with none of them no database is touched.

    Not part of being ready: with Postgres away the doors go on and only pulling waits (`firebreak_job_state` says so).

    :raises StartError: there is no database for the cursors, or a folder stands twice.
    """
    if not entries:
        yield
        return
    if postgres is None:
        raise StartError(
            "the mailboxes file names IMAP folders, whose cursors need a database",
            fix="set FIREBREAK_POSTGRES, or leave `imap` out of the file that FIREBREAK_MAILBOXES_FILE names",
        )
    async with (
        httpx.AsyncClient(follow_redirects=False) as client,
        open_pool(postgres.get_secret_value(), application_name=CONSUMER, max_size=CONNECTIONS, wait=False) as pool,
    ):
        tls = ssl.create_default_context()
        sources = [_source(mailbox, entry, client) for mailbox, entry in entries]
        jobs = [ReadImap(source, accept, tls, largest_mail, clock) for source in sources]
        try:
            runner = JobRunner(CONSUMER, jobs, publisher.publish, pool, registry)
        except ValueError as error:
            raise StartError(
                "two mailboxes read the same IMAP folder", fix="name each folder once in the mailboxes file"
            ) from error
        async with supervisor.running("imap jobs", runner.run(), stop=runner.stop):
            yield


def account_of(entry: ImapEntry) -> Account:
    method: Literal["password", "xoauth2"] = "password" if entry.oauth2 is None else "xoauth2"
    return Account(entry.host, entry.chosen_port, entry.security, entry.user, entry.folder, method)


def _source(mailbox: Mailbox, entry: ImapEntry, client: httpx.AsyncClient) -> ImapSource:
    secret = secret_of(entry, os.environ, client, time.monotonic)
    return ImapSource(account_of(entry), mailbox, secret, entry.begin, entry.poll_seconds)
