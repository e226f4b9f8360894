"""Options and connections that the commands share."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Protocol, TypeAlias

import asyncpg
import typer

from ticket_store.sessions import connect

DEFAULT_DATA_DIR = Path(".firebreak")

DataDir = Annotated[
    Path,
    typer.Option(
        "--data-dir",
        envvar="FIREBREAK_DATA_DIR",
        file_okay=False,
        help="Folder of the stack that is asked; FIREBREAK_POSTGRES names another database.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output, for scripts.")]


class Installation(Protocol):
    """The servers of one installation, as the command line found them."""

    @property
    def postgres(self) -> str: ...

    @property
    def topic_prefix(self) -> str: ...

    def need_kafka(self) -> str:
        """Return host:port; what the error says when it is not known is for the operator."""
        ...


Reach: TypeAlias = Callable[[Path], Installation]
"""From a data directory to its servers, or to those of FIREBREAK_POSTGRES and FIREBREAK_KAFKA."""


@asynccontextmanager
async def reading(url: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """Open a session that can write nothing, and that a long look does not end.

    :raises ticket_store.sessions.DatabaseAway: it cannot be reached.
    """
    connection = await connect(url, application_name="firebreak-reader")
    try:
        await connection.execute(
            "SET default_transaction_read_only = on; SET statement_timeout = '10min'; "
            "SET idle_in_transaction_session_timeout = '10min'"  # what is worked out meanwhile may take minutes
        )
        yield connection
    finally:
        await connection.close()
