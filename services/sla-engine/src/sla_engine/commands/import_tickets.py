"""`firebreak import`: tickets of another system, with their original times (rule 47)."""

import asyncio
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from uuid import UUID, uuid5

import typer
from pydantic import JsonValue, TypeAdapter, ValidationError
from rich.console import Console
from rich.progress import Progress

from sla_engine.commands.options import DEFAULT_DATA_DIR, DataDir, Reach
from ticket_contracts.commands import Actor
from ticket_contracts.envelope import Event
from ticket_contracts.topics import COMMANDS, MAX_EVENT_BYTES
from ticket_contracts.upkeep import ImportTicket, imported_ticket_id
from ticket_contracts.vocabulary import ActorKind
from ticket_stream.edge_publisher import EdgePublisher, open_edge_publisher

SOURCE = "/firebreak/import"
IMPORTER = Actor(kind=ActorKind.MACHINE, id="import")
AT_ONCE = 500  # tickets under way to Kafka; a ticket is some kilobytes
NUL = rb"\u0000"  # as JSON writes it
MOST_PROBLEMS = 20  # lines named; the same mistake usually stands in every line

File = Annotated[
    Path,
    typer.Argument(exists=True, dir_okay=False, help="One ticket a line, as JSON: see docs/what-if.md, Importing."),
]


class LineRefused(ValueError):
    """A line is no ticket; the message names its number, the field and what is wrong."""


def add_to(app: typer.Typer, reach: Reach) -> None:
    """Add the command."""

    @app.command("import")
    def import_tickets(file: File, data_dir: DataDir = DEFAULT_DATA_DIR) -> None:
        """Import tickets with their original times: no alarm, no automation. A ticket that is there stays as it is."""
        try:
            commands = read_lines(file)
        except LineRefused as refused:
            raise typer.BadParameter(str(refused), param_hint="FILE") from refused
        installation = reach(data_dir)
        asyncio.run(_send(installation.need_kafka(), installation.topic_prefix, commands))
        Console().print(f"✔ {len(commands)} tickets were sent; the sla-engine works them off in their order.")


def read_lines(file: Path) -> list[ImportTicket]:
    """Return every ticket of the file.

    :raises LineRefused: at least one line is none; nothing is sent then.
    """
    commands: list[ImportTicket] = []
    problems: list[str] = []
    for number, line in enumerate(_lines(file), start=1):
        if line.strip():
            try:
                commands.append(_command(line))
            except ValidationError as error:
                problems += [f"line {number}: {problem}" for problem in _explain(error)]
            except ValueError as error:
                problems.append(f"line {number}: {error}")
    if not commands and not problems:
        problems.append("no ticket is in it; write one a line")
    if problems:
        rest = f" … and {len(problems) - MOST_PROBLEMS} more" if len(problems) > MOST_PROBLEMS else ""
        raise LineRefused("; ".join(problems[:MOST_PROBLEMS]) + rest)
    return commands


def _lines(file: Path) -> Iterator[str]:
    """:raises LineRefused: what follows cannot be read as text."""
    try:
        with file.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                try:
                    yield line.decode("utf-8-sig" if number == 1 else "utf-8")
                except UnicodeDecodeError as error:
                    where = f"line {number}: its byte {error.start + 1}"
                    raise LineRefused(f"{where} is no UTF-8; save the file as UTF-8") from None
    except OSError as error:
        raise LineRefused(f"not readable: {error.strerror}; name a file that your account may read") from error


def _command(line: str) -> ImportTicket:
    """:raises ValueError: it is no ticket, or one that is too long."""
    content = TypeAdapter(dict[str, JsonValue]).validate_json(line)
    ticket_id = imported_ticket_id(str(content.get("origin")), str(content.get("external_id")))
    command = ImportTicket.model_validate({**content, "ticket_id": ticket_id, "actor": IMPORTER})
    encoded = command.encode()
    if NUL in encoded:
        raise ValueError("it holds the character U+0000, which cannot be stored; remove it")
    if len(encoded) > MAX_EVENT_BYTES:
        raise ValueError(f"the ticket has {len(encoded)} bytes, at most {MAX_EVENT_BYTES} fit; shorten its messages")
    return command


def _explain(error: ValidationError) -> Iterator[str]:
    for detail in error.errors(include_url=False, include_input=False):
        if detail["type"] == "json_invalid" or not detail["loc"]:
            yield f"it is no JSON object; write one ticket in braces ({detail['msg']})"
        else:
            yield f"{'.'.join(map(str, detail['loc']))}: {detail['msg']}"


async def _send(kafka: str, topic_prefix: str, commands: Sequence[ImportTicket]) -> None:
    """Return when Kafka has all of them; sent again after a failure, each is decided once."""
    with Progress(console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("Sending tickets", total=len(commands))
        async with open_edge_publisher(kafka, topic_prefix) as publisher:
            for start in range(0, len(commands), AT_ONCE):
                part = commands[start : start + AT_ONCE]
                await asyncio.gather(*(_publish(publisher, command) for command in part))
                progress.update(bar, advance=len(part))


async def _publish(publisher: EdgePublisher, command: ImportTicket) -> None:
    key = str(command.ticket_id)
    event = Event(
        id=str(command_id(command.ticket_id)),
        source=SOURCE,
        type=command.event_type,
        time=datetime.now(UTC),
        data=command.encode(),
        subject=key,
        partitionkey=key,
        correlationid=str(command_id(command.ticket_id)),
    )
    await publisher.publish(COMMANDS, key, event)


def command_id(ticket_id: UUID) -> UUID:
    """Return the id of a ticket's import: the same whenever it is sent."""
    return uuid5(ticket_id, "import")
