"""Fold tickets anew from `ticket_events` and compare with all that is stored of them."""

import json
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg

from sla_engine.domain.clock_memory import MOST_KEPT_CLOCKS
from sla_engine.domain.evolve import BrokenHistory, evolve
from sla_engine.domain.ticket import Ticket
from sla_engine.stored_rows import Row, clock_row, message_row, new_ticket_row
from sla_engine.stored_state import decode_fact, decode_state, encode_state
from ticket_contracts.tickets import ClockFact, ClockState, MessageAdded, MessageRevised, TicketOpened
from ticket_contracts.vocabulary import Metric
from ticket_store.tables.clocks import CLOCK_COLUMNS
from ticket_store.tables.messages import NEW_MESSAGE_COLUMNS
from ticket_store.tables.tickets import NEW_TICKET_COLUMNS

PAGE = 500
"""Tickets of one look. All of a look is one snapshot, so that a running engine is never caught in the middle."""

NOT_FOLDED = frozenset({"updated_at"})
"""When the row was written: the database's time, which no fact carries."""

_EMPTY: Mapping[str, object] = {each.name: [] for each in fields(Ticket) if each.default == ()}
"""Lists that a state of before does not have are empty."""

EVER = datetime(1970, 1, 1, tzinfo=UTC)
FIRST_ID, LAST_ID = UUID(int=0), UUID(int=2**128 - 1)

_IDS = """
SELECT ticket_id FROM (
    (SELECT ticket_id FROM tickets WHERE ticket_id >= $1 AND ticket_id <= $2 AND updated_at >= $3
     ORDER BY ticket_id LIMIT $4)
    UNION
    (SELECT DISTINCT ticket_id FROM ticket_events WHERE ticket_id >= $1 AND ticket_id <= $2 AND recorded_at >= $3
     ORDER BY ticket_id LIMIT $4)
) AS either ORDER BY ticket_id LIMIT $4
"""
"""Of both tables: events without a ticket are a difference too, and so is a ticket without events."""

_FACTS = """
SELECT ticket_id, version, type, data FROM ticket_events WHERE ticket_id = ANY($1::uuid[]) ORDER BY ticket_id, version
"""

_STORED = "SELECT {columns} FROM {table} WHERE ticket_id = ANY($1::uuid[])"


class TicketRange(NamedTuple):
    """Which tickets are checked: ids from `first` to `last`, and only what was written `since`."""

    first: UUID = FIRST_ID
    last: UUID = LAST_ID
    since: datetime = EVER


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is stored otherwise than the events say. `what` is a plain sentence without people's words."""

    ticket_id: UUID
    what: str


@dataclass(slots=True)
class CheckedPage:
    """What one look found."""

    tickets: int
    facts: int
    differences: list[Difference] = field(default_factory=list)


@dataclass(slots=True)
class StoredRows:
    """What the tables hold of a page's tickets."""

    facts: Mapping[UUID, list[Any]]
    tickets: Mapping[UUID, Any]
    clocks: Mapping[UUID, list[Any]]
    messages: Mapping[UUID, list[Any]]


async def check_folds(
    connection: "asyncpg.Connection[asyncpg.Record]", wanted: TicketRange
) -> AsyncIterator[CheckedPage]:
    """Yield what each page of tickets shows. Reads only, each page in a snapshot of its own."""
    first: UUID | None = wanted.first
    while first is not None:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            rows = await connection.fetch(_IDS, first, wanted.last, wanted.since, PAGE)
            ids = [row["ticket_id"] for row in rows]
            stored = await _read(connection, ids)
        yield check_page(ids, stored)
        first = UUID(int=ids[-1].int + 1) if len(ids) == PAGE and ids[-1] != LAST_ID else None


def check_page(ids: Sequence[UUID], stored: StoredRows) -> CheckedPage:
    """Compare every ticket of a page."""
    page = CheckedPage(len(ids), sum(len(facts) for facts in stored.facts.values()))
    for ticket_id in ids:
        page.differences += [Difference(ticket_id, what) for what in _differences(ticket_id, stored)]
    return page


async def _read(connection: "asyncpg.Connection[asyncpg.Record]", ids: Sequence[UUID]) -> StoredRows:
    ticket_rows = await _fetch(connection, "tickets", NEW_TICKET_COLUMNS, ids)
    return StoredRows(
        facts=_grouped(await connection.fetch(_FACTS, ids)),
        tickets={row["ticket_id"]: row for row in ticket_rows},
        clocks=_grouped(await _fetch(connection, "clocks", CLOCK_COLUMNS, ids)),
        messages=_grouped(await _fetch(connection, "messages", NEW_MESSAGE_COLUMNS, ids)),
    )


