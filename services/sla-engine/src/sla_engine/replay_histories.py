"""Replay stored tickets under other policies and count their clocks; `firebreak what-if` shows what comes of it."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import compress, groupby
from operator import itemgetter
from typing import TypeAlias, TypeVar
from uuid import UUID

import asyncpg

from sla_engine.domain.acts import NO_ACTS, History, read_history
from sla_engine.domain.handling import Measured
from sla_engine.domain.kept_promises import IN_UTC, Hours, Results, result_of
from sla_engine.domain.policies import Policies
from sla_engine.domain.quick_what_if import replay as replay_quickly
from sla_engine.domain.quick_what_if import within_reach
from sla_engine.domain.wait_figures import WaitFigures
from sla_engine.domain.what_if import replay, without_warnings
from sla_engine.stored_state import decode_fact
from ticket_contracts.tickets import TicketFact, TicketOpened

Acts = TypeVar("Acts")
Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
TICKETS_AT_ONCE = 500  # some 10 MB where conversations are long
REPLAYED_AT_ONCE = 50  # so that they stay in the processor's cache from step to step
WHOLE_AT_ONCE = 50  # of those that are read in full: a fact in Python is ten times its text

UNREAD = ("clocks", "routing")
"""Parts of an opening that no replay reads, a fifth of its history's text: leaving them out costs PostgreSQL less than
writing them. For parts of other facts that is not so: each would be taken apart for little."""

_HISTORIES = """
SELECT ticket_id, '[' || string_agg('["' || event.type || '",' ||
    CASE event.type WHEN $4 THEN event.data - $5::text[] ELSE event.data END || ']', ',' ORDER BY event.version) || ']'
FROM tickets AS ticket JOIN ticket_events AS event USING (ticket_id)
WHERE ticket.opened_at >= $1 AND ticket.opened_at < $2 AND event.type <> ALL($3)
GROUP BY ticket_id
ORDER BY ticket_id
"""
"""One text for each ticket, in the form of `acts.History`: an answer's rows cost more than their reading."""

_WHOLE = """
SELECT ticket_id, type, data FROM ticket_events WHERE ticket_id = ANY($1::uuid[]) ORDER BY ticket_id, version
"""
"""Clocks' facts too: of an imported ticket they tell up to when it was another system's."""

_AS_THEY_WENT = """
SELECT clock.metric, ticket.team, coalesce(ticket.priority, 'none') AS priority,
       min(clock.started_at) AS started_at, clock.status, count(*) AS clocks
FROM tickets AS ticket JOIN clocks AS clock USING (ticket_id)
WHERE ticket.opened_at >= $1 AND ticket.opened_at < $2
GROUP BY 1, 2, 3, 5, width_bucket(clock.started_at, $3::timestamptz[]),
    floor(extract(epoch FROM clock.started_at) / 900) % 96
"""
"""What is stored is the fold of the same events: `firebreak rebuild --check`.

Clocks count together that start in the same quarter of an hour of UTC, in which no hour of a zone begins, between two
of the moments $3 at which the zone's offset changes; one start stands for all. The server is not asked for the hour:
its list of zones is another one, in which `CET` has no summer time."""

_COUNT = "SELECT count(*) FROM tickets WHERE opened_at >= $1 AND opened_at < $2"


@dataclass(frozen=True, slots=True)
class Span:
    """Which tickets, up to when their clocks are followed, and in whose hours their starts are told."""

    first: datetime
    last: datetime
    until: datetime
    hours: Hours = IN_UTC


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of each side: `real`, `present` (modelled, where it is stated) and `supposed`.

    The rest is known where a staffing was supposed. `still_open` are tickets whose customer waits still, on each side.
    """

    results: Mapping[str, Results]
    waits: Mapping[str, Mapping[str, WaitFigures]] | None = None
    measured: Mapping[str, Measured] = field(default_factory=dict)
    still_open: int = 0


@dataclass(slots=True)
class Side:
    """Policies under which tickets are replayed, and what came of it."""

    policies: Policies
    results: Results = field(default_factory=Results)
    acting: Policies = field(init=False)

    def __post_init__(self) -> None:
        self.acting = without_warnings(self.policies)

    def count_quickly(self, histories: Sequence[History], until: datetime) -> list[int]:
        """Replay and count what the quick way is right for; return the places of the others.

        Each thing is done to all, then the next: code that is at hand is a tenth faster.
        """
        quick = [within_reach(history, self.policies) for history in histories]
        tickets = [replay_quickly(history, self.policies, until) for history in compress(histories, quick)]
        self.results.add_all([(ticket.holding, ticket.clocks) for ticket in tickets])
        return [place for place, is_quick in enumerate(quick) if not is_quick]

    def count_in_full(self, facts: Sequence[TicketFact], until: datetime) -> None:
        """Replay and count any ticket."""
        ticket = replay(facts, self.acting, until)
        self.results.add(ticket.summary, ticket.clocks)


Advance: TypeAlias = Callable[[int], None]
"""Told how many more tickets are done."""

Step: TypeAlias = Callable[[str, int | None], Advance]
"""Told what begins, and of how many tickets it consists, None where nobody knows."""


async def read_histories(
    connection: Connection, first: datetime, last: datetime, read: Callable[[str], Acts]
) -> AsyncIterator[Sequence[tuple[UUID, Acts]]]:
    """Yield the tickets opened between the two, by their ids: in the same order each time of one snapshot."""
    histories = await connection.cursor(_HISTORIES, first, last, NO_ACTS, TicketOpened.event_type, UNREAD)
    while rows := await histories.fetch(TICKETS_AT_ONCE):
        for start in range(0, len(rows), REPLAYED_AT_ONCE):
            yield [(ticket_id, read(facts)) for ticket_id, facts in rows[start : start + REPLAYED_AT_ONCE]]


async def read_whole(
    connection: Connection, ticket_ids: Sequence[UUID]
) -> AsyncIterator[tuple[UUID, list[TicketFact]]]:
    """Yield all facts of each ticket."""
    for start in range(0, len(ticket_ids), WHOLE_AT_ONCE):
        rows = await connection.fetch(_WHOLE, ticket_ids[start : start + WHOLE_AT_ONCE])
        for ticket_id, of_one in groupby(rows, itemgetter(0)):
            yield ticket_id, [decode_fact(row["type"], row["data"]) for row in of_one]


async def count_tickets(connection: Connection, first: datetime, last: datetime) -> int:
    """Return how many tickets were opened between the two."""
    number: int = await connection.fetchval(_COUNT, first, last)
    return number


async def as_they_went(connection: Connection, span: Span) -> Results:
    """Return what is stored."""
    real = Results(tickets=await count_tickets(connection, span.first, span.last), hours=span.hours)
    rows = await connection.fetch(_AS_THEY_WENT, span.first, span.last, span.hours.changes)
    for metric, team, priority, started_at, status, clocks in rows:
        real.clocks[metric, team, priority, span.hours.of(started_at), result_of(status)] += clocks
    return real


async def replay_span(connection: Connection, span: Span, side: Side, advance: Advance) -> None:
    """Replay every ticket of the span as people acted."""
    async for batch in read_histories(connection, span.first, span.last, read_history):
        others = side.count_quickly([history for _, history in batch], span.until)
        async for _, facts in read_whole(connection, [batch[place][0] for place in others]):
            side.count_in_full(facts, span.until)
        advance(len(batch))
