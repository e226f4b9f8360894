"""Deciding: what a command, or the passing of time, makes true of a ticket."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import UUID, uuid5

from sla_engine.domain import timing
from sla_engine.domain.conversation import (
    is_answer,
    is_held_call,
    message_time,
    received_entry,
    speaks,
    written_entry,
)
from sla_engine.domain.draft import ENGINE, Draft
from sla_engine.domain.policies import Policies
from sla_engine.domain.statuses import ENDED, may_follow
from sla_engine.domain.ticket import Ticket
from ticket_contracts.commands import (
    Actor,
    AddNote,
    Assign,
    Command,
    ReceiveMessage,
    Reply,
    SetPriority,
    SetStatus,
)
from ticket_contracts.tickets import (
    ClockState,
    MessageAdded,
    MessageEntry,
    MessageRevised,
    PriorityChanged,
    StatusChanged,
    SuccessorNamed,
    TicketAssigned,
    TicketFact,
    TicketOpened,
    TicketSummary,
)
from ticket_contracts.vocabulary import ActorKind, MessageKind, Metric, Status


@dataclass(frozen=True, slots=True)
class Request:
    """A command with what only its record knows. `number` is drawn beforehand and used when it opens a ticket."""

    id: str
    command: Command
    appended_at: datetime
    number: int = 0

    @property
    def at(self) -> datetime:
        """Event time: of a customer's message when it reached us, of anything else when the broker appended it.

        No message reached us after it was appended: an edge whose clock is ahead must not give the team more time.
        """
        appended_at = self.appended_at.astimezone(UTC)
        if isinstance(self.command, ReceiveMessage):
            return min(message_time(self.command.message), appended_at)
        return appended_at


@dataclass(frozen=True, slots=True)
class Rejected:
    """Nothing happens; the caller is told why."""

    outcome: Literal["rejected", "conflict", "expired", "no-op"]
    reason: str


def decide(ticket: Ticket | None, request: Request, policies: Policies, now: datetime) -> list[TicketFact] | Rejected:
    """Return the facts that the command makes true; none when they are true already."""
    command = request.command
    if command.not_after is not None and now > command.not_after:
        return Rejected("expired", "the command was not handled before its `not_after`")
    if ticket is None:
        if isinstance(command, ReceiveMessage):
            return [_open(request, command, policies)]
        return Rejected("rejected", "there is no such ticket")
    if command.expected_version not in (None, ticket.version):
        reason = f"the ticket is at version {ticket.version}, the command expects {command.expected_version}"
        return Rejected("no-op" if command.actor.kind is ActorKind.MACHINE else "conflict", reason)
    draft = Draft(ticket, request.at, command.actor, request.id, request.appended_at)
    timing.bring_forward(draft, policies, request.at)
    before = len(draft.facts)
    refusal = _HANDLERS[type(command)](draft, command, policies)
    if refusal is not None:
        return refusal
    return draft.facts if len(draft.facts) > before else []  # what is due anyway is left to the timer


def decide_due(ticket: Ticket, policies: Policies, now: datetime) -> list[TicketFact]:
    """Return the warnings and breaches that event time demands up to `now`, each once (rules 42 to 44)."""
    draft = Draft(ticket, now, ENGINE, "", now)
    timing.bring_forward(draft, policies, now)
    return draft.facts


def goes_to_successor(ticket: Ticket, command: ReceiveMessage) -> UUID | None:
    """Return where a message goes that came for a ticket with a follow-up and is not recorded here (rule 23).

    To be asked with the ticket as it is after the command was decided.
    """
    return None if command.message.message_id in ticket.message_ids else ticket.successor_id


def follow_up_id(ticket_id: UUID) -> UUID:
    """Return the id of a closed ticket's follow-up: derived, so that every message finds the same one."""
    return uuid5(ticket_id, "follow-up")


def _open(request: Request, command: ReceiveMessage, policies: Policies) -> TicketOpened:
    message, routing, at = command.message, command.routing, request.at
    customer = _customer(command)
    entry = received_entry(command, customer, at)
    summary = TicketSummary(
        number=request.number,
        brand=message.brand,
        channel=message.channel,
        subject=message.subject,
        contact_id=command.contact_id,
        contact=message.sender,
        status=Status.NEW,
        priority=routing.priority,
        team=routing.team,
        assignee=routing.assignee,
        tags=routing.tags,
        opened_at=at,
    )
    metrics, reason = _metrics_of_first(entry)
    clocks: tuple[ClockState, ...] = ()
    if metrics:
        clocks, reason = timing.first_clocks(summary, metrics, at, request.id, request.appended_at, policies)
    return TicketOpened(
        ticket_id=command.ticket_id,
        version=1,
        at=at,
        actor=customer,
        ticket=summary,
        routing=routing,
        message=entry,
        clocks=clocks,
        no_clock_reason=reason,
        previous_ticket_id=command.previous_ticket_id,
    )


