"""What a service says to `firebreak sources check`: how each source of one file is tried, and what came of it.

A service names a `Checker` in the entry-point group `firebreak.source_checks`; the command line runs those of all
installed services and prints one table (docs/decisions/0035). A trial opens no ticket and moves no cursor.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TypeAlias

GROUP = "firebreak.source_checks"

PAST_PROXIES: Mapping[str, None] = {f"all://{host}": None for host in ("127.0.0.1", "localhost", "[::1]")}
"""`mounts` of an httpx client: this machine is not asked through the proxy that the environment may name."""


class SourcesFile(StrEnum):
    """The files that name sources, each with who answers for it over HTTP."""

    WEBHOOKS = "sources"
    PULL = "pull-sources"
    MAILBOXES = "mailboxes"


class Outcome(StrEnum):
    PASSED = "passed"
    FAILED = "failed"
    NOT_TRIED = "not tried"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One row of the table. `answer` is what came back, `advice` what to do next; neither holds a secret."""

    what: str
    outcome: Outcome
    answer: str = ""
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Trial:
    """One source. `attempts` tries it when it is iterated, each attempt within some seconds.

    `problems` are what is wrong with its entry, each with field and fix; a source with some is told and not tried.
    """

    source: str
    provider: str
    attempts: Callable[[], AsyncIterator[Attempt]]
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be checked. `url` is where the running service answers, without a slash at its end; None: unknown.

    `environment` resolves `env:` secrets; it is that of the command, not of the service.
    """

    file: Path
    url: str | None
    environment: Mapping[str, str]
    now: datetime


OpenTrials: TypeAlias = Callable[[Asked], AbstractAsyncContextManager[Sequence[Trial]]]
"""Reads the file, and holds what the trials need while the block lasts.

:raises SourcesInvalid: the file cannot be used.
"""


@dataclass(frozen=True, slots=True)
class Checker:
    """A service's part of the command; several may read one file."""

    file: SourcesFile
    open: OpenTrials


def wrong_entry(source: str, provider: str, problems: Sequence[str]) -> Trial:
    """A source whose entry cannot be used, in a file whose other entries can be checked."""
    return Trial(source, provider, _nothing, tuple(problems))


async def _nothing() -> AsyncIterator[Attempt]:
    return
    yield  # makes it a generator


def passed(what: str, answer: str) -> Attempt:
    return Attempt(what, Outcome.PASSED, answer)


def failed(what: str, answer: str, advice: str) -> Attempt:
    return Attempt(what, Outcome.FAILED, answer, advice)


def not_tried(what: str, advice: str) -> Attempt:
    """Nothing could be sent or read; `advice` says how else it can be proved."""
    return Attempt(what, Outcome.NOT_TRIED, advice=advice)
