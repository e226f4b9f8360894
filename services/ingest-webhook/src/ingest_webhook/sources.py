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
from typing import Annotated, Literal

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from ingest_webhook.domain.signatures import SecretMalformed
from ingest_webhook.provider import Provider
from ingest_webhook.providers.options import TOKENS
from ingest_webhook.providers.registry import PROVIDERS
from ticket_contracts.contract import Name

SourceName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
"""Part of an address, of the event source and of metrics: one spelling in all three."""


class SourcesInvalid(Exception):
    """The file cannot be used. Each problem names the field and the fix; none holds a secret."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


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
    def event_source(self) -> str:
        return f"/firebreak/ingest-webhook/{self.name}"


@dataclass(frozen=True, slots=True)
class Sources:
    """Everything that one reading of the file gave. `files` are all files it came from, for who watches them."""

    by_name: Mapping[str, Source]
    files: tuple[Path, ...]


class _Literal(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    value: str = Field(min_length=1)


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
    secrets: list[str | _Literal] = Field(min_length=1)
    tokens: list[str | _Literal] = Field(default_factory=list)
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
        resolver = _Secrets(place, environment)
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
        resolver = _Secrets(entry.name, environment)
        secrets = resolver.resolve_all("secrets", entry.secrets)
        tokens = resolver.resolve_all("tokens", entry.tokens)
        found.append(ConfiguredSource(entry.name, entry.provider, entry.options, secrets, tokens))
    return found


def _read_entries(path: Path) -> list[_Entry]:
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SourcesInvalid([f"{path}: {error.strerror}; set FIREBREAK_SOURCES_FILE to a readable file"]) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        place = f" at line {mark.line + 1}" if (mark := getattr(error, "problem_mark", None)) else ""
        raise SourcesInvalid([f"{path}: not YAML in UTF-8{place}"]) from error
    try:
        return _File.model_validate(document).sources
    except ValidationError as error:
        raise SourcesInvalid(list(_explain(error, ""))) from error


class _Secrets:
    """Resolves one source's secrets and tokens, collecting problems instead of stopping at the first."""

    def __init__(self, place: str, environment: Mapping[str, str]) -> None:
        self._place = place
        self._environment = environment
        self.problems: list[str] = []
        self.files: list[Path] = []

    def resolve_all(self, field: Literal["secrets", "tokens"], written: list[str | _Literal]) -> list[str]:
        return [self._resolve(f"{field}.{index}", secret) for index, secret in enumerate(written)]

    def _resolve(self, field: str, secret: str | _Literal) -> str:
        if isinstance(secret, _Literal):
            return secret.value
        kind, _, rest = secret.partition(":")
        if kind == "env":
            return self._environment.get(rest) or self._missing(field, f"set the environment variable {rest}")
        if kind == "file":
            return self._read(field, Path(rest))
        return self._missing(field, "write env:NAME, file:/path, or `value:` with the secret itself")

    def _read(self, field: str, path: Path) -> str:
        self.files.append(path)
        try:
            content = path.read_text(encoding="utf-8").strip()  # editors and `echo` end files with a line break
        except (OSError, UnicodeDecodeError):
            return self._missing(field, f"make {path} a readable text file")
        return content or self._missing(field, f"write the secret into {path}")

    def _missing(self, field: str, fix: str) -> str:
        self.problems.append(f"{self._place}.{field}: no secret found; {fix}")
        return ""


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


def _explain(error: ValidationError, place: str) -> Iterator[str]:
    for detail in error.errors(include_url=False, include_input=False, include_context=False):
        yield f"{'.'.join(filter(None, (place, *map(str, detail['loc']))))}: {detail['msg']}"


def _explain_options(error: ValidationError, place: str) -> Iterator[str]:
    """Tokens reach the provider as an option, but that is not where they were written."""
    for problem in _explain(error, ""):
        field = problem.partition(":")[0].partition(".")[0]
        yield f"{place}.{problem}" if field == TOKENS else f"{place}.options.{problem}"
