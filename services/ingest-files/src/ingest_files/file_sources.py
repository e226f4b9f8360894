"""What the sources file of ingest-webhook says about files: `files: {tokens: [env:NAME, file:/path], api: …}`."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ingest_files.schemes.registry import SCHEMES, WITHOUT_TOKEN
from ingest_files.schemes.scheme import Access, Fetch


class SourcesInvalid(Exception):
    """The file cannot be used; each problem names the field and the fix, and none holds a secret."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))


@dataclass(frozen=True, slots=True)
class FileSource:
    """One source whose files are fetched."""

    fetch: Fetch
    access: Access


class _Literal(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    value: str = Field(min_length=1)


class _Files(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    tokens: list[str | _Literal] = Field(default_factory=list)
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


def read_file_sources(path: Path, environment: Mapping[str, str]) -> dict[str, FileSource]:
    """Return the sources whose files are fetched, by name.

    :raises SourcesInvalid:
    """
    try:
        entries = _File.model_validate(yaml.safe_load(path.read_text(encoding="utf-8"))).sources
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SourcesInvalid([f"{path}: not readable as YAML in UTF-8: {type(error).__name__}"]) from error
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False, include_context=False)
        raise SourcesInvalid([f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in details]) from error
    problems: list[str] = []
    found: dict[str, FileSource] = {}
    for entry in entries:
        if entry.files is None:
            continue
        place = f"sources ({entry.name}).files"
        tokens = tuple(_resolve(place, token, environment, problems) for token in entry.files.tokens)
        if entry.provider not in SCHEMES:
            problems.append(f"{place}: files of {entry.provider} cannot be fetched; leave `files` out")
        elif not tokens and entry.provider not in WITHOUT_TOKEN:
            problems.append(f"{place}.tokens: {entry.provider} gives files only for a token; see docs/files.md")
        else:
            found[entry.name] = FileSource(SCHEMES[entry.provider], Access(tokens or ("",), entry.files.api))
    if problems:
        raise SourcesInvalid(problems)
    return found


def _resolve(place: str, written: str | _Literal, environment: Mapping[str, str], problems: list[str]) -> str:
    if isinstance(written, _Literal):
        return written.value
    kind, _, rest = written.partition(":")
    token = ""
    if kind == "env":
        token = environment.get(rest, "")
    elif kind == "file":
        try:
            token = Path(rest).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            token = ""
    if not token:
        problems.append(
            f"{place}.tokens: no token found; write env:NAME, file:/path, or `value:` with the token itself"
        )
    return token