def _metrics_of_first(entry: MessageEntry) -> tuple[frozenset[Metric], str]:
    if speaks(entry):
        return frozenset({Metric.FIRST_RESPONSE, Metric.RESOLUTION}), ""
    if is_held_call(entry):  # the customer was heard, so nothing waits for a first response yet (rule 8)
        return frozenset({Metric.RESOLUTION}), ""
    return frozenset(), "no customer has written yet: an automatic or revised message starts no clock"


def _receive(draft: Draft, command: ReceiveMessage, policies: Policies) -> None:
    ticket = draft.ticket
    if command.message.message_id in ticket.message_ids or ticket.successor_id is not None:
        return
    draft.actor = _customer(command)
    entry = received_entry(command, draft.actor, draft.at)
    if entry.kind is not MessageKind.CREATED:
        draft.add(MessageRevised, message=entry)
    elif not speaks(entry):
        draft.add(MessageAdded, message=entry)
        _count_call(draft, entry, policies)
    elif ticket.summary.status is Status.CLOSED:
        draft.add(SuccessorNamed, successor_id=follow_up_id(ticket.ticket_id))
    else:
        draft.add(MessageAdded, message=entry)
        if ticket.summary.status in (Status.PENDING, Status.ON_HOLD, Status.SOLVED):
            _change_status(draft, policies, Status.OPEN)
        if ticket.first_customer_message_at is None:
            timing.start_missing(draft, policies, timing.ALL_METRICS, draft.at)


def _count_call(draft: Draft, entry: MessageEntry, policies: Policies) -> None:
    if not is_held_call(entry):
        return
    waiting = list(draft.ticket.of_metric(Metric.FIRST_RESPONSE))
    if waiting and policies.of_clock(waiting[-1]).call_counts_as_reply:
        timing.stop_clocks(draft, policies, timing.REPLY_METRICS)


def _set_status(draft: Draft, command: SetStatus, policies: Policies) -> Rejected | None:
    status = draft.ticket.summary.status
    if command.status is status:
        return None
    if not may_follow(status, command.status):
        return Rejected("rejected", f"a ticket that is {status} cannot become {command.status}")
    _change_status(draft, policies, command.status)
    return None


def _change_status(draft: Draft, policies: Policies, status: Status) -> None:
    previous = draft.ticket.summary.status
    draft.change(StatusChanged, {"status": status}, previous=previous)
    if status in ENDED:
        if previous not in ENDED:  # closed after solved is not a second resolution (rule 21)
            timing.stop_clocks(draft, policies, timing.ALL_METRICS)
    elif previous is Status.SOLVED:
        timing.start_new_cycle(draft, policies)
    else:
        timing.follow_status(draft, policies, status)


def _set_priority(draft: Draft, command: SetPriority, policies: Policies) -> Rejected | None:
    summary = draft.ticket.summary
    if command.priority is summary.priority:
        return None
    if summary.status is Status.CLOSED:
        return _CLOSED
    draft.change(PriorityChanged, {"priority": command.priority}, previous=summary.priority)
    timing.follow_priority(draft, policies)
    since = draft.ticket.first_customer_message_at
    if since is not None and summary.status not in ENDED:
        answered = draft.ticket.answered_at is not None
        metrics = timing.ALL_METRICS - timing.REPLY_METRICS if answered else timing.ALL_METRICS
        timing.start_missing(draft, policies, metrics, since)
    timing.bring_forward(draft, policies, draft.at)
    return None


def _assign(draft: Draft, command: Assign, _: Policies) -> Rejected | None:
    summary = draft.ticket.summary
    holder: dict[str, object] = {"team": command.team or summary.team, "assignee": command.assignee}
    if holder == {"team": summary.team, "assignee": summary.assignee}:
        return None
    if summary.status is Status.CLOSED:
        return _CLOSED
    draft.change(TicketAssigned, holder, previous_team=summary.team, previous_assignee=summary.assignee)
    return None


def _write(draft: Draft, command: Reply | AddNote, policies: Policies) -> Rejected | None:
    ticket = draft.ticket
    if isinstance(command, Reply) and ticket.summary.status is Status.CLOSED:
        return _CLOSED
    entry = written_entry(command, ticket.ticket_id, draft.cause, ticket.summary.channel, draft.at)
    if entry.message_id in ticket.message_ids:
        return None
    draft.add(MessageAdded, message=entry)
    if is_answer(entry):
        timing.stop_clocks(draft, policies, timing.REPLY_METRICS)
        if ticket.summary.status is Status.NEW:
            _change_status(draft, policies, Status.OPEN)
    return None


def _customer(command: ReceiveMessage) -> Actor:
    return Actor(kind=ActorKind.CUSTOMER, id=str(command.contact_id), name=command.contact_name)


_CLOSED = Rejected("rejected", "the ticket is closed; a customer's next message opens a follow-up")

_HANDLERS: dict[type[Command], Callable[[Draft, Any, Policies], Rejected | None]] = {
    ReceiveMessage: _receive,
    SetStatus: _set_status,
    SetPriority: _set_priority,
    Assign: _assign,
    AddNote: _write,
    Reply: _write,
}
