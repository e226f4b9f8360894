"""What went wrong, as one line for a person and an exit code for scripts; a stack trace is for bugs alone."""

from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg
import typer
from rich.console import Console
from rich.text import Text

from firebreak_cli.local_stack.errors import LocalStackError
from firebreak_cli.terminal_text import plain
from ticket_store.configuration import ConfigurationRefused, HeadMoved
from ticket_store.configuration_history import NoSuchVersion
from ticket_store.sessions import DatabaseAway
from ticket_stream.dead_letter_desk import NoSuchDeadLetter, NotReplayable
from ticket_stream.edge_publisher import KafkaAway
from ticket_stream.failures import StreamRefused
from ticket_stream.pauses import NotPaused

FAILED = 1  # exit code


@contextmanager
def said_plainly() -> Iterator[None]:
    """Turn what an operator can put right into a line on standard error and exit code 1."""
    try:
        yield
    except asyncpg.UndefinedColumnError:
        say("This database has the tables of another release: start the services of this one on it first.")
    except asyncpg.UndefinedTableError:
        say("This database has no Firebreak tables: the services were never prepared on it.")
    except NotReplayable as error:
        say(f"It cannot be replayed: {error}. `firebreak dead-letters discard` closes it.")
    except HeadMoved as error:
        say(f"Nothing was applied: {error}.")
    except NoSuchVersion as error:
        say(f"The configuration cannot be shown: {error}.")
    except (
        ConfigurationRefused,
        LocalStackError,
        DatabaseAway,
        KafkaAway,
        StreamRefused,
        NoSuchDeadLetter,
        NotPaused,
    ) as error:
        say(str(error))
    else:
        return
    raise typer.Exit(FAILED)


def say(problem: str) -> None:
    """Print one problem on standard error."""
    words = Text("\n").join(plain(line) for line in problem.splitlines())
    Console(stderr=True).print(Text.assemble(("✘ ", "red"), words))
