"""Tickets with an open clock in numbers that no load could bring in: the rows that the engine would have left."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID

import asyncpg

from sla_engine.compile_policies import compile_configuration
from sla_engine.domain.evolve import evolve
from sla_engine.domain.opening import open_ticket
from sla_engine.domain.policies import Policies
from sla_engine.domain.request import Request
from sla_engine.domain.ticket import Ticket
from sla_engine.stored_state import encode_state
from tests.support.deployment_files import configure
from tests.unit.sla_engine.case import CUSTOMER_ID, MACHINE, a_message
from ticket_contracts.commands import ReceiveMessage, Routing
from ticket_contracts.topics import COMMANDS, partition_of
from ticket_contracts.vocabulary import Priority
from ticket_store import configuration
from ticket_store.documents import Policy
from ticket_store.tables import tickets

PATIENCE = timedelta(days=60)
"""The promise of every ticket here: so long that all of them may have been opened in the past and wait for any time."""

PATIENT = Policy.model_validate(
    {
        "name": "patient",
        "order": 1,
        "calendar": "always-open",
        "targets": {"first_response": dict.fromkeys((each.value for each in Priority), f"{PATIENCE.days * 24}h")},
        "warnings": [],
    }
)
_TEMPLATE_ID = UUID(int=0)
_SEED = 20260101  # the same ids' random parts in every run

_SEEDS = """
CREATE TEMPORARY TABLE seeds (number bigint, ticket_id uuid, position_id integer, due_at timestamptz)
"""

_TICKETS = """
INSERT INTO tickets (
    ticket_id, number, version, brand, channel, contact_id, subject, status, priority, team, tags,
    opened_at, updated_at, first_response_due_at, next_due_at, state
)
SELECT seed.ticket_id, seed.number, 1, 'acme', 'email', $2::uuid, 'The pump leaks', 'new', 'normal', 'service', '{}',
       seed.due_at - $3::interval, seed.due_at - $3::interval, seed.due_at, seed.due_at,
       state || jsonb_build_object(
           'ticket_id', seed.ticket_id,
           'summary', state -> 'summary' || jsonb_build_object('number', seed.number),
           'clocks', jsonb_build_array(state #> '{clocks,0}' || jsonb_build_object(
               'due_at', seed.due_at,
               'counted_from', seed.due_at - $3::interval,
               'started_at', seed.due_at - $3::interval
           ))
       )
FROM seeds AS seed, (SELECT $1::jsonb AS state) AS template
"""

_CLOCKS = """
INSERT INTO clocks (
    ticket_id, metric, cycle, status, policy, policy_version, target_seconds, used_seconds, started_at, due_at
)
SELECT ticket_id, 'first_response', 1, 'running', 'patient', $1, extract(epoch FROM $2::interval)::integer, 0,
       due_at - $2::interval, due_at
FROM seeds
"""

_TIMERS = "INSERT INTO stream_timers (position_id, key, due_at) SELECT position_id, ticket_id::text, due_at FROM seeds"

_POSITIONS = "SELECT partition, id FROM stream_positions WHERE consumer = 'sla-engine' AND topic = $1"


@dataclass(frozen=True, slots=True)
class StandingClocks:
    """Writes tickets beside the engine, which must have made its positions before."""

    database: str
    template: Ticket
    version: int

    @classmethod
    async def prepare(cls, database: str) -> "StandingClocks":
        """Put the patient policy in force."""
        await configure(database, [PATIENT])
        connection = await asyncpg.connect(database)
        try:
            loaded = await configuration.load(connection)
        finally:
            await connection.close()
        version = loaded.of(Policy)["patient"].version
        return cls(database, _opened(compile_configuration(loaded)), version)

    async def write(self, due: Sequence[datetime]) -> dict[UUID, datetime]:
        """Write a ticket for each due time, with its clock and its timer, in one transaction."""
        connection = await asyncpg.connect(self.database)
        try:
            async with connection.transaction():
                positions = dict(map(tuple, await connection.fetch(_POSITIONS, COMMANDS.name)))
                numbers = [row[0] for row in await connection.fetch(tickets.DRAW_NUMBERS, len(due))]
                ids = _ids(numbers)
                seeds = [
                    (number, ticket_id, positions[partition_of(str(ticket_id).encode(), len(positions))], at)
                    for number, ticket_id, at in zip(numbers, ids, due, strict=True)
                ]
                await connection.execute(_SEEDS)
                await connection.copy_records_to_table("seeds", records=seeds)
                await connection.execute(_TICKETS, encode_state(self.template), CUSTOMER_ID, PATIENCE, timeout=1800)
                await connection.execute(_CLOCKS, self.version, PATIENCE, timeout=600)
                await connection.execute(_TIMERS, timeout=600)
            if len(due) > 100_000:  # as autovacuum would have left them, had they come one by one
                await connection.execute("VACUUM ANALYZE tickets, clocks, stream_timers", timeout=600)
        finally:
            await connection.close()
        return dict(zip(ids, due, strict=True))


def _ids(numbers: Sequence[int]) -> list[UUID]:
    """Ids in the order of their making, as version 7 has them."""
    random = Random(_SEED + numbers[0])
    return [UUID(int=(0x0190 << 112) | (number << 72) | random.getrandbits(62)) for number in numbers]


def _opened(policies: Policies) -> Ticket:
    """Return a ticket as the engine would have opened it; ids, number and times are made new for each row."""
    at = datetime.now(UTC) - PATIENCE
    routing = Routing(team="service", priority=Priority.NORMAL)
    command = ReceiveMessage(
        ticket_id=_TEMPLATE_ID, actor=MACHINE, message=a_message(at), contact_id=CUSTOMER_ID, routing=routing
    )
    ticket = evolve(None, open_ticket(Request("template", command, at, 1), command, policies))
    assert len(ticket.clocks) == 1, ticket.no_clock_reason
    return ticket
