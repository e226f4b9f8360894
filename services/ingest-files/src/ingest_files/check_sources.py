"""What `firebreak sources check` tries of `files` in both sources files: whose each secret is. Nothing is fetched."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial

import httpx

from ingest_files.errors import GiveUp, NoQuestion, TryLater
from ingest_files.file_sources import FileSource, read_file_sources
from ingest_files.guarded_http import GuardedClient
from ingest_files.schemes.questions import QUESTIONS
from ingest_files.schemes.registry import BY_ROLE
from ticket_intake.source_checks import Asked, Attempt, Checker, SourcesFile, Trial, failed, not_tried, passed

SECONDS = 10.0
_ANSWER_BYTES = 64 * 1024
_SEND_A_FILE = "send a file to the channel and look at it in its ticket"


@asynccontextmanager
async def open_trials(asked: Asked, setting: str = "FIREBREAK_SOURCES_FILE") -> AsyncIterator[Sequence[Trial]]:
    """Every source that has `files`.

    :param setting: the variable that names the file.
    :raises SourcesInvalid:
    """
    sources = read_file_sources(asked.file, asked.environment, setting)
    async with httpx.AsyncClient(trust_env=False, follow_redirects=False, timeout=SECONDS) as client:
        guarded = GuardedClient(client, _ANSWER_BYTES)
        yield [
            Trial(name, source.provider, partial(attempts, source, guarded)) for name, source in sources.by_name.items()
        ]


async def attempts(source: FileSource, client: GuardedClient) -> AsyncIterator[Attempt]:
    """Ask for each token in turn."""
    ask = QUESTIONS.get(source.provider)
    tokens = source.access.tokens
    field = "secrets" if source.access.app_id else "tokens"
    if tokens == ("",) and source.provider not in BY_ROLE:
        yield not_tried("files: their links want no token", _SEND_A_FILE)
        return
    if ask is None:
        yield not_tried("files: there is no question that its tokens answer", _SEND_A_FILE)
        return
    for number, token in enumerate(tokens):
        what = f"files.{field}.{number}: whose it is"
        try:
            await ask(client, source.access, token)
        except NoQuestion as error:
            yield not_tried(what, f"{error}: {_SEND_A_FILE}")
        except GiveUp as error:
            yield failed(what, str(error), f"put what docs/files.md says of {source.provider} there")
        except TryLater as error:
            yield failed(
                what, str(error), "let this machine reach the provider's API without a proxy, or correct `api`"
            )
        else:
            yield passed(what, "known")


CHECKER = Checker(SourcesFile.WEBHOOKS, open_trials)
PULL_CHECKER = Checker(SourcesFile.PULL, partial(open_trials, setting="FIREBREAK_PULL_SOURCES_FILE"))
