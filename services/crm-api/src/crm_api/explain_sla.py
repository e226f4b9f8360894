"""Tell the story of a ticket's clocks from its facts (rule 46)."""

from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_api.responses import ClockStep, ClockView, SlaView
from crm_api.sla_words import Language, tell_step
from ticket_contracts.escalations import TicketEscalated
from ticket_contracts.tickets import (
    BreachWithdrawn,
    ClockBreached,
    ClockCancelled,
    ClockMet,
    ClockPaused,
    ClockRecalculated,
    ClockResumed,
    ClockRetargeted,
    ClockStarted,
    ClockState,
    ClockStopped,
    ClockWarned,
    TicketOpened,
)
from ticket_store.tables.ticket_events import TICKET_EVENTS

TRANSITIONS = {
    ClockStarted.event_type: "started",
    ClockPaused.event_type: "paused",
    ClockResumed.event_type: "resumed",
    ClockRetargeted.event_type: "retargeted",
    ClockRecalculated.event_type: "recalculated",
    ClockWarned.event_type: "warned",
    ClockBreached.event_type: "breached",
    BreachWithdrawn.event_type: "breach-withdrawn",
    TicketEscalated.event_type: "escalated",
    ClockMet.event_type: "met",
    ClockStopped.event_type: "stopped",
    ClockCancelled.event_type: "cancelled",
}

_CLOCK_FACTS = (
    select(TICKET_EVENTS.c.version, TICKET_EVENTS.c.type, TICKET_EVENTS.c.causation_id, TICKET_EVENTS.c.data)
    .where(TICKET_EVENTS.c.type.in_([TicketOpened.event_type, *TRANSITIONS]))
    .order_by(TICKET_EVENTS.c.version)
)


async def explain_sla(connection: AsyncConnection, ticket_id: UUID, version: int, language: Language) -> SlaView:
    """Return every clock with its steps, told in `language`."""
    rows = (await connection.execute(_CLOCK_FACTS.where(TICKET_EVENTS.c.ticket_id == ticket_id))).mappings().all()
    clocks: dict[tuple[str, int], ClockState] = {}
    stories: dict[tuple[str, int], list[ClockStep]] = {}
    reason = ""
    for row in rows:
        data = row["data"]
        reason = data.get("no_clock_reason", reason)
        transition = TRANSITIONS.get(row["type"], "started")  # the opening fact holds the clocks it started
        for stated in data.get("clocks", ()) or ([data["clock"]] if "clock" in data else ()):
            clock = ClockState.model_validate(stated)
            key = (clock.metric, clock.cycle)
            clocks[key] = clock
            stories.setdefault(key, []).append(_step(row, data, transition, clock, language))
    views = [_view(clock, stories[key]) for key, clock in clocks.items()]
    return SlaView(ticket_id=ticket_id, version=version, clocks=views, no_clock_reason="" if views else reason)


def _step(row: Any, data: dict[str, Any], transition: str, clock: ClockState, language: Language) -> ClockStep:
    at = clock.started_at.isoformat() if transition == "started" else data["at"]
    return ClockStep(
        version=row["version"],
        at=at,
        transition=transition,
        cause=data.get("cause") or row["causation_id"],
        words=tell_step(transition, clock, language),
    )


def _view(clock: ClockState, story: list[ClockStep]) -> ClockView:
    told = set(ClockView.model_fields) - {"story"}
    return ClockView(**{name: getattr(clock, name) for name in told}, story=story)
