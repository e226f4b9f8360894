"""What every file of sources has: names, secrets that stand elsewhere, and problems told all at once.

A secret is written as `env:NAME`, `file:/path`, or `value:` with the secret itself (for tests and local stacks).
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

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


WrittenSecret: TypeAlias = str | LiteralSecret


def read_document(path: Path, setting: str) -> object:
    """Read YAML.

    :param setting: the variable that names the file, for who has to mend it.
    :raises SourcesInvalid:
    """
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SourcesInvalid([f"{path}: {error.strerror}; set {setting} to a readable file"]) from error
    except (yaml.YAMLError, ValueError) as error:  # ValueError: not UTF-8, or a date that is none
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


def explain(error: ValidationError, place: str) -> Iterator[str]:
    for detail in error.errors(include_url=False, include_input=False, include_context=False):
        yield f"{'.'.join(filter(None, (place, *map(str, detail['loc']))))}: {detail['msg']}"
