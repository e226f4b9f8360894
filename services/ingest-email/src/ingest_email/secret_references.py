"""Secrets that a configuration file refers to: `env:NAME`, `file:/path`, or `{value: …}` for tests."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator

from ticket_intake.source_file import LiteralSecret


class SecretMissing(OSError):
    """A secret cannot be had now; the message names where it should be, and tells nothing of it."""


def _is_reference(value: str | LiteralSecret) -> str | LiteralSecret:
    if isinstance(value, str) and not value.startswith(("env:", "file:")):
        raise ValueError("must be env:NAME or file:/path, or {value: …}")
    return value


SecretReference = Annotated[str | LiteralSecret, AfterValidator(_is_reference)]


def file_places(references: Iterable[SecretReference]) -> list[Path]:
    """Those of the references that name files, for who watches them."""
    return [Path(each[len("file:") :]) for each in references if isinstance(each, str) and each.startswith("file:")]


def resolved(reference: str | LiteralSecret, environment: Mapping[str, str]) -> str:
    """Return a secret; a file is read each time.

    :raises SecretMissing: it is not there.
    """
    if isinstance(reference, LiteralSecret):
        return reference.value
    kind, _, place = reference.partition(":")
    if kind == "env":
        if not environment.get(place):
            raise SecretMissing(f"the environment has no {place}")
        return environment[place]
    try:
        content = Path(place).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SecretMissing(f"{place} cannot be read: {type(error).__name__}") from error
    if not content:
        raise SecretMissing(f"{place} is empty")
    return content
