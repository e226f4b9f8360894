"""What a kind builds its job from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import httpx

from ingest_pull.compose_outgoing import Composer, PullSource
from ingest_pull.pull_metrics import PullMetrics


class SecretsWrong(ValueError):
    """Secrets or tokens are missing or malformed; names which, and never shows one."""


class OptionWrong(ValueError):
    """An option is written rightly and cannot be used; names which, and the fix."""


@dataclass(frozen=True, slots=True)
class Shared:
    """What all jobs of the process use."""

    composer: Composer
    metrics: PullMetrics
    client: httpx.AsyncClient


@dataclass(frozen=True, slots=True)
class JobParts:
    """One entry of the sources file, its secrets resolved, and what all jobs share."""

    name: str
    brand: str
    account: str
    options: Mapping[str, object]
    secrets: Sequence[str] = field(repr=False)
    tokens: Sequence[str] = field(repr=False)
    shared: Shared
    fetches_files: bool = False
    """ingest-files has what it takes to fetch what customers send; else the message only names it."""

    @property
    def composer(self) -> Composer:
        return self.shared.composer

    @property
    def metrics(self) -> PullMetrics:
        return self.shared.metrics

    @property
    def client(self) -> httpx.AsyncClient:
        return self.shared.client

    def source(self, time_trusted: bool) -> PullSource:
        return PullSource(self.name, self.brand, self.account, time_trusted)
