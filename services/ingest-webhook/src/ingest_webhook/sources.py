"""The sources file: which address speaks for which provider, brand and account, and with which secrets.

sources:
  - name: shop-form                 # the address is /webhooks/shop-form
    provider: standard-webhooks     # or another of providers/registry.py; each has a page in docs/channels/
    brand: acme
    account: shop-form              # what the provider calls us; part of every message's identity, so no two providers
                                    # share one
    secrets:                        # all are active: add the new one, change the sender, remove the old one
      - env:SHOP_FORM_SECRET
      - file:/run/secrets/shop-form-next
      - value: whsec_…              # literal; for tests and local stacks
      - parts: [env:TOKEN, env:KEY] # one secret whose parts stand apart, the same as TOKEN:KEY in one place
    tokens: [env:SHOP_TOKEN]        # only for providers with a second kind of secret; written like the first
    options: {channel: web, time_trusted: false}
    limits: {per_second: 50, burst: 200, body_bytes: 65536}  # each may be left out
    files: {tokens: [env:SLACK_BOT_TOKEN]}  # fetch what customers send; for some providers `app_id` and `secrets`
                                            # (docs/files.md); left out: only name it
    spool: true                     # keep requests while Kafka is away; left out: for providers that do not repeat
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil
from pathlib import Path
from typing import Annotated, NamedTuple

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from ingest_webhook.provider import Provider
from ingest_webhook.providers.registry import GIVE_UP_ON_4XX, PROVIDERS, REPEATING
from ticket_contracts.contract import Name
from ticket_intake.options import TOKENS
from ticket_intake.signatures import SecretMalformed
from ticket_intake.source_file import (
    SecretResolver,
    SourceName,
    SourcesInvalid,
    WrittenFiles,
    WrittenSecret,
    explain,
    read_document,
)


@dataclass(frozen=True, slots=True)
class ConfiguredSource:
    """One entry of the file, its secrets resolved; what its sender, and nobody else, has too."""

    name: str
    provider: str
    options: Mapping[str, object]
    secrets: Sequence[str] = field(repr=False)
    tokens: Sequence[str] = field(default=(), repr=False)


class RateLimit(NamedTuple):
    """Requests a second on the average, and at once after a quiet time; for each process that receives them."""

    per_second: float
    burst: int


@dataclass(frozen=True, slots=True)
class Source:
    """One configured source, ready to use."""

    name: str
    brand: str
    account: str
    provider: Provider
    spooled: bool = False
    """Its requests wait in the spool while Kafka is away, because the provider would not repeat them."""
    rate: RateLimit | None = None
    body_bytes: int | None = None
    gives_up_on_4xx: bool = False
    fetches_files: bool = False
    """ingest-files has what it takes to fetch what customers send; else the message only names it."""

    @property
    def time_trusted(self) -> bool:
        return self.provider.time_trusted

    @property
    def event_source(self) -> str:
        return f"/firebreak/ingest-webhook/{self.name}"


@dataclass(frozen=True, slots=True)
class Sources:
    """Everything that one reading of the file gave. `files` are all files it came from, for who watches them."""

    by_name: Mapping[str, Source]
    files: tuple[Path, ...]


class _Limits(BaseModel):
    model_config = ConfigDict(extra="forbid")

    per_second: float | None = Field(default=None, gt=0)
    burst: int | None = Field(default=None, ge=1)
    body_bytes: int | None = Field(default=None, ge=1)

    @property
    def rate(self) -> RateLimit | None:
        if self.per_second is None:
            return None
        return RateLimit(self.per_second, self.burst or max(1, ceil(self.per_second)))

    @model_validator(mode="after")
    def _burst_of_a_rate(self) -> "_Limits":
        if self.burst is not None and self.per_second is None:
            raise ValueError("`burst` goes with `per_second`")
        return self


def _known_provider(name: str) -> str:
    if name not in PROVIDERS:
        raise ValueError(f"must be one of {', '.join(PROVIDERS)}")
    return name


def _without_tokens(options: dict[str, object]) -> dict[str, object]:
    if TOKENS in options:
        raise ValueError("tokens are secrets: write them under `tokens` beside `secrets`, as env:NAME or file:/path")
    return options


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    name: SourceName
    provider: Annotated[str, AfterValidator(_known_provider)]
    brand: Name
    account: Name
    secrets: list[WrittenSecret] = Field(min_length=1)
    tokens: list[WrittenSecret] = Field(default_factory=list)
    options: Annotated[dict[str, object], AfterValidator(_without_tokens)] = Field(default_factory=dict)
    spool: bool | None = None
    limits: _Limits = _Limits()
    files: WrittenFiles | None = None
    """ingest-files reads and checks it; it resolves the secrets, which are never ours to know."""

    def source(self, provider: Provider) -> Source:
        return Source(
            self.name,
            self.brand,
            self.account,
            provider,
            spooled=self.provider not in REPEATING if self.spool is None else self.spool,
            rate=self.limits.rate,
            body_bytes=self.limits.body_bytes,
            gives_up_on_4xx=self.provider in GIVE_UP_ON_4XX,
            fetches_files=self.files is not None,
        )


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    sources: list[_Entry]


class _Read(NamedTuple):
    """Everything that one entry of the file gave, twice: for who receives, and for who checks."""

    source: Source
    configured: ConfiguredSource


def read_sources(path: Path, environment: Mapping[str, str]) -> Sources:
    """Read and check the whole file.

    :raises SourcesInvalid: with every problem found, not only the first.
    """
    found, files = _read(path, environment)
    return Sources({each.source.name: each.source for each in found}, files)


def read_configured(path: Path, environment: Mapping[str, str]) -> list[ConfiguredSource]:
    """Return the entries of a file that `read_sources` takes.

    :raises SourcesInvalid: as `read_sources`.
    """
    found, _ = _read(path, environment)
    return [each.configured for each in found]


def _read(path: Path, environment: Mapping[str, str]) -> tuple[list[_Read], tuple[Path, ...]]:
    entries = _read_entries(path)
    problems = [f"sources: the name {name!r} stands twice; give each source its own" for name in _repeated(entries)]
    problems += _shared_accounts(entries)
    found: list[_Read] = []
    files = [path]
    for number, entry in enumerate(entries):
        place = f"sources.{number} ({entry.name})"
        resolver = SecretResolver(place, environment)
        secrets = resolver.resolve_all("secrets", entry.secrets)
        tokens = resolver.resolve_all("tokens", entry.tokens)
        problems += resolver.problems
        files += resolver.files
        if not resolver.problems:
            try:
                options = entry.options | {TOKENS: tokens} if tokens else entry.options
                provider = PROVIDERS[entry.provider](options, secrets)
                configured = ConfiguredSource(entry.name, entry.provider, entry.options, secrets, tokens)
                found.append(_Read(entry.source(provider), configured))
            except SecretMalformed as error:
                problems.append(f"{place}.secrets: one {error}")
            except ValidationError as error:
                problems += _explain_options(error, place)
    if problems:
        raise SourcesInvalid(problems)
    return found, tuple(files)


def _read_entries(path: Path) -> list[_Entry]:
    document = read_document(path, "FIREBREAK_SOURCES_FILE")
    try:
        return _File.model_validate(document).sources
    except ValidationError as error:
        raise SourcesInvalid(list(explain(error, ""))) from error


def _repeated(entries: list[_Entry]) -> Iterator[str]:
    names = [entry.name for entry in entries]
    return (name for name in sorted(set(names)) if names.count(name) > 1)


def _shared_accounts(entries: list[_Entry]) -> Iterator[str]:
    """Message ids are unique within a provider's account: under one name for two, one message would hide another."""
    first: dict[str, _Entry] = {}
    for number, entry in enumerate(entries):
        other = first.setdefault(entry.account, entry)
        if other.provider != entry.provider:
            yield (
                f"sources.{number} ({entry.name}).account: {entry.account!r} is also the account of {other.name!r}, "
                f"which has another provider: two messages could have one id; write {entry.provider}-{entry.account}"
            )


def _explain_options(error: ValidationError, place: str) -> Iterator[str]:
    """Tokens reach the provider as an option, but that is not where they were written."""
    for problem in explain(error, ""):
        field = problem.partition(":")[0].partition(".")[0]
        yield f"{place}.{problem}" if field == TOKENS else f"{place}.options.{problem}"
