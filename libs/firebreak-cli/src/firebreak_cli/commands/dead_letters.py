"""`firebreak dead-letters`: records that no one could process, and partitions that stand still because of one."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

import typer
from pydantic_core import to_json
from rich.console import Console, RenderableType
from rich.text import Text

from firebreak_cli.commands.options import DEFAULT_DATA_DIR, By, DataDir, Json
from firebreak_cli.dead_letter_tables import letter_object, letter_page, letters_table, short_id, show_troubles
from firebreak_cli.operator_desk import ALL_STATES, Decided, decide, find_letter, open_connection, replay
from firebreak_cli.reached_servers import ReachedServers, reach
from firebreak_cli.said_plainly import FAILED, said_plainly
from firebreak_cli.stream_troubles import read_troubles
from firebreak_cli.terminal_text import plain
from ticket_stream import dead_letter_desk
from ticket_stream.pauses import Decision
from ticket_stream.processing import Connection, Partition

WAITING = ("new", "replaying")
MOST = 100  # lines; more than a person reads, and a hundred an hour is where a consumer pauses
Result = TypeVar("Result")

Id = Annotated[str, typer.Argument(metavar="ID", help="A dead letter's id, or the beginning of it.")]
Consumer = Annotated[str, typer.Argument(metavar="CONSUMER", help="As `list` names it, such as sla-engine.")]
TopicName = Annotated[str, typer.Argument(metavar="TOPIC", help="Topic without the installation's prefix.")]
Number = Annotated[int, typer.Argument(metavar="PARTITION", min=0)]
All = Annotated[bool, typer.Option("--all", help="Also those that were replayed or discarded.")]
Limit = Annotated[int, typer.Option("--limit", min=1, max=10_000, help="Show at most this many, the newest.")]
WithText = Annotated[bool, typer.Option("--text", help="Also what people wrote; secrets stay hidden.")]


def add_to(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(
        help="Look after records that could not be processed. Works on the stack of --data-dir, or on the servers of "
        "FIREBREAK_POSTGRES, FIREBREAK_KAFKA and FIREBREAK_TOPIC_PREFIX when these are set.",
        no_args_is_help=True,
    )
    group.command("list")(list_letters)
    group.command("show")(show)
    group.command("replay")(replay_letter)
    group.command("discard")(discard)
    group.command("resume")(resume)
    group.command("skip")(skip)
    app.add_typer(group, name="dead-letters")


def list_letters(
    data_dir: DataDir = DEFAULT_DATA_DIR, include_closed: All = False, limit: Limit = MOST, as_json: Json = False
) -> None:
    """List dead letters that wait for somebody, paused partitions and refusals."""

    async def work(_: ReachedServers, connection: Connection) -> None:
        states = ALL_STATES if include_closed else WAITING
        letters = await dead_letter_desk.list_dead_letters(connection, states=states, limit=limit)
        troubles = await read_troubles(connection)
        if as_json:
            _print_json({"dead_letters": [each._asdict() for each in letters], **troubles.model_dump()})
            return
        _show(letters_table(letters) if letters else Text("No dead letter waits."))
        show_troubles(troubles, Console())

    _run(data_dir, work)


def show(
    dead_letter_id: Id, data_dir: DataDir = DEFAULT_DATA_DIR, text: WithText = False, as_json: Json = False
) -> None:
    """Show one with its record, without secrets."""

    async def work(_: ReachedServers, connection: Connection) -> None:
        whole = await dead_letter_desk.show(connection, await find_letter(connection, dead_letter_id))
        if as_json:
            _print_json(letter_object(whole, text))
        else:
            _show(letter_page(whole, text))

    _run(data_dir, work)


def replay_letter(dead_letter_id: Id, by: By, data_dir: DataDir = DEFAULT_DATA_DIR, as_json: Json = False) -> None:
    """Send the record again as a new event that names the old one as its cause."""

    async def work(servers: ReachedServers, connection: Connection) -> None:
        found = await find_letter(connection, dead_letter_id)
        event_id = await replay(servers, connection, found, by)
        if as_json:
            _print_json({"id": found, "state": "replayed", "event_id": event_id})
        else:
            _show(Text(f"✔ {short_id(found)} was sent again as event {event_id}."))

    _run(data_dir, work)


def discard(dead_letter_id: Id, by: By, data_dir: DataDir = DEFAULT_DATA_DIR, as_json: Json = False) -> None:
    """Decide that nothing is to be done; the record stays readable."""

    async def work(_: ReachedServers, connection: Connection) -> None:
        found = await find_letter(connection, dead_letter_id)
        await dead_letter_desk.discard(connection, found, by=by)
        if as_json:
            _print_json({"id": found, "state": "discarded"})
        else:
            _show(Text(f"✔ {short_id(found)} is discarded."))

    _run(data_dir, work)


def resume(
    consumer: Consumer,
    topic: TopicName,
    partition: Number,
    by: By,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    as_json: Json = False,
) -> None:
    """Let a paused partition try again from the same record, after its cause was put right."""
    _decide("resume", consumer, Partition(topic, partition), by, data_dir, as_json)


def skip(
    consumer: Consumer,
    topic: TopicName,
    partition: Number,
    by: By,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    as_json: Json = False,
) -> None:
    """Put the record at fault into the dead letters (or drop the timer at fault) and let the partition go on."""
    _decide("skip", consumer, Partition(topic, partition), by, data_dir, as_json)


def _decide(decision: Decision, consumer: str, partition: Partition, by: str, data_dir: DataDir, as_json: bool) -> None:
    async def work(_: ReachedServers, connection: Connection) -> Decided:
        return await decide(connection, decision, consumer, partition, by)

    decided = _run(data_dir, work)
    where = f"{consumer} on {partition.topic}/{partition.number}"
    if as_json:
        pause = decided.pause and decided.pause._asdict()
        _print_json({"decision": decision, "outcome": decided.outcome, "pause": pause})
    elif decided.pause is None:
        _show(Text(f"✔ {where} goes on."))
    elif decided.outcome == "paused again":
        _show(Text(f"✘ {where} is paused again at offset {decided.pause.next_offset}:"), plain(decided.pause.reason))
    else:
        _show(Text(f"! Noted. No process of {consumer} has carried it out yet; the next one that runs will."))
    if decided.outcome == "paused again":
        raise typer.Exit(FAILED)


def _run(data_dir: DataDir, work: Callable[[ReachedServers, Connection], Awaitable[Result]]) -> Result:
    async def connected() -> Result:
        servers = reach(data_dir)
        async with open_connection(servers) as connection:
            return await work(servers, connection)

    with said_plainly():
        return asyncio.run(connected())


def _print_json(content: object) -> None:
    print(to_json(content, indent=2).decode())


def _show(*parts: RenderableType) -> None:
    Console().print(*parts, sep="\n")
