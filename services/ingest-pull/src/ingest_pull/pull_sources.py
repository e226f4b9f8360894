"""The file of pull sources, read again when it, a secret or a mapping changes, and written like that of ingest-webhook:

sources:
  - name: desk                  # with the provider, the name of the job: a renamed source begins anew,
                                # another change goes on where the source was
    provider: asterisk-cdr      # or another of kinds/registry.py; each has a page in docs/channels/
    brand: acme
    account: main-number        # part of every message's identity
    secrets: [env:AMI_LOGIN]    # only for kinds that log in somewhere
    tokens: [env:KF_CALLBACK]   # only for kinds with a second kind of secret
    options: {folder: /var/log/asterisk/cdr-csv, zone: Asia/Shanghai, region: CN}
    files: {app_id: ww1, secrets: [env:KF_SECRET]}  # only for wecom-service and connect-records: ingest-files
                                                    # fetches what customers send
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from ingest_pull.kinds.parts import JobParts, OptionWrong, SecretsWrong, Shared
from ingest_pull.kinds.registry import FILES_BESIDE, KINDS, WITH_FILES
from ticket_contracts.contract import Name
from ticket_intake.source_file import (
    SecretResolver,
    SourceName,
    SourcesInvalid,
    WrittenFiles,
    WrittenSecret,
    explain,
    read_document,
)
from ticket_stream.leased_jobs import Job


def _known_kind(name: str) -> str:
    if name not in KINDS:
        raise ValueError(f"must be one of {', '.join(KINDS)}")
    return name


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    name: SourceName
    provider: Annotated[str, AfterValidator(_known_kind)]
    brand: Name
    account: Name
    secrets: list[WrittenSecret] = Field(default_factory=list)
    tokens: list[WrittenSecret] = Field(default_factory=list)
    options: dict[str, object] = Field(default_factory=dict)
    files: WrittenFiles | None = None
    """ingest-files reads and checks it; it resolves the secrets."""


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    sources: list[_Entry]


@dataclass(frozen=True, slots=True)
class PullSources:
    """One reading of the file: the job of each source by its name, and what it was built from, to tell what changed."""

    jobs: Mapping[str, Job]
    origins: Mapping[str, Sequence[object]] = field(repr=False)
    files: tuple[Path, ...]


NO_SOURCES = PullSources({}, {}, ())


def read_pull_sources(
    path: Path, environment: Mapping[str, str], shared: Shared, before: PullSources = NO_SOURCES
) -> PullSources:
    """Read and check the whole file, and build the job of each source that is not as it was `before`.

    :raises SourcesInvalid: with every problem found, not only the first.
    """
    entries = _read_entries(path)
    names = [entry.name for entry in entries]
    problems = [
        f"sources: the name {name!r} stands twice; give each source its own"
        for name in sorted(set(names))
        if names.count(name) > 1
    ]
    jobs: dict[str, Job] = {}
    origins: dict[str, Sequence[object]] = {}
    files = [path]
    for number, entry in enumerate(entries):
        place = f"sources.{number} ({entry.name})"
        resolver = SecretResolver(place, environment)
        secrets = resolver.resolve_all("secrets", entry.secrets)
        tokens = resolver.resolve_all("tokens", entry.tokens)
        beside = [Path(str(option))] if (option := entry.options.get(FILES_BESIDE.get(entry.provider, ""))) else []
        files += [*resolver.files, *beside]
        if resolver.problems:
            problems += resolver.problems
            continue
        if entry.files is not None and entry.provider not in WITH_FILES:
            problems.append(f"{place}.files: {entry.provider} has no files to be fetched; leave `files` out")
        origins[entry.name] = (entry, secrets, tokens, [_content(path) for path in beside])
        if origins[entry.name] == before.origins.get(entry.name):
            jobs[entry.name] = before.jobs[entry.name]
            continue
        parts = JobParts(
            entry.name, entry.brand, entry.account, entry.options, secrets, tokens, shared, entry.files is not None
        )
        try:
            jobs[entry.name] = KINDS[entry.provider](parts)
        except ValidationError as error:
            problems += explain(error, f"{place}.options")
        except (OptionWrong, SecretsWrong) as error:
            problems.append(f"{place}.{error}")
    if problems:
        raise SourcesInvalid(problems)
    return PullSources(jobs, origins, tuple(files))


def _content(path: Path) -> bytes | None:
    """To tell whether it changed; the kind itself reads it, and says what is wrong."""
    try:
        return path.read_bytes()
    except (OSError, ValueError):
        return None


def _read_entries(path: Path) -> list[_Entry]:
    document = read_document(path, "FIREBREAK_PULL_SOURCES_FILE")
    try:
        return _File.model_validate(document).sources
    except ValidationError as error:
        raise SourcesInvalid(list(explain(error, ""))) from error
