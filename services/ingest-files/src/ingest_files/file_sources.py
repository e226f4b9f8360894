"""What the sources file of ingest-webhook says about files: `files: {tokens: [env:NAME, file:/path], api: …}`.

Where the provider exchanges: `files: {app_id: …, secrets: [env:NAME]}`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from ingest_files.schemes import connect_records, freeswitch, x
from ingest_files.schemes.registry import BY_ROLE, EXCHANGING, SCHEMES, WITHOUT_SOMETIMES, WITHOUT_TOKEN
from ingest_files.schemes.scheme import Access, Fetch
from ticket_intake.source_file import SecretResolver, SourcesInvalid, WrittenFiles, explain, read_document


@dataclass(frozen=True, slots=True)
class FileSource:
    """One source whose files are fetched; `provider` is one of `SCHEMES`."""

    provider: str
    access: Access

    @property
    def fetch(self) -> Fetch:
        return SCHEMES[self.provider]


@dataclass(frozen=True, slots=True)
class FileSources:
    """Everything that one reading gave. `files` are all files it came from, for who watches them."""

    by_name: Mapping[str, FileSource]
    files: tuple[Path, ...]


class _Entry(BaseModel):
    """Only what is ours; ingest-webhook checks the rest and refuses what does not exist."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    name: str
    provider: str
    files: WrittenFiles | None = None


class _File(BaseModel):
    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    sources: list[_Entry]


def read_all_sources(path: Path, pull_path: Path | None, environment: Mapping[str, str]) -> FileSources:
    """Return the sources of both files whose files are fetched, by name.

    :param pull_path: the sources file of ingest-pull, if any.
    :raises SourcesInvalid:
    """
    found = read_file_sources(path, environment)
    if pull_path is None:
        return found
    pulled = read_file_sources(pull_path, environment, "FIREBREAK_PULL_SOURCES_FILE")
    if both := sorted(found.by_name.keys() & pulled.by_name.keys()):
        raise SourcesInvalid([f"sources ({name}): has `files` in both sources files; rename one" for name in both])
    return FileSources({**found.by_name, **pulled.by_name}, found.files + pulled.files)


def read_file_sources(
    path: Path, environment: Mapping[str, str], setting: str = "FIREBREAK_SOURCES_FILE"
) -> FileSources:
    """Return the sources of one file whose files are fetched, by name.

    :raises SourcesInvalid:
    """
    document = read_document(path, setting)
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
        tokens = (
            *resolver.resolve_all("tokens", entry.files.tokens),
            *resolver.resolve_all("secrets", entry.files.secrets),
        )
        problems += resolver.problems
        files += resolver.files
        if wrong := list(_wrong(entry.provider, entry.files, tokens)):
            problems += [f"{place}{problem}" for problem in wrong]
        else:
            found[entry.name] = FileSource(entry.provider, _access(entry.files, tokens))
    if problems:
        raise SourcesInvalid(problems)
    return FileSources(found, tuple(files))


def _access(files: WrittenFiles, tokens: tuple[str, ...]) -> Access:
    return Access(tokens or ("",), files.api, files.app_id, bucket=files.bucket, region=files.region)


def _wrong(provider: str, files: WrittenFiles, tokens: Sequence[str]) -> Iterator[str]:
    """Say what a provider's files want and these have not, or have in vain: `.field: what; fix`."""
    if provider not in SCHEMES:
        yield f": files of {provider} cannot be fetched; leave `files` out"
    elif provider in EXCHANGING:
        if files.tokens:
            yield f".tokens: {provider} gives its tokens itself; write `app_id` and `secrets`, see docs/files.md"
        if bool(files.app_id) != bool(files.secrets):
            missing = "secrets" if files.app_id else "app_id"
            yield f".{missing}: is missing; {provider} takes both, see docs/files.md"
        elif not files.app_id and provider not in WITHOUT_SOMETIMES:
            yield f".app_id: {provider} gives files only for `app_id` and `secrets`; see docs/files.md"
    else:
        if files.app_id or files.secrets:
            yield f".{'secrets' if files.secrets else 'app_id'}: {provider} takes `tokens`; see docs/files.md"
        if not files.tokens and provider not in WITHOUT_TOKEN | WITHOUT_SOMETIMES | BY_ROLE:
            yield f".tokens: {provider} gives files only for a token; see docs/files.md"
        if provider == "x" and not all(map(x.is_credentials, filter(None, tokens))):
            yield f".tokens: one is not `{x.CREDENTIALS}`; see docs/files.md"
        if provider == "freeswitch":
            yield from _wrong_at_a_switch(files.api, tokens)
        if provider == "connect-records":
            yield from _wrong_at_a_bucket(files, tokens)
    if provider != "connect-records" and (files.bucket or files.region):
        yield f".{'bucket' if files.bucket else 'region'}: files of {provider} are in no bucket; leave it out"


def _wrong_at_a_switch(api: str, tokens: Sequence[str]) -> Iterator[str]:
    if not freeswitch.is_base(api):
        yield ".api: write the https address under which the switch's folder of recordings is given out"
    if not all(map(_is_pair, tokens)):
        yield f".tokens: one is not `{freeswitch.CREDENTIALS}`; see docs/files.md"


def _wrong_at_a_bucket(files: WrittenFiles, tokens: Sequence[str]) -> Iterator[str]:
    if not files.bucket:
        yield ".bucket: write the bucket of Connect's recordings, with its prefix; no other is read"
    if not files.region:
        yield ".region: write the region of the bucket, e.g. eu-west-1"
    if not all(map(_is_pair, tokens)):
        yield f".tokens: one is not `{connect_records.CREDENTIALS}`; see docs/files.md"


def _is_pair(token: str) -> bool:
    first, _, second = token.partition(":")
    return bool(first and second)
