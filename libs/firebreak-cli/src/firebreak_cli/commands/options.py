"""Options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

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
