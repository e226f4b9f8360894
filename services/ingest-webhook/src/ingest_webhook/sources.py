"""The sources file: which address speaks for which provider, brand and account, and with which secrets.

sources:
  - name: shop-form                 # the address is /webhooks/shop-form
    provider: standard-webhooks     # or another of providers/registry.py; each has a page in docs/channels/
    brand: acme
    account: shop-form              # what the provider calls us; part of every message's identity
    secrets:                        # all are active: add the new one, change the sender, remove the old one
      - env:SHOP_FORM_SECRET
      - file:/run/secrets/shop-form-next
      - value: whsec_…              # literal; for tests and local stacks
    tokens: [env:SHOP_TOKEN]        # only for providers with a second kind of secret; written like the first
    options: {channel: web, time_trusted: false}
    limits: {per_second: 50, burst: 200, body_bytes: 65536}  # each may be left out
    files: {tokens: [env:SLACK_BOT_TOKEN]}  # fetch what customers send (docs/files.md); left out: only name it
    spool: true                     # keep requests while Kafka is away; left out: for providers that do not repeat
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from ingest_webhook.domain.signatures import SecretMalformed
from ingest_webhook.provider import Provider
from ingest_webhook.providers.options import TOKENS
from ingest_webhook.providers.registry import GIVE_UP_ON_4XX, PROVIDERS, REPEATING
from ticket_contracts.contract import Name

SourceName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
"""Part of an address, of the event source and of metrics: one spelling in all three."""


class SourcesInvalid(Exception):
    """The file cannot be used. Each problem names the field and the fix; none holds a secret."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


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


class _Files(BaseModel):
    """What `ingest-files` reads and checks; it resolves the secrets, which are never ours to know."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    tokens: list[str | _Literal] = Field(default_factory=list)
    api: str = ""


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
    spool: bool | None = None
    limits: _Limits = _Limits()
    files: _Files | None = None

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


def read_sources(path: Path, environment: Mapping[str, str]) -> Sources:
    """Read and check the whole file.

    :raises SourcesInvalid: with every problem found, not only the first.
    """
    entries = _read_entries(path)
    problems = [f"sources: the name {name!r} stands twice; give each source its own" for name in _repeated(entries)]
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
                sources[entry.name] = entry.source(provider)
            except SecretMalformed as error:
                problems.append(f"{place}.secrets: one {error}")
            except ValidationError as error:
                problems += _explain_options(error, place)
    if problems:
        raise SourcesInvalid(problems)
    return Sources(sources, tuple(files))


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


def _explain(error: ValidationError, place: str) -> Iterator[str]:
    for detail in error.errors(include_url=False, include_input=False, include_context=False):
        yield f"{'.'.join(filter(None, (place, *map(str, detail['loc']))))}: {detail['msg']}"


def _explain_options(error: ValidationError, place: str) -> Iterator[str]:
    """Tokens reach the provider as an option, but that is not where they were written."""
    for problem in _explain(error, ""):
        field = problem.partition(":")[0].partition(".")[0]
        yield f"{place}.{problem}" if field == TOKENS else f"{place}.options.{problem}"
