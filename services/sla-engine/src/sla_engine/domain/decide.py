"""Deciding: what a command, or the passing of time, makes true of a ticket."""

from collections.abc import Mapping
from datetime import datetime

from sla_engine.domain.acting import change_watchers, fill_fields, mark_spam, snooze, tag
from sla_engine.domain.agent_opening import open_by_agent
from sla_engine.domain.arrival import receive
from sla_engine.domain.automation import pass_time, react
from sla_engine.domain.draft import ENGINE, Draft
from sla_engine.domain.evolve import evolve
from sla_engine.domain.following_up import follow_up, join_opened
from sla_engine.domain.grading import classify, set_priority
from sla_engine.domain.holding import assign
from sla_engine.domain.import_history import import_ticket, imported_before
from sla_engine.domain.linking import link, unlink
from sla_engine.domain.merging import absorb, finish, merge, release, undo
from sla_engine.domain.opening import open_ticket
from sla_engine.domain.policies import Policies
from sla_engine.domain.request import Handler, Rejected, Request
from sla_engine.domain.selection import recalculate, reevaluate
from sla_engine.domain.settling import settle
from sla_engine.domain.splitting import open_split, opened_before, split
from sla_engine.domain.status_change import set_status
from sla_engine.domain.ticket import Ticket
from sla_engine.domain.writing import write
from ticket_contracts.actions import ChangeTags, ChangeWatchers, Classify, MarkSpam, SetFields, Snooze
from ticket_contracts.commands import AddNote, Assign, Command, ReceiveMessage, Reply, SetPriority, SetStatus
from ticket_contracts.exchanges import (
    AbsorbMerged,
    FinishMerge,
    FollowUp,
    LinkTickets,
    Merge,
    OpenSplit,
    ReleaseMerged,
    Split,
    UndoMerge,
    UnlinkTickets,
)
from ticket_contracts.openings import OpenTicket
from ticket_contracts.tickets import TicketFact
from ticket_contracts.upkeep import ImportTicket, Recalculate, Reevaluate
from ticket_contracts.vocabulary import ActorKind

HANDLERS: Mapping[type[Command], Handler] = {
    ReceiveMessage: receive,
    OpenTicket: join_opened,
    SetStatus: set_status,
    SetPriority: set_priority,
    Assign: assign,
    AddNote: write,
    Reply: write,
    Classify: classify,
    ChangeTags: tag,
    SetFields: fill_fields,
    Snooze: snooze,
    ChangeWatchers: change_watchers,
    MarkSpam: mark_spam,
    LinkTickets: link,
    UnlinkTickets: unlink,
    Merge: merge,
    AbsorbMerged: absorb,
    FinishMerge: finish,
    UndoMerge: undo,
    ReleaseMerged: release,
    Split: split,
    OpenSplit: opened_before,
    FollowUp: follow_up,
    Reevaluate: reevaluate,
    Recalculate: recalculate,
    ImportTicket: imported_before,
}


def decide(ticket: Ticket | None, request: Request, policies: Policies, now: datetime) -> list[TicketFact] | Rejected:
    """Return the facts that the command makes true; none when they are true already."""
    command = request.command
    if command.not_after is not None and now > command.not_after:
        return Rejected("expired", "the command was not handled before its `not_after`")
    if ticket is None:
        return _open(request, policies, now)
    if command.expected_version not in (None, ticket.version):
        reason = f"the ticket is at version {ticket.version}, the command expects {command.expected_version}"
        return Rejected("no-op" if command.actor.kind is ActorKind.MACHINE else "conflict", reason)
    draft = Draft(ticket, request.at, command.actor, request.id, request.appended_at)
    draft.entries = request.entries
    pass_time(draft, policies, request.at)
    before = len(draft.facts)
    refusal = HANDLERS[type(command)](draft, command, policies)
    if refusal is not None:
        return refusal
    if draft.wishes:
        settle(draft, policies, draft.at)
    react(draft, policies, before)
    return draft.facts if len(draft.facts) > before else []  # what is due anyway is left to the timer


def decide_due(ticket: Ticket, policies: Policies, now: datetime) -> list[TicketFact]:
    """Return what event time demands up to `now`: warnings, breaches, steps and rules, each once (rules 42 to 45)."""
    draft = Draft(ticket, now, ENGINE, "", now)
    pass_time(draft, policies, now)
    return draft.facts


def _open(request: Request, policies: Policies, now: datetime) -> list[TicketFact] | Rejected:
    """Return the facts that open the ticket, and what they set off."""
    match request.command:
        case ReceiveMessage() as command:
            return _with_rules([open_ticket(request, command, policies)], request, policies)
        case OpenTicket() as command:
            opening = open_by_agent(request, command, policies)
            return opening if isinstance(opening, Rejected) else _with_rules(opening, request, policies)
        case OpenSplit() as command:
            return _with_rules(open_split(request, command, policies), request, policies)
        case ImportTicket() as command:
            return import_ticket(request, command, policies, now)
    return Rejected("rejected", "there is no such ticket")


def _with_rules(opening: list[TicketFact], request: Request, policies: Policies) -> list[TicketFact]:
    """Return the facts that open a ticket, and what they set off."""
    if not policies.automation.rules:
        return opening
    ticket: Ticket | None = None
    for fact in opening:
        ticket = evolve(ticket, fact)
    assert ticket is not None  # an opening is at least one fact
    draft = Draft(ticket, request.at, opening[0].actor, request.id, request.appended_at, opening)
    react(draft, policies, 0)
    return draft.facts
