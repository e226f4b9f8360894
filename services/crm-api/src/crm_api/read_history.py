"""Read what an explanation needs of a ticket's history: one statement, without the words of people."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from ticket_contracts.commands import Actor
from ticket_contracts.contract import FieldValue
from ticket_contracts.tickets import ClockState
from ticket_store.tables.ticket_events import TICKET_EVENTS
from ticket_store.tables.tickets import TICKETS

_DATA = TICKET_EVENTS.c.data
_HISTORY = select(
    TICKET_EVENTS.c.version,
    TICKET_EVENTS.c.type,
    TICKET_EVENTS.c.at,
    TICKET_EVENTS.c.causation_id,
    _DATA["actor"].label("actor"),
    _DATA["cause"].as_string().label("cause"),
    func.coalesce(_DATA["clocks"], func.jsonb_build_array(_DATA["clock"])).label("clocks"),
    _DATA["no_clock_reason"].as_string().label("no_clock_reason"),
    _DATA["imported"].as_boolean().label("imported"),
    _DATA["previous"].as_string().label("previous"),
    _DATA["previous_team"].as_string().label("previous_team"),
    _DATA["previous_assignee"].as_string().label("previous_assignee"),
    *(_DATA[("ticket", name)].as_string().label(name) for name in ("team", "assignee", "status", "priority")),
    _DATA[("message", "author", "kind")].as_string().label("author_kind"),
    _DATA[("message", "public")].as_boolean().label("public"),
    _DATA[("message", "call", "answered")].as_boolean().label("call_answered"),
).order_by(TICKET_EVENTS.c.version)


_KEPT = ("first_customer_message_at", "answered_at", "policy", "policy_version", "previous_ticket_id")


@dataclass(frozen=True, slots=True)
class Happened:
    """One fact of the history, as far as clocks are concerned; None where a fact of its type has no such thing."""

    version: int
    type: str
    at: datetime
    causation_id: str
    actor: Actor
    cause: str | None
    clocks: tuple[ClockState, ...]
    no_clock_reason: str | None
    imported: bool | None
    previous: str | None
    previous_team: str | None
    previous_assignee: str | None
    team: str
    assignee: str | None
    status: str
    priority: str | None
    author_kind: str | None
    public: bool | None
    call_answered: bool | None

    @property
    def holder(self) -> tuple[str, str | None]:
        """Team and assignee after this fact."""
        return self.team, self.assignee


@dataclass(frozen=True, slots=True)
class TicketState:
    """What a ticket is waiting for, from its stored state."""

    now: datetime
    spam: bool
    status: str
    priority: str | None
    first_customer_message_at: str | None
    answered_at: str | None
    policy: str | None
    policy_version: int | None
    previous_ticket_id: str | None


async def read_history(connection: AsyncConnection, ticket_id: UUID) -> list[Happened]:
    """Return the facts in order of version."""
    rows = await connection.execute(_HISTORY.where(TICKET_EVENTS.c.ticket_id == ticket_id))
    return [_happened(dict(row)) for row in rows.mappings()]


def _happened(row: dict[str, Any]) -> Happened:
    row["actor"] = Actor.model_validate(row["actor"])
    row["clocks"] = tuple(ClockState.model_validate(clock) for clock in row["clocks"] or () if clock is not None)
    return Happened(**row)


async def read_state(connection: AsyncConnection, ticket_id: UUID) -> TicketState:
    """Return the state of a ticket that exists, and the database's time."""
    query = select(func.now().label("now"), TICKETS.c.state).where(TICKETS.c.ticket_id == ticket_id)
    row = (await connection.execute(query)).one()
    state: dict[str, Any] = row.state
    summary: dict[str, FieldValue | None] = state["summary"]
    return TicketState(
        now=row.now,
        spam=bool(summary.get("spam")),
        status=str(summary["status"]),
        priority=str(summary["priority"]) if summary.get("priority") is not None else None,
        **{name: state.get(name) for name in _KEPT},
    )
