"""The IMAP jobs of the mailboxes file, run under leases while the service lives and changed as the file does."""

import os
import ssl
import time
from collections.abc import AsyncIterator, Callable, Mapping
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
from ingest_email.imap_secrets import AccountSecrets
from ingest_email.mailboxes import Mailboxes
from ingest_email.read_imap import ImapSource, ReadImap
from service_kit.supervisor import Supervisor
from ticket_store.sessions import open_pool
from ticket_stream.edge_publisher import EdgePublisher
from ticket_stream.job_runner import JobRunner

CONSUMER = "ingest-email"
"""Names the jobs' rows in Postgres; another name would read every folder again from its beginning."""

CONNECTIONS = 4  # one renews the leases, the others move cursors


class ImapJobs:
    """Builds a job for each folder; keeps that of an entry that did not change, and the tokens of its account."""

    def __init__(
        self, client: httpx.AsyncClient, accept: AcceptMail, largest_mail: int, clock: Callable[[], datetime]
    ) -> None:
        self._accept = accept
        self._largest = largest_mail
        self._clock = clock
        self._tls = ssl.create_default_context()
        self._secrets = AccountSecrets(os.environ, client, time.monotonic)
        self._built: Mapping[str, tuple[Mailbox, ImapEntry, ReadImap]] = {}

    def of(self, mailboxes: Mailboxes) -> list[ReadImap]:
        built: dict[str, tuple[Mailbox, ImapEntry, ReadImap]] = {}
        for mailbox, entry in mailboxes.imap:
            known = self._built.get(entry.place)
            if known is None or known[:2] != (mailbox, entry):
                known = (mailbox, entry, self._job(mailbox, entry))
            built[entry.place] = known
        self._built = built
        self._secrets.keep_only(entry for _, entry, _ in built.values())
        return [job for _, _, job in built.values()]

    def _job(self, mailbox: Mailbox, entry: ImapEntry) -> ReadImap:
        source = ImapSource(account_of(entry), mailbox, self._secrets.of(entry), entry.begin, entry.poll_seconds)
        return ReadImap(source, self._accept, self._tls, self._largest, self._clock)


@asynccontextmanager
async def running_imap(
    mailboxes: Mailboxes,
    postgres: SecretStr | None,
    accept: AcceptMail,
    largest_mail: int,
    clock: Callable[[], datetime],
    publisher: EdgePublisher,
    registry: CollectorRegistry,
    supervisor: Supervisor,
) -> AsyncIterator[Callable[[Mailboxes], None]]:
    """Read the folders while the block lasts, and yield what changes them to those of another reading of the file.

    With none of them no database is asked. Not part of being ready: with Postgres away the doors go on and only pulling
    waits (`firebreak_job_state` says so).
    """
    if postgres is None:
        assert not mailboxes.imap, "a reading with folders and no database is refused"
        yield lambda _: None
        return
    async with (
        httpx.AsyncClient(follow_redirects=False) as client,
        open_pool(postgres.get_secret_value(), application_name=CONSUMER, max_size=CONNECTIONS, wait=False) as pool,
    ):
        jobs = ImapJobs(client, accept, largest_mail, clock)
        runner = JobRunner(CONSUMER, jobs.of(mailboxes), publisher.publish, pool, registry)
        async with supervisor.running("imap jobs", runner.run(), stop=runner.stop):
            yield lambda changed: runner.change(jobs.of(changed))


def account_of(entry: ImapEntry) -> Account:
    method: Literal["password", "xoauth2"] = "password" if entry.oauth2 is None else "xoauth2"
    return Account(entry.host, entry.chosen_port, entry.security, entry.user, entry.folder, method)
