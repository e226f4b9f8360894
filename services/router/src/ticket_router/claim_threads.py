"""Gives each message of a batch its ticket, against other routers that do the same at the same time."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from ticket_router.domain.conversations import Arrival, Diversion, Plan, place
from ticket_store.tables import threads
from ticket_stream.processing import Connection

Tickets = dict[bytes, UUID]


@dataclass(slots=True)
class _Found:
    """Tickets by thread key; `previous` has the closed ticket that a follow-up among them comes after."""

    known: Tickets = field(default_factory=dict)
    previous: dict[UUID, UUID] = field(default_factory=dict)

    async def look_up(self, connection: Connection, keys: list[bytes]) -> None:
        if not keys:
            return
        for thread_hash, ticket_id, previous in await connection.fetch(threads.FIND_TICKETS, keys):
            self.known[thread_hash] = ticket_id
            if previous is not None:
                self.previous[ticket_id] = previous


Divert = Callable[[Sequence[Arrival]], Awaitable[Mapping[bytes, Diversion]]]
"""Says which of the messages that would open a ticket go elsewhere."""


async def claim_threads(connection: Connection, arrivals: Sequence[Arrival], now: datetime, divert: Divert) -> Plan:
    """Place the messages and claim their keys; where another transaction was faster, its ticket is adopted.

    One look-up and one claim; each further round follows a lost race and knows the winner's ticket, so it ends.
    """
    found = _Found()
    await found.look_up(connection, sorted({key for arrival in arrivals for key in arrival.thread_keys}))
    held: Tickets = {}
    plan = place(arrivals, found.known, found.previous)
    diversions = await divert([each.arrival for each in plan.placements if each.opens])
    if diversions:
        plan = place(arrivals, found.known, found.previous, diversions)
    while True:
        await _move(connection, {key: ticket for key, ticket in plan.claims.items() if held.get(key, ticket) != ticket})
        held |= {key: plan.claims[key] for key in held.keys() & plan.claims.keys()}
        wanted = {key: ticket for key, ticket in plan.claims.items() if key not in held}
        won = await _claim(connection, wanted, now)
        held |= {key: wanted[key] for key in won}
        lost = wanted.keys() - won
        if not lost:
            return plan
        await found.look_up(connection, sorted(lost))
        plan = place(arrivals, found.known, found.previous, diversions)


async def _claim(connection: Connection, wanted: Tickets, now: datetime) -> set[bytes]:
    if not wanted:
        return set()
    keys = sorted(wanted)
    rows = await connection.fetch(threads.CLAIM, keys, [wanted[key] for key in keys], now)
    return {row["thread_hash"] for row in rows}


async def _move(connection: Connection, moved: Tickets) -> None:
    if moved:
        await connection.execute(threads.MOVE_OWN_CLAIMS, list(moved), list(moved.values()))
