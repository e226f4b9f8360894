"""Dead letters and what stands still, as tables for a person."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from pydantic_core import to_json
from rich.box import SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from firebreak_cli.record_view import header_view, value_view
from firebreak_cli.stream_troubles import WHAT_TO_DO, PausedPartition, Troubles
from firebreak_cli.terminal_text import plain
from service_kit.redaction import redact_text
from ticket_stream.dead_letter_desk import DeadLetter, WholeDeadLetter

SHORT_ID = 8  # characters; the commands take any beginning of an id that only one dead letter has


def short_id(dead_letter_id: UUID) -> str:
    return str(dead_letter_id)[:SHORT_ID]


def letters_table(letters: Sequence[DeadLetter]) -> Table:
    """Return one block per dead letter, the newest first; readable on 80 columns."""
    table = Table(title="Dead letters", title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0), leading=1)
    table.add_column("id", no_wrap=True, style="bold")
    table.add_column("recorded", no_wrap=True)
    table.add_column("consumer, where, what and why", overflow="fold", ratio=1)
    for letter in letters:
        where = f"{letter.consumer}  {letter.topic}/{letter.partition}@{letter.offset}"
        state = "" if letter.state == "new" else f"  {letter.state}"
        lines = [
            Text.assemble(plain(where), (state, "dim")),
            plain(letter.record_type or "no event", style="cyan"),
            plain(redact_text(letter.reason)),
        ]
        table.add_row(short_id(letter.id), f"{letter.recorded_at.astimezone():%m-%d %H:%M:%S}", Text("\n").join(lines))
    return table


def letter_page(whole: WholeDeadLetter, with_words: bool) -> RenderableType:
    """Return everything about one dead letter, without secrets."""
    letter = whole.summary
    table = _pairs(str(letter.id))
    facts = {
        "state": letter.state,
        "consumer": letter.consumer,
        "from": f"{letter.topic}, partition {letter.partition}, offset {letter.offset}",
        "appended": local_moment(letter.appended_at),
        "recorded": local_moment(letter.recorded_at),
        "type": letter.record_type or "no event",
        "event id": letter.record_id or "–",
        "reason": redact_text(letter.reason),
        "replayed as": whole.replay_id or "–",
        "key": key_text(whole.key),
    }
    for name, value in facts.items():
        table.add_row(name, plain(value))
    headers = _pairs("Headers")
    for name, value in header_view(whole.headers):
        headers.add_row(plain(name), plain(value))
    content = value_view(whole.value, with_words)
    lines = to_json(content, indent=2).decode().splitlines() if isinstance(content, dict | list) else [str(content)]
    return Group(table, "", headers, "", Text("Value", style="bold"), *map(plain, lines))


def letter_object(whole: WholeDeadLetter, with_words: bool) -> dict[str, object]:
    """Return the same for scripts."""
    return whole.summary._asdict() | {
        "reason": redact_text(whole.summary.reason),
        "replay_id": whole.replay_id,
        "key": key_text(whole.key),
        "headers": header_view(whole.headers),
        "value": value_view(whole.value, with_words),
    }


def key_text(key: bytes | None) -> str:
    return "–" if key is None else redact_text(key.decode("utf-8", errors="backslashreplace"))


def show_troubles(troubles: Troubles, console: Console) -> None:
    """Print what stands still; nothing at all when all goes on."""
    parts: list[Text] = []
    for refusal in troubles.refusals:
        title = Text(f"Refused: no service goes on since {local_moment(refusal.refused_at)}", style="bold red")
        parts += [title, plain(f"  {refusal.reason}")]
    if troubles.refusals:
        parts.append(plain(f"  {WHAT_TO_DO}"))
    for pause in troubles.paused:
        parts += _pause_lines(pause)
    for part in parts:
        console.print(part, soft_wrap=True)  # a command that is there to be copied must not be broken by us


def _pause_lines(pause: PausedPartition) -> list[Text]:
    where = f"{pause.consumer} {pause.topic} {pause.partition}"
    lines = [
        Text(f"Paused since {local_moment(pause.paused_at)}: {where}", style="bold yellow"),
        plain(f"  {redact_text(pause.reason)}"),
    ]
    if pause.decision is not None:
        return [*lines, plain(f"  {pause.decided_by} decided: {pause.decision}; its owner has not done it yet")]
    for word, effect in (("resume", "to try the same again"), ("skip", "to set it aside and go on")):
        lines += [plain(f"  {effect}:"), plain(f"    firebreak dead-letters {word} {where}")]
    return lines


def local_moment(at: datetime) -> str:
    """Return a time in the reader's zone, to the second."""
    return f"{at.astimezone():%Y-%m-%d %H:%M:%S}"


def _pairs(title: str) -> Table:
    table = Table(
        title=title, title_justify="left", title_style="bold", show_header=False, box=None, padding=(0, 2, 0, 0)
    )
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    return table
