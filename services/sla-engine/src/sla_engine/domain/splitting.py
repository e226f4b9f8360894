"""Splitting: messages of a ticket move into a new one. What was split is put together again by a merge."""

from uuid import UUID, uuid5

from sla_engine.domain import timing
from sla_engine.domain.conversation import speaks
from sla_engine.domain.cycles import start_missing, start_next_response
from sla_engine.domain.draft import Draft
from sla_engine.domain.evolve import evolve
from sla_engine.domain.linking import NO_ROOM
from sla_engine.domain.policies import Policies
from sla_engine.domain.request import CLOSED, Rejected, Request
from sla_engine.domain.settling import settle
from ticket_contracts.commands import Actor
from ticket_contracts.exchanges import MOST_RELATED, LinkAdded, MessagesMoved, OpenSplit, Split
from ticket_contracts.tickets import MessageAdded, TicketFact, TicketOpened, TicketSummary
from ticket_contracts.topics import MAX_EVENT_BYTES
from ticket_contracts.vocabulary import ActorKind, LinkKind, Status

MOST_SPLIT_BYTES = MAX_EVENT_BYTES - 48 * 1024
"""All that moves stands in one command, beside the summary's tags (MOST_SUMMARY_BYTES) and the contact."""


def split_id(ticket_id: UUID, command_id: str) -> UUID:
    """Return the id of the ticket that a Split opens: the same whenever its command comes."""
    return uuid5(ticket_id, f"split {command_id}")


def split(draft: Draft, command: Split, _: Policies) -> Rejected | None:
    """Mark the messages as moved and link the ticket that they open; `draft.entries` holds what was found of them."""
    ticket = draft.ticket
    if ticket.summary.status is Status.CLOSED:
        return CLOSED
    if len(ticket.moved_ids) + len(command.message_ids) > MOST_RELATED:
        return Rejected("rejected", f"message_ids: at most {MOST_RELATED} messages of a ticket may move to others")
    if len(ticket.links) >= MOST_RELATED:
        return Rejected("rejected", f"a split adds a link, and {NO_ROOM}")
    found = {entry.message_id for entry in draft.entries}
    for place, message_id in enumerate(command.message_ids):
        if message_id not in found or message_id in ticket.moved_ids:
            return Rejected(
                "rejected", f"message_ids.{place}: this ticket has no such message, or it has moved already"
            )
    moved = [entry for entry in draft.entries if entry.message_id in command.message_ids]
    if sum(len(entry.model_dump_json(exclude_none=True).encode()) for entry in moved) > MOST_SPLIT_BYTES:
        return Rejected(
            "rejected", "message_ids: together they are too long; split fewer, and merge what belongs together"
        )
    other_id = split_id(ticket.ticket_id, draft.cause)
    draft.add(MessagesMoved, other_id=other_id, message_ids=command.message_ids)
    draft.add(LinkAdded, other_id=other_id, kind=LinkKind.RELATED)
    return None


def open_split(request: Request, command: OpenSplit, policies: Policies) -> list[TicketFact]:
    """Open with the oldest entry and add the others; clocks count from the oldest customer's message among them."""
    origin, entries = command.origin, sorted(command.entries, key=lambda entry: entry.at)
    actor = Actor(kind=ActorKind.MACHINE, id="sla-engine")
    summary = TicketSummary(
        number=request.number,
        brand=origin.brand,
        channel=origin.channel,
        subject=command.subject,
        contact_id=origin.contact_id,
        contact=origin.contact,
        status=Status.OPEN,
        priority=origin.priority,
        team=command.routing.team,
        assignee=command.routing.assignee,
        tags=command.routing.tags,
        opened_at=request.at,
    )
    opened = TicketOpened(
        ticket_id=command.ticket_id,
        version=1,
        at=request.at,
        actor=actor,
        ticket=summary,
        routing=command.routing,
        message=entries[0],
        no_clock_reason="" if any(map(speaks, entries)) else "no customer has written yet",
    )
    draft = Draft(evolve(None, opened), request.at, actor, request.id, request.appended_at)
    for entry in entries[1:]:
        draft.add(MessageAdded, message=entry)
    draft.add(LinkAdded, other_id=origin.source_id, kind=LinkKind.RELATED)
    since = draft.ticket.first_customer_message_at
    if since is not None:
        metrics = timing.ALL_METRICS - timing.REPLY_METRICS if draft.ticket.answered_at else timing.ALL_METRICS
        start_missing(draft, policies, metrics, since)
        start_next_response(draft, policies, draft.at)
        settle(draft, policies, draft.at)
    return [opened, *draft.facts]


def opened_before(_: Draft, __: OpenSplit, ___: Policies) -> Rejected:
    """The ticket is there already: its command came a second time."""
    return Rejected("no-op", "this ticket was opened before")
