"""Options that several commands share."""

import getpass
import os
from pathlib import Path
from typing import Annotated

import typer

from ticket_store.documents import MAX_NAME

DEFAULT_DATA_DIR = Path(".firebreak")

DataDir = Annotated[
    Path,
    typer.Option(
        "--data-dir",
        envvar="FIREBREAK_DATA_DIR",
        file_okay=False,
        help="Folder of this stack's data, logs and keys. One stack per folder.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output, for scripts.")]


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's account may have a number and no name
        return f"uid {os.getuid()}"


def _name(told: str) -> str:
    """:raises typer.BadParameter: it names nobody, or could not be stored or shown."""
    if not told.strip() or len(told) > MAX_NAME or not told.isprintable():
        raise typer.BadParameter(f"say who, in 1 to {MAX_NAME} printable characters: a name or an account")
    return told


By = Annotated[
    str,
    typer.Option(
        "--by",
        callback=_name,
        default_factory=_user,
        show_default="your account",
        help="Who decides; kept with the decision.",
    ),
]
As = Annotated[
    str,
    typer.Option(
        "--as",
        callback=_name,
        default_factory=_user,
        show_default="your account",
        help="Who changes it; kept with the version.",
    ),
]
