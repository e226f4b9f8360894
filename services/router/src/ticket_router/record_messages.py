"""Keeps which messages arrived: what recognises a repeat, in this batch, before it or beside it."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from ticket_router.domain.conversations import Plan
from ticket_router.read_deliveries import Delivered
from ticket_store.tables import inbound_messages
from ticket_stream.processing import Connection

NO_THREAD = "{automation}, {kind}: no ticket of its conversation is known"
RECEIPT = "{kind}: that something arrived or was read is kept for the message and changes no ticket"
FLOOD = "flood: its sender opened too many conversations at once; counted by the ticket and not shown in it"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a message, once for all its deliveries."""

    outcome: str
    reason: str
    ticket_id: UUID | None


async def find_known(connection: Connection, identities: Collection[bytes]) -> dict[bytes, Outcome]:
    """Return those of the messages that arrived before, with what became of them."""
    rows = await connection.fetch(inbound_messages.FIND_KNOWN, sorted(identities))
    return {row["identity"]: Outcome(row["outcome"], row["reason"], row["ticket_id"]) for row in rows}


def outcomes_of(plan: Plan) -> dict[bytes, Outcome]:
    """Return what becomes of the messages of a plan."""
    outcomes = {placement.arrival.identity: Outcome("routed", "", placement.ticket_id) for placement in plan.placements}
    for arrival in plan.recorded:
        message = arrival.message
        words = NO_THREAD if arrival.thread_keys else RECEIPT
        reason = words.format(automation=message.automation.value, kind=message.kind.value)
        outcomes[arrival.identity] = Outcome("recorded", reason, None)
    for arrival, ticket_id in plan.held_back:
        outcomes[arrival.identity] = Outcome("recorded", FLOOD, ticket_id)
    return outcomes


async def record_deliveries(
    connection: Connection, delivered: Mapping[bytes, Delivered], outcomes: Mapping[bytes, Outcome]
) -> set[bytes]:
    """Write all deliveries and return the identities that are repeats, those included that were lost in a race."""
    rows = [_row(delivered[identity], outcomes[identity]) for identity in sorted(delivered)]
    counted = await connection.fetch(inbound_messages.RECORD_DELIVERIES, *_columns(rows))
    return {row["identity"] for row in counted if row["deliveries"] > delivered[row["identity"]].times}


def _row(delivered: Delivered, outcome: Outcome) -> tuple[object, ...]:
    message = delivered.arrival.message
    return (
        delivered.arrival.identity,
        message.message_id,
        message.source,
        message.channel,
        message.provider_id,
        message.received_at,
        outcome.outcome,
        outcome.reason,
        outcome.ticket_id,
        message.raw.key if message.raw else None,
        delivered.times,
        delivered.last_at,
    )


def _columns(rows: Iterable[tuple[object, ...]]) -> list[list[object]]:
    return [list(column) for column in zip(*rows, strict=True)]
