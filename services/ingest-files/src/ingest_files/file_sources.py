"""What the sources file of ingest-webhook says about files: `files: {tokens: [env:NAME, file:/path], api: …}`."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ingest_files.schemes.registry import SCHEMES, WITHOUT_TOKEN
from ingest_files.schemes.scheme import Access, Fetch
from ticket_intake.source_file import SecretResolver, SourcesInvalid, WrittenSecret, explain, read_document


@dataclass(frozen=True, slots=True)
class FileSource:
    """One source whose files are fetched."""

    fetch: Fetch
    access: Access


@dataclass(frozen=True, slots=True)
class FileSources:
    """Everything that one reading gave. `files` are all files it came from, for who watches them."""

    by_name: Mapping[str, FileSource]
    files: tuple[Path, ...]


class _Files(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    tokens: list[WrittenSecret] = Field(default_factory=list)
    api: str = Field("", pattern=r"^(https?://[^/@\s]+(/\S*)?)?$")


class _Entry(BaseModel):
    """Only what is ours; ingest-webhook checks the rest and refuses what does not exist."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    name: str
    provider: str
    files: _Files | None = None


class _File(BaseModel):
    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    sources: list[_Entry]


def read_file_sources(path: Path, environment: Mapping[str, str]) -> FileSources:
    """Return the sources whose files are fetched, by name.

    :raises SourcesInvalid:
    """
    document = read_document(path, "FIREBREAK_SOURCES_FILE")
    try:
        entries = _File.model_validate(document).sources
    except ValidationError as error:
        raise SourcesInvalid(list(explain(error, ""))) from error
    problems: list[str] = []
    found: dict[str, FileSource] = {}
    files = [path]
    for entry in entries:
        if entry.files is None:
            continue
        place = f"sources ({entry.name}).files"
        resolver = SecretResolver(place, environment)
        tokens = tuple(resolver.resolve_all("tokens", entry.files.tokens))
        problems += resolver.problems
        files += resolver.files
        if entry.provider not in SCHEMES:
            problems.append(f"{place}: files of {entry.provider} cannot be fetched; leave `files` out")
        elif not tokens and entry.provider not in WITHOUT_TOKEN:
            problems.append(f"{place}.tokens: {entry.provider} gives files only for a token; see docs/files.md")
        else:
            found[entry.name] = FileSource(SCHEMES[entry.provider], Access(tokens or ("",), entry.files.api))
    if problems:
        raise SourcesInvalid(problems)
    return FileSources(found, tuple(files))
