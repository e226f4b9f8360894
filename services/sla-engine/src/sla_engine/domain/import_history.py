"""A whole ticket of another system's past, decided by the same rules at its own times (rule 47)."""

from datetime import UTC, datetime, timedelta
from uuid import NAMESPACE_URL, uuid5

from sla_engine.domain import timing
from sla_engine.domain.arrival import follow_message
from sla_engine.domain.conversation import EARLIEST, is_answer, speaks
from sla_engine.domain.draft import Draft
from sla_engine.domain.evolve import evolve
from sla_engine.domain.grading import set_priority
from sla_engine.domain.holding import assign
from sla_engine.domain.opening import clocks_of_first
from sla_engine.domain.policies import Policies
from sla_engine.domain.request import Rejected, Request
from sla_engine.domain.status_change import change_status
from sla_engine.domain.writing import follow_answer
from ticket_contracts.commands import Actor, Assign, Routing, SetPriority
from ticket_contracts.statuses import refusal_of_change
from ticket_contracts.tickets import MessageAdded, MessageEntry, TicketFact, TicketOpened, TicketSummary
from ticket_contracts.upkeep import HistoricMessage, HistoricStep, ImportTicket
from ticket_contracts.vocabulary import ActorKind, Status

_NAMES = uuid5(NAMESPACE_URL, "firebreak:imported-messages")

_CLOCKS_DIFFER_BY = timedelta(days=1)
"""How far ahead of ours the other system's clock may be; later is no past."""


def import_ticket(
    request: Request, command: ImportTicket, policies: Policies, now: datetime
) -> list[TicketFact] | Rejected:
    """Return the facts of the past, warnings and breaches at their times up to `now`; none of them alarms anybody.

    What is still open afterwards is timed like any other ticket.
    """
    refusal = _refusal_of_times(command, now)
    if refusal is not None:
        return refusal
    opened = _opened(request, command, policies, now)
    draft = Draft(evolve(None, opened), opened.at, opened.actor, request.id, opened.at, imported=True)
    for number, step in enumerate(command.steps):
        at = step.at.astimezone(UTC)
        if at < draft.at:
            return Rejected("rejected", f"steps.{number}.at: it lies before the step before; sort steps by their time")
        timing.bring_forward(draft, policies, at)
        draft.at = draft.seen_at = at
        refusal = _take(draft, step, number, policies)
        if refusal is not None:
            return Rejected("rejected", f"steps.{number}: {refusal.reason}")
    timing.bring_forward(draft, policies, now)
    return [opened, *draft.facts]


def imported_before(_: Draft, __: ImportTicket, ___: Policies) -> Rejected:
    """The ticket is there already: nothing of it is written over."""
    return Rejected("no-op", "this ticket was imported before")


def _refusal_of_times(command: ImportTicket, now: datetime) -> Rejected | None:
    """Refuse what is no past: no calendar holds the year 9999, and what is still to come has not happened."""
    times = [("opened_at", command.opened_at), *((f"steps.{n}.at", step.at) for n, step in enumerate(command.steps))]
    for field, at in times:
        if not EARLIEST <= at <= now + _CLOCKS_DIFFER_BY:
            return Rejected("rejected", f"{field}: it lies before 1970 or in the future; give the time of the past")
    return None


def _opened(request: Request, command: ImportTicket, policies: Policies, now: datetime) -> TicketOpened:
    at = command.opened_at.astimezone(UTC)
    customer = Actor(kind=ActorKind.CUSTOMER, id=str(command.contact_id), name=command.contact.name)
    entry = _entry(HistoricMessage(text=command.text), command, customer, at, request.id, "opening")
    summary = TicketSummary(
        number=request.number,
        brand=command.brand,
        channel=command.channel,
        subject=command.subject,
        contact_id=command.contact_id,
        contact=command.contact,
        status=Status.NEW,
        priority=command.priority,
        team=command.team,
        assignee=command.assignee,
        tags=command.tags,
        opened_at=at,
    )
    clocks, reason = clocks_of_first(summary, entry, request.id, at, policies)
    routing = Routing(
        team=command.team,
        assignee=command.assignee,
        priority=command.priority,
        tags=command.tags,
        reason=f"imported from {command.origin}, there {command.external_id}",
    )
    return TicketOpened(
        ticket_id=command.ticket_id,
        version=1,
        at=at,
        actor=customer,
        ticket=summary,
        imported=True,
        routing=routing,
        message=entry,
        clocks=clocks,
        no_clock_reason=reason,
        seen_at=now,
    )


def _take(draft: Draft, step: HistoricStep, number: int, policies: Policies) -> Rejected | None:
    """Decide one step by the handlers of today's commands, but for the status: flows do not bind the past."""
    draft.actor = Actor(kind=ActorKind.AGENT, id=step.actor)
    asked = {"ticket_id": draft.ticket.ticket_id, "actor": draft.actor}
    if step.team is not None or step.assignee is not None:
        refusal = assign(draft, Assign(**asked, team=step.team, assignee=step.assignee), policies)
        if refusal is not None:
            return refusal
    if step.priority is not None:
        refusal = set_priority(draft, SetPriority(**asked, priority=step.priority), policies)
        if refusal is not None:
            return refusal
    if step.message is not None:
        _speak(draft, step.message, number, policies)
    if step.status is not None and step.status is not draft.ticket.summary.status:
        impossible = refusal_of_change(draft.ticket.summary.status, step.status)
        if impossible:
            return Rejected("rejected", impossible)
        change_status(draft, policies, step.status)
    return None


def _speak(draft: Draft, message: HistoricMessage, number: int, policies: Policies) -> None:
    before = draft.ticket
    if message.agent is None:
        draft.actor = Actor(
            kind=ActorKind.CUSTOMER, id=str(before.summary.contact_id), name=before.summary.contact.name
        )
    entry = _entry(message, before.summary, draft.actor, draft.at, draft.cause, str(number))
    draft.add(MessageAdded, message=entry)
    if is_answer(entry):
        timing.stop_clocks(draft, policies, timing.ANSWERED_METRICS)
        if before.summary.status is Status.NEW:
            change_status(draft, policies, Status.OPEN)
        follow_answer(draft, policies)
    elif speaks(entry) and before.summary.status is not Status.CLOSED:
        if before.summary.status in (Status.PENDING, Status.ON_HOLD, Status.SOLVED):
            change_status(draft, policies, Status.OPEN)
        follow_message(draft, policies, before)


def _entry(
    message: HistoricMessage, known: ImportTicket | TicketSummary, author: Actor, at: datetime, cause: str, place: str
) -> MessageEntry:
    return MessageEntry(
        message_id=uuid5(_NAMES, f"{cause}\n{place}"),
        provider_id=message.provider_id,
        author=author,
        public=message.public,
        channel=known.channel if message.public else None,
        sender=known.contact if author.kind is ActorKind.CUSTOMER else None,
        text=message.text,
        at=at,
        received_at=at,
    )
