"""What `firebreak sources check` tries of a mailboxes file: its hooks by samples, its IMAP folders by a look inside."""

import ssl
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial

import httpx

from ingest_email.check_hook import hook_attempts
from ingest_email.check_imap import imap_attempts
from ingest_email.hooks.load_hooks import load_hooks
from ingest_email.imap_jobs import account_of
from ingest_email.imap_secrets import secret_of
from ingest_email.mailboxes import read_mailboxes
from service_kit.start_error import StartError
from ticket_intake.source_checks import PAST_PROXIES, Asked, Checker, SourcesFile, Trial
from ticket_intake.source_file import SourcesInvalid

SECONDS = 15.0
"""For one answer of ingest-email: it may have to fetch a certificate of AWS's first."""

_MESSAGE_BYTES = 1  # nothing is taken by the hooks that are built to be checked


@asynccontextmanager
async def open_trials(asked: Asked) -> AsyncIterator[Sequence[Trial]]:
    """Every hook and every IMAP folder of the file.

    :raises SourcesInvalid:
    """
    async with (
        httpx.AsyncClient(timeout=SECONDS, mounts=PAST_PROXIES) as hooks,
        httpx.AsyncClient(follow_redirects=False) as tokens,
    ):
        mailboxes = read_mailboxes(asked.file)
        try:
            load_hooks(mailboxes.hooks, asked.environment, hooks, _MESSAGE_BYTES)
        except StartError as error:
            raise SourcesInvalid([str(error)]) from error
        tls = ssl.create_default_context()
        yield [
            *(
                Trial(entry.name, entry.provider, partial(hook_attempts, entry, hooks, asked))
                for entry in mailboxes.hooks
            ),
            *(
                Trial(
                    mailbox.address,
                    "imap",
                    partial(
                        imap_attempts,
                        account_of(entry),
                        secret_of(entry, asked.environment, tokens, time.monotonic),
                        tls,
                    ),
                )
                for mailbox, entry in mailboxes.imap
            ),
        ]


CHECKER = Checker(SourcesFile.MAILBOXES, open_trials)