async def _fetch(
    connection: "asyncpg.Connection[asyncpg.Record]", table: str, columns: Sequence[str], ids: Sequence[UUID]
) -> list[Any]:
    return list(await connection.fetch(_STORED.format(table=table, columns=", ".join(columns)), ids))


def _grouped(rows: Sequence[Any]) -> dict[UUID, list[Any]]:
    groups: defaultdict[UUID, list[Any]] = defaultdict(list)
    for row in rows:
        groups[row["ticket_id"]].append(row)
    return groups


def _differences(ticket_id: UUID, stored: StoredRows) -> Iterator[str]:
    rows = stored.facts.get(ticket_id, [])
    if not rows:
        yield "it stands in `tickets`, but has no events"
        return
    ticket: Ticket | None = None
    messages: list[Row] = []
    clocks: dict[tuple[Metric, int], ClockState] = {}
    try:
        for row in rows:
            fact = decode_fact(row["type"], row["data"])
            ticket = evolve(ticket, fact)
            if isinstance(fact, TicketOpened | MessageAdded | MessageRevised):
                messages.append(message_row(fact))
            turned = (
                fact.clocks if isinstance(fact, TicketOpened) else (fact.clock,) if isinstance(fact, ClockFact) else ()
            )
            clocks |= {(clock.metric, clock.cycle): clock for clock in turned}
    except BrokenHistory as broken:
        yield f"its events do not follow on each other: {broken}"
        return
    assert ticket is not None  # there is at least one event, and it was folded
    yield from _of_ticket(ticket, stored.tickets.get(ticket_id))
    rows_of_clocks = [clock_row(ticket, clock) for clock in clocks.values()]
    yield from _of_rows("clocks", CLOCK_COLUMNS, ("metric", "cycle"), rows_of_clocks, stored.clocks.get(ticket_id, []))
    yield from _of_rows("messages", NEW_MESSAGE_COLUMNS, ("version",), messages, stored.messages.get(ticket_id, []))


def _of_ticket(ticket: Ticket, row: Any) -> Iterator[str]:
    if row is None:
        yield f"its {ticket.version} events have no row in `tickets`"
        return
    if _comparable(row["state"]) != _comparable(encode_state(ticket)):
        yield "`tickets.state` is not the fold of its events"
    folded = dict(zip(NEW_TICKET_COLUMNS, new_ticket_row(ticket, ticket.summary.opened_at), strict=True))
    for name in NEW_TICKET_COLUMNS:
        if name != "state" and name not in NOT_FOLDED and not _same(folded[name], row[name]):
            yield f"`tickets.{name}` is not what its events say"


def _comparable(state: str) -> Mapping[str, object]:
    """Return a state as far as it does not depend on which engine has stored it.

    Not compared is how often rules ran: one that was in use before runs were counted over 30 days counts from then on.
    """
    told: dict[str, Any] = {**_EMPTY, **json.loads(state)}
    if len(told["clocks"]) > MOST_KEPT_CLOCKS:  # of an engine that kept all
        told = json.loads(encode_state(decode_state(state)))
    rules = told.pop("automation", {})
    told["waits"] = rules.get("waits", [])
    told["told"] = sorted(use[:2] + use[3:4] for use in rules.get("uses", []) if use[3])  # rule, version, told
    return told


def _of_rows(
    table: str, columns: Sequence[str], key: Sequence[str], folded: Sequence[Row], stored: Sequence[Any]
) -> Iterator[str]:
    wanted = {tuple(row[name] for name in key): row for row in (dict(zip(columns, row, strict=True)) for row in folded)}
    found = {tuple(row[name] for name in key): row for row in stored}
    for place in sorted(wanted.keys() | found.keys(), key=str):
        name = f"`{table}` {' '.join(str(part) for part in place)}"
        if place not in found:
            yield f"{name} is missing"
        elif place not in wanted:
            yield f"{name} comes from no event"
        else:
            for column in columns:
                if not _same(wanted[place][column], found[place][column]):
                    yield f"{name}: `{column}` is not what its events say"


def _same(folded: object, stored: object) -> bool:
    if isinstance(folded, tuple):  # tags
        return list(folded) == stored
    if isinstance(folded, str) and isinstance(stored, str) and folded != stored and folded[:1] == "{":
        return bool(json.loads(folded) == json.loads(stored))  # jsonb keeps no order of keys
    return folded == stored
