"""Roll-outs: which open tickets a change of the configuration reaches, told one page at a time by crm-api.

Rule 34: an edited calendar moves running clocks. Rule 32: a re-evaluation is asked for, over a set that is stated.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Literal, TypeAlias
from uuid import UUID, uuid4

import asyncpg
from asyncpg.pool import PoolConnectionProxy
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    TypeAdapter,
    model_validator,
)
from pydantic_core import PydanticCustomError

from ticket_store.documents import Label
from ticket_store.tables import configuration_documents as documents_sql
from ticket_store.tables import configuration_rollouts as sql
from ticket_store.written_times import written_out

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]"


BACKWARDS = "span_backwards"
"""The error type of a span that ends before it begins."""


def _in_utc(at: datetime) -> datetime:
    try:
        return at.astimezone(UTC)
    except OverflowError:
        raise ValueError("there is no such time in UTC; give a year from 1 to 9999") from None


Name = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]*$")]
Instant = Annotated[
    AwareDatetime,
    written_out("write a time with an offset, such as 2026-11-23T09:00:00+08:00"),
    AfterValidator(_in_utc),
]


class CalendarScope(BaseModel):
    """Tickets with an open clock on one of these calendars."""

    model_config = ConfigDict(frozen=True)

    calendars: tuple[Label, ...] = Field(min_length=1)


class TicketScope(BaseModel):
    """Tickets that are not closed and meet every condition given. All of them only when that is said."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    team: Name | None = None
    policy: Name | None = Field(default=None, description="the policy that the ticket was last matched with")
    opened_after: Instant | None = None
    opened_before: Instant | None = None
    everything: bool = Field(default=False, description="every open ticket; not together with a condition")

    @model_validator(mode="after")
    def _stated(self) -> "TicketScope":
        conditions = (self.team, self.policy, self.opened_after, self.opened_before)
        if self.everything == any(condition is not None for condition in conditions):
            raise ValueError("state a condition (team, policy, opened_after, opened_before), or everything alone")
        if self.opened_after is not None and self.opened_before is not None and self.opened_after >= self.opened_before:
            raise PydanticCustomError(BACKWARDS, "opened_after must be before opened_before: no ticket lies between")
        return self


Scope: TypeAlias = CalendarScope | TicketScope
_SCOPES: dict[str, TypeAdapter[Scope]] = {
    "recalculate": TypeAdapter(CalendarScope),
    "reevaluate": TypeAdapter(TicketScope),
}
_BEFORE_ALL = UUID(int=0)
"""A cursor before every ticket: with NULL in its place a prepared page could not begin in the middle of the index."""


@dataclass(frozen=True, slots=True)
class RollOut:
    """One roll-out and how far it is; every ticket up to `cursor_ticket_id` was told."""

    rollout_id: UUID
    head: int
    kind: Literal["recalculate", "reevaluate"]
    scope: Scope
    cursor_ticket_id: UUID | None
    counted: int
    requested_by: str
    requested_at: datetime
    done_at: datetime | None


async def request_recalculation(
    connection: Connection, calendars: tuple[str, ...], head: int, requested_by: str
) -> UUID:
    """Ask, in the transaction that changes the calendars, for the due times of open clocks to be worked out anew."""
    return await _request(connection, "recalculate", CalendarScope(calendars=calendars), head, requested_by)


async def request_reevaluation(connection: Connection, scope: TicketScope, requested_by: str) -> UUID:
    """Ask for the tickets of a stated set to be matched with the policies of today."""
    head = await connection.fetchval(documents_sql.READ_HEAD)
    return await _request(connection, "reevaluate", scope, head, requested_by)


async def read_roll_out(connection: Connection, rollout_id: UUID) -> RollOut | None:
    """Return one roll-out, or None."""
    row = await connection.fetchrow(sql.READ_ROLLOUT, rollout_id)
    return _roll_out(row) if row else None


async def read_roll_outs(connection: Connection, limit: int) -> list[RollOut]:
    """Return the newest first."""
    return [_roll_out(row) for row in await connection.fetch(sql.READ_ROLLOUTS, limit)]


async def take_roll_out(connection: Connection) -> RollOut | None:
    """Return the oldest that is open and that no other process is at, its row locked until the transaction ends."""
    row = await connection.fetchrow(sql.TAKE_ROLLOUT)
    return _roll_out(row) if row else None


async def next_page(connection: Connection, roll_out: RollOut, limit: int) -> list[UUID]:
    """Return the next tickets in the order of their ids; none when all were told."""
    after = roll_out.cursor_ticket_id or _BEFORE_ALL
    if isinstance(roll_out.scope, CalendarScope):
        rows = await connection.fetch(sql.PAGE_ON_CALENDARS, list(roll_out.scope.calendars), after, limit)
    else:
        rows = await connection.fetch(sql.PAGE_OF_SCOPE, *_conditions(roll_out.scope), after, limit)
    return [row["ticket_id"] for row in rows]


async def move_cursor(connection: Connection, roll_out: RollOut, told: list[UUID]) -> None:
    """Record that a page was told; without tickets the roll-out is done."""
    if told:
        await connection.execute(sql.MOVE_CURSOR, roll_out.rollout_id, told[-1], len(told))
    else:
        await connection.execute(sql.FINISH_ROLLOUT, roll_out.rollout_id)


async def count_tickets(connection: Connection, scope: TicketScope) -> int:
    """Return how many tickets a roll-out over the scope would tell now."""
    counted: int = await connection.fetchval(sql.COUNT_OF_SCOPE, *_conditions(scope))
    return counted


def _conditions(scope: TicketScope) -> tuple[object, ...]:
    return scope.team, scope.policy, scope.opened_after, scope.opened_before


async def _request(connection: Connection, kind: str, scope: Scope, head: int, requested_by: str) -> UUID:
    rollout_id = uuid4()
    body = scope.model_dump_json(exclude_none=True)
    await connection.execute(sql.ADD_ROLLOUT, rollout_id, head, kind, body, requested_by)
    return rollout_id


def _roll_out(row: asyncpg.Record) -> RollOut:
    return RollOut(**{**row, "scope": _SCOPES[row["kind"]].validate_json(row["scope"])})
