"""What `firebreak sources check` tries of a mailboxes file: its hooks by samples, its IMAP folders by a look inside."""

import ssl
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial

import httpx

from ingest_email.check_hook import hook_attempts
from ingest_email.check_imap import imap_attempts
from ingest_email.delivery import Mailbox
from ingest_email.hooks.load_hooks import HookLoader
from ingest_email.imap_entries import ImapEntry
from ingest_email.imap_jobs import account_of
from ingest_email.imap_secrets import secret_of
from ingest_email.judge_entries import judge_entries
from ticket_intake.source_checks import PAST_PROXIES, Asked, Checker, SourcesFile, Trial, wrong_entry

SECONDS = 15.0
"""For one answer of ingest-email: it may have to fetch a certificate of AWS's first."""

_MESSAGE_BYTES = 1  # nothing is taken by the hooks that are built to be checked


@asynccontextmanager
async def open_trials(asked: Asked) -> AsyncIterator[Sequence[Trial]]:
    """Every hook and every IMAP folder of the file, and every entry that is wrong.

    :raises SourcesInvalid: it cannot be read as YAML.
    """
    async with (
        httpx.AsyncClient(timeout=SECONDS, mounts=PAST_PROXIES) as hooks,
        httpx.AsyncClient(follow_redirects=False) as tokens,
    ):
        judged = judge_entries(asked.file, HookLoader(asked.environment, hooks, _MESSAGE_BYTES))
        tls = ssl.create_default_context()
        yield [
            *(Trial(entry.name, entry.provider, partial(hook_attempts, entry, hooks, asked)) for entry in judged.hooks),
            *(_imap_trial(mailbox, entry, asked, tokens, tls) for mailbox, entry in judged.imap),
            *(wrong_entry(entry.name, entry.kind, entry.problems) for entry in judged.wrong),
            *([wrong_entry(asked.file.name, "", judged.problems)] if judged.problems else ()),
        ]


def _imap_trial(
    mailbox: Mailbox, entry: ImapEntry, asked: Asked, tokens: httpx.AsyncClient, tls: ssl.SSLContext
) -> Trial:
    secret = secret_of(entry, asked.environment, tokens, time.monotonic)
    return Trial(mailbox.address, "imap", partial(imap_attempts, account_of(entry), secret, tls))


CHECKER = Checker(SourcesFile.MAILBOXES, open_trials)
