"""A ticket that begins with an agent's words: a public message, a note, or a note of a call (rules 7 and 8)."""

from datetime import UTC, datetime
from uuid import uuid5

from sla_engine.domain.conversation import BELIEVED_FOR, is_missed_call
from sla_engine.domain.draft import Draft
from sla_engine.domain.opening import clocks_of_first
from sla_engine.domain.policies import Policies
from sla_engine.domain.request import Rejected, Request
from sla_engine.domain.summary_size import refusal_of_growth
from ticket_contracts.commands import Routing
from ticket_contracts.openings import OpenTicket
from ticket_contracts.tickets import MessageEntry, TicketFact, TicketOpened, TicketSummary
from ticket_contracts.vocabulary import ActorKind, Automation, Status


def open_by_agent(request: Request, command: OpenTicket, policies: Policies) -> list[TicketFact] | Rejected:
    """Return the fact that opens the ticket. Somebody has looked at it already, so it is not new but open."""
    follows, fields = command.previous_ticket_id is not None, command.fields
    if follows:  # promised to a closed ticket, so never refused: that one has looked (following_up)
        fields = policies.workflow.fitting_fields(fields)
    elif refusal := policies.workflow.refusal_of_fields(fields):
        return Rejected("rejected", refusal)
    summary = TicketSummary(
        number=request.number,
        brand=command.brand,
        channel=command.channel,
        subject=command.subject,
        contact_id=command.contact_id,
        contact=command.contact,
        status=Status.OPEN,
        priority=command.priority,
        team=command.team,
        assignee=command.assignee,
        opened_at=request.at,
    )
    full = summary.model_copy(update={"tags": tuple(dict.fromkeys(command.tags)), "fields": fields})
    too_large = refusal_of_growth("fields", summary, full)
    if too_large is not None and not follows:
        return too_large
    entry = first_entry(command, request.id, request.at)
    clocks, reason = clocks_of_first(full, entry, request.id, request.appended_at, policies)
    routing = Routing(
        team=command.team,
        assignee=command.assignee,
        priority=command.priority,
        tags=full.tags,
        reason=f"opened by {command.actor.id}",
    )
    opened = TicketOpened(
        ticket_id=command.ticket_id,
        version=1,
        at=request.at,
        actor=command.actor,
        ticket=full,
        routing=routing,
        message=entry,
        clocks=clocks,
        no_clock_reason=reason,
        previous_ticket_id=command.previous_ticket_id,
    )
    return [opened]


def opened_already(draft: Draft, command: OpenTicket, _: Policies) -> Rejected:
    """A ticket is opened once: by the same command for a second time nothing happens, another one is told."""
    if uuid5(command.ticket_id, draft.cause) in draft.ticket.message_ids:
        return Rejected("no-op", "this ticket was opened before")
    return Rejected("rejected", "there is a ticket of this id already")


def first_entry(command: OpenTicket, command_id: str, at: datetime) -> MessageEntry:
    """Return the agent's words, of the command of this id that was appended at `at`."""
    by_machine = command.actor.kind is not ActorKind.AGENT
    entry = MessageEntry(
        message_id=uuid5(command.ticket_id, command_id),
        author=command.actor,
        public=command.public,
        automation=Automation.GENERATED if by_machine else Automation.HUMAN,
        channel=command.channel if command.public or command.call is not None else None,
        subject=command.subject,
        text=command.text,
        call=command.call,
        at=at,
        received_at=at,
    )
    return entry.model_copy(update={"at": _called_at(entry, at)}) if is_missed_call(entry) else entry


def _called_at(entry: MessageEntry, noted_at: datetime) -> datetime:
    """The customer has waited since the call, not since somebody noted it; a date out of all reason is none."""
    assert entry.call is not None  # a missed call
    called_at = entry.call.started_at
    return called_at.astimezone(UTC) if noted_at - BELIEVED_FOR <= called_at < noted_at else noted_at
