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
    tokens: [env:SHOP_TOKEN]        # only for providers with a second kind of secret; written like the first
    options: {channel: web, time_trusted: false}
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from ingest_webhook.provider import Provider
from ingest_webhook.providers.registry import PROVIDERS
from ticket_contracts.contract import Name
from ticket_intake.options import TOKENS
from ticket_intake.signatures import SecretMalformed
from ticket_intake.source_file import (
    SecretResolver,
    SourceName,
    SourcesInvalid,
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


@dataclass(frozen=True, slots=True)
class Source:
    """One configured source, ready to use."""

    name: str
    brand: str
    account: str
    provider: Provider

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


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    sources: list[_Entry]


def read_sources(path: Path, environment: Mapping[str, str]) -> Sources:
    """Read and check the whole file.

    :raises SourcesInvalid: with every problem found, not only the first.
    """
    entries = _read_entries(path)
    problems = [f"sources: the name {name!r} stands twice; give each source its own" for name in _repeated(entries)]
    problems += _shared_accounts(entries)
    sources: dict[str, Source] = {}
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
                sources[entry.name] = Source(entry.name, entry.brand, entry.account, provider)
            except SecretMalformed as error:
                problems.append(f"{place}.secrets: one {error}")
            except ValidationError as error:
                problems += _explain_options(error, place)
    if problems:
        raise SourcesInvalid(problems)
    return Sources(sources, tuple(files))


def read_configured(path: Path, environment: Mapping[str, str]) -> list[ConfiguredSource]:
    """Return the entries of a file that `read_sources` takes.

    :raises SourcesInvalid: as `read_sources`.
    """
    read_sources(path, environment)
    found = []
    for entry in _read_entries(path):
        resolver = SecretResolver(entry.name, environment)
        secrets = resolver.resolve_all("secrets", entry.secrets)
        tokens = resolver.resolve_all("tokens", entry.tokens)
        found.append(ConfiguredSource(entry.name, entry.provider, entry.options, secrets, tokens))
    return found


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
