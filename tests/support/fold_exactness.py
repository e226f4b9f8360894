"""Is the state of every ticket what its stored facts fold to, by the engine's own `evolve`?"""

import json
from collections import defaultdict
from collections.abc import Iterator
from uuid import UUID

from sla_engine.domain.evolve import BrokenHistory, evolve
from sla_engine.domain.ticket import Ticket
from sla_engine.stored_state import decode_fact, encode_state
from tests.support.world import StoredFact, World


def find_fold_flaws(world: World) -> list[str]:
    """Return the tickets whose state is another, or whose facts do not follow on each other."""
    facts: defaultdict[UUID, list[StoredFact]] = defaultdict(list)
    for fact in world.facts:
        facts[fact.ticket_id].append(fact)
    states = {row.ticket_id: row.state for row in world.tickets}
    return [flaw for ticket_id, own in facts.items() for flaw in _of_ticket(own, states.get(ticket_id))]


def _of_ticket(facts: list[StoredFact], state: object) -> Iterator[str]:
    ticket: Ticket | None = None
    try:
        for fact in facts:
            ticket = evolve(ticket, decode_fact(fact.type, json.dumps(fact.data)))
    except BrokenHistory as broken:
        yield str(broken)
        return
    if ticket is not None and json.loads(encode_state(ticket)) != state:
        yield f"ticket {ticket.ticket_id} at version {ticket.version}: its state is not the fold of its events"
