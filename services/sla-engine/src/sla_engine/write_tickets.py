"""Write what a batch decided: a fixed number of statements, whatever the number of records."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from sla_engine.batch_work import BatchWork, Handled, Outcome
from sla_engine.stored_rows import Row, changed_ticket_row, clock_row, new_ticket_row
from ticket_store.tables import clocks, command_outcomes, messages, ticket_events, tickets
from ticket_stream.processing import Connection


class SecondWriter(Exception):
    """A ticket changed between our read and our write, though its partition has one owner: a bug, so stop."""


async def write_batch(connection: Connection, work: BatchWork) -> None:
    """Write events first: their key is the proof that this batch continues every ticket.

    :raises SecondWriter: it does not.
    """
    changed = list(work.changed())
    await _copy(connection, "ticket_events", ticket_events.NEW_EVENT_COLUMNS, work.event_rows)
    await _write_tickets(connection, changed, work.now)
    await _write_clocks(connection, changed)
    await _copy(connection, "messages", messages.NEW_MESSAGE_COLUMNS, work.message_rows)
    await write_outcomes(connection, list(work.outcomes.values()), work.now)


async def write_outcomes(connection: Connection, outcomes: Sequence[Outcome], now: datetime) -> None:
    """Tell the callers that wait; the first outcome of a command id stands."""
    if not outcomes:
        return
    rows = sorted(
        (each.command_id, each.ticket_id, each.outcome, each.reason, each.version, each.content_hash)
        for each in outcomes
    )
    await connection.execute(command_outcomes.ADD_OUTCOMES, *_columns(rows), now)


async def _write_tickets(connection: Connection, changed: Sequence[Handled], now: datetime) -> None:
    opened = [new_ticket_row(each.ticket, now) for each in changed if each.loaded is None and each.ticket is not None]
    await _copy(connection, "tickets", tickets.NEW_TICKET_COLUMNS, opened)
    rows = [changed_ticket_row(each.loaded, each.ticket) for each in changed if each.loaded is not None and each.ticket]
    if rows:
        status = await connection.execute(tickets.UPDATE_TICKETS, now, *_columns(rows))
        if status != f"UPDATE {len(rows)}":
            raise SecondWriter(f"{len(rows)} tickets were to be updated, the answer is {status}")


async def _write_clocks(connection: Connection, changed: Sequence[Handled]) -> None:
    started: list[Row] = []
    turned: list[Row] = []
    for each in changed:
        assert each.ticket is not None  # it has changed, so it exists
        for key, clock in each.turned.items():
            (started if key in each.started else turned).append(clock_row(each.ticket, clock))
    await _copy(connection, "clocks", clocks.CLOCK_COLUMNS, started)
    if turned:
        await connection.execute(clocks.UPDATE_CLOCKS, *_columns(turned))


async def _copy(connection: Connection, table: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
    if rows:
        await connection.copy_records_to_table(table, records=rows, columns=columns)


def _columns(rows: Sequence[Row]) -> Iterator[list[object]]:
    return (list(column) for column in zip(*rows, strict=True))
