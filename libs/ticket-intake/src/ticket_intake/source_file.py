"""What every file of sources has: names, secrets that stand elsewhere, and problems told all at once.

A secret is written as `env:NAME`, `file:/path`, or `value:` with the secret itself (for tests and local stacks). One
that has parts, such as `TOKEN:ENCODING_AES_KEY` or `user:password`, can be written whole, or with its parts apart:
`{parts: [env:WECOM_TOKEN, env:WECOM_AES_KEY]}`. Parts belong together: what is active beside them is another secret of
the list, and what proves something else (Meta's word for its first question) has a list of its own, `tokens`.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal, TypeAlias
from urllib.parse import urlsplit

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from ticket_intake.recording_files import SEGMENT

SourceName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
"""Part of an address, of the event source and of metrics: one spelling in all three."""


class SourcesInvalid(Exception):
    """The file cannot be used. Each problem names the field and the fix; none holds a secret."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class LiteralSecret(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    value: str = Field(min_length=1)


class SecretInParts(BaseModel):
    """Joined by colons, as the provider's page writes the whole."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    parts: list[str | LiteralSecret] = Field(min_length=2)


WrittenSecret: TypeAlias = str | LiteralSecret | SecretInParts


def _with_port(url: str) -> str:
    urlsplit(url).port  # noqa: B018 - checked when it is read
    return url


class WrittenFiles(BaseModel):
    """`files` of a source: with what ingest-files fetches what customers send. Which of it, docs/files.md says."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    tokens: list[WrittenSecret] = Field(default_factory=list, description="used as they are; all are tried in turn")
    app_id: str = Field(default="", pattern=r"^[A-Za-z0-9_-]{0,100}$", description="whose secrets `secrets` are")
    secrets: list[WrittenSecret] = Field(default_factory=list, description="the provider gives an access token for one")
    api: Annotated[str, AfterValidator(_with_port)] = Field(
        default="", pattern=r"^(https?://[^/@\s]+(/\S*)?)?$", description="another address of the provider's API"
    )
    bucket: str = Field(
        default="",
        pattern=rf"^([a-z0-9][a-z0-9.-]{{1,61}}[a-z0-9](/{SEGMENT}*)*)?$",
        description="the only bucket whose objects are fetched, `name/prefix`; without a prefix all of it",
    )
    region: str = Field(default="", pattern=r"^[a-z0-9-]{0,40}$", description="of the bucket, e.g. eu-west-1")


def read_document(path: Path, setting: str) -> object:
    """Read YAML.

    :param setting: the variable that names the file, for who has to mend it.
    :raises SourcesInvalid:
    """
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SourcesInvalid([f"{path}: {error.strerror}; set {setting} to a readable file"]) from error
    except Exception as error:  # not UTF-8, a date that is none, a tag whose text is not of its kind, too deep
        place = f" at line {mark.line + 1}" if (mark := getattr(error, "problem_mark", None)) else ""
        raise SourcesInvalid([f"{path}: not YAML in UTF-8{place}"]) from error


class SecretResolver:
    """Resolves one source's secrets and tokens, collecting problems instead of stopping at the first."""

    def __init__(self, place: str, environment: Mapping[str, str]) -> None:
        self._place = place
        self._environment = environment
        self.problems: list[str] = []
        self.files: list[Path] = []

    def resolve_all(self, field: Literal["secrets", "tokens"], written: list[WrittenSecret]) -> list[str]:
        return [self._resolve(f"{field}.{index}", secret) for index, secret in enumerate(written)]

    def _resolve(self, field: str, secret: WrittenSecret) -> str:
        if isinstance(secret, LiteralSecret):
            return secret.value
        if isinstance(secret, SecretInParts):
            return self._joined(field, secret.parts)
        kind, _, rest = secret.partition(":")
        if kind == "env":
            return self._environment.get(rest) or self._missing(field, f"set the environment variable {rest}")
        if kind == "file":
            return self._read(field, Path(rest))
        return self._missing(field, "write env:NAME, file:/path, or `value:` with the secret itself")

    def _joined(self, field: str, written: Sequence[str | LiteralSecret]) -> str:
        parts = [self._resolve(f"{field}.parts.{index}", part) for index, part in enumerate(written)]
        for index, part in enumerate(parts[:-1]):
            if ":" in part:  # the whole would come apart at another place
                self.problems.append(
                    f"{self._place}.{field}.parts.{index}: has a colon; only the last part may: is it the whole secret?"
                )
        return ":".join(parts)

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


def explain(error: ValidationError, place: str) -> Iterator[str]:
    return (problem for _, problem in explain_each(error, place))


def explain_each(error: ValidationError, place: str) -> Iterator[tuple[tuple[int | str, ...], str]]:
    """Return each problem behind where it is: the keys and numbers that lead there."""
    for detail in error.errors(include_url=False, include_input=False, include_context=False):
        field = ".".join(filter(None, (place, *map(str, detail["loc"]))))
        yield detail["loc"], f"{field}: {detail['msg'].removeprefix('Value error, ')}"
