"""What one ticket asks of another: commands that follow from facts, and the answers to those that were asked.

Every id follows from the command behind it, so a batch that is done again asks the same things under the same ids, and
the other ticket's `command_outcomes` drops the second.
"""

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from sla_engine.domain.draft import ENGINE
from sla_engine.domain.following_up import opening_of
from sla_engine.domain.linking import NO_ROOM, OPPOSED, opposite_of
from sla_engine.domain.merging import refusal_to_absorb
from sla_engine.domain.request import Request
from sla_engine.domain.splitting import split_id
from sla_engine.domain.ticket import Absorbed, Link, Ticket
from sla_engine.publish_facts import MAX_HOPS, Cause
from ticket_contracts.commands import Command, Routing
from ticket_contracts.exchanges import (
    AbsorbMerged,
    FinishMerge,
    FollowUp,
    LinkAdded,
    LinkRemoved,
    LinkTickets,
    MergeBegun,
    MergeRefused,
    MergeUndone,
    MessagesMoved,
    OpenSplit,
    ReleaseMerged,
    Split,
    SplitOrigin,
    UndoMerge,
    UnlinkTickets,
    asked_command_id,
)
from ticket_contracts.tickets import SuccessorNamed, TicketFact
from ticket_contracts.topics import COMMANDS
from ticket_contracts.vocabulary import LinkKind
from ticket_stream.processing import NewEvent, Record


def exchange_commands(
    request: Request, before: Ticket | None, after: Ticket | None, facts: list[TicketFact], record: Record
) -> Iterator[NewEvent]:
    """Yield the commands to other tickets that a decision calls for; `before` and `after` are the ticket's states."""
    command = request.command
    asked: Iterator[Command] = iter(())
    if isinstance(command, AbsorbMerged):
        asked = _answer(command, after)
    elif isinstance(command, FinishMerge):
        asked = _given_back(command, after)
    elif isinstance(command, ReleaseMerged):
        asked = _passed_on(command, after)
    elif isinstance(command, LinkTickets) and command.mirrored:
        asked = _room_for(command, after, facts)
    elif isinstance(command, UnlinkTickets) and command.mirrored:
        asked = _kept_or_gone(command, after, facts)
    elif after is not None:
        asked = (found for fact in facts for found in _of_fact(request, before or after, after, fact))
    for other in asked:
        yield _event(other, request, record)


def _of_fact(request: Request, before: Ticket, after: Ticket, fact: TicketFact) -> Iterator[Command]:
    command, own = request.command, after.ticket_id
    match fact:
        case LinkAdded() if isinstance(command, LinkTickets):
            yield _reverse_link(own, Link(fact.other_id, fact.kind, fact.since))
        case LinkRemoved():
            yield _reverse_end(own, fact.other_id, fact.kind, fact.until)
        case MergeBegun():
            summary = after.summary
            yield AbsorbMerged(
                ticket_id=fact.target_id,
                actor=ENGINE,
                source_id=own,
                merge_id=fact.merge_id,
                number=summary.number,
                subject=summary.subject,
            )
        case MergeUndone() if before.merged is not None:
            yield _release(before.merged.target_id, own, fact.merge_id)
        case MergeRefused() if isinstance(command, UndoMerge) and before.merging is not None:
            yield _release(before.merging.target_id, own, fact.merge_id)
        case MessagesMoved() if isinstance(command, Split):
            yield _opening(request, command, after)
        case SuccessorNamed() if isinstance(command, FollowUp):
            yield opening_of(after, command, request.id)


def _room_for(command: LinkTickets, other: Ticket | None, facts: list[TicketFact]) -> Iterator[Command]:
    """Who cannot take the link asks for its end; one that was asked for later stays. So does who gave up its opposite
    for it: that may be under way, to arrive when nothing stands against it any more."""
    own, other_id, kind = command.ticket_id, command.other_id, command.kind
    for fact in facts:
        if isinstance(fact, LinkRemoved):
            yield _reverse_end(own, fact.other_id, fact.kind, fact.until, OPPOSED)
    if other is None or other.link_to(other_id, kind) is None:
        yield _reverse_end(own, other_id, kind, command.since, _why_not(command, other))


def _why_not(command: LinkTickets, ticket: Ticket | None) -> str:
    if ticket is None:
        return "there is no such ticket"
    return OPPOSED if opposite_of(ticket, command.other_id, command.kind) else f"on the other side: {NO_ROOM}"


def _kept_or_gone(command: UnlinkTickets, ticket: Ticket | None, facts: list[TicketFact]) -> Iterator[Command]:
    """An end is told back, and so is a younger link that stays."""
    own, other_id, kind = command.ticket_id, command.other_id, command.kind
    if any(isinstance(fact, LinkRemoved) for fact in facts):
        yield _reverse_end(own, other_id, kind, command.until)
    elif ticket is not None and (kept := ticket.link_to(other_id, kind)) is not None:
        yield _reverse_link(own, kept)


def _reverse_link(own: UUID, link: Link) -> LinkTickets:
    return LinkTickets(
        ticket_id=link.other_id, actor=ENGINE, other_id=own, kind=link.kind.reverse, mirrored=True, since=link.since
    )


def _reverse_end(own: UUID, other_id: UUID, kind: LinkKind, until: datetime | None, reason: str = "") -> UnlinkTickets:
    return UnlinkTickets(
        ticket_id=other_id, actor=ENGINE, other_id=own, kind=kind.reverse, mirrored=True, until=until, reason=reason
    )


def _answer(command: AbsorbMerged, target: Ticket | None) -> Iterator[Command]:
    """The source hears in any case; a target that was merged itself sends the question on along its chain."""
    reason = "there is no such ticket" if target is None else refusal_to_absorb(target, command.source_id)
    absorbed = target is not None and Absorbed(command.source_id, command.merge_id) in target.absorbed
    onward = target.summary.merged_into if target is not None else None
    if not absorbed and onward is not None and command.hops < MAX_HOPS:
        yield command.model_copy(update={"ticket_id": onward, "hops": command.hops + 1})
        return
    yield FinishMerge(
        ticket_id=command.source_id,
        actor=ENGINE,
        merge_id=command.merge_id,
        target_id=command.ticket_id if absorbed else None,
        reason="" if absorbed else reason,
    )


def _given_back(command: FinishMerge, source: Ticket | None) -> Iterator[Command]:
    """A target took in a source that no longer wanted it (the merge was undone meanwhile): it is told so."""
    wanted = source is not None and source.merged is not None and source.merged.merge_id == command.merge_id
    if command.target_id is not None and not wanted:
        yield _release(command.target_id, command.ticket_id, command.merge_id)


def _passed_on(command: ReleaseMerged, target: Ticket | None) -> Iterator[Command]:
    """A source may have been taken in further along the chain; who has it not sends the wish on."""
    if target is not None and target.summary.merged_into is not None:
        yield command.model_copy(update={"ticket_id": target.summary.merged_into})


def _release(target_id: UUID, source_id: UUID, merge_id: str) -> ReleaseMerged:
    return ReleaseMerged(ticket_id=target_id, actor=ENGINE, source_id=source_id, merge_id=merge_id)


def _opening(request: Request, command: Split, source: Ticket) -> OpenSplit:
    summary = source.summary
    wanted = set(command.message_ids)
    return OpenSplit(
        ticket_id=split_id(source.ticket_id, request.id),
        actor=ENGINE,
        origin=SplitOrigin(
            source_id=source.ticket_id,
            split_id=request.id,
            brand=summary.brand,
            channel=summary.channel,
            contact_id=summary.contact_id,
            contact=summary.contact,
            priority=summary.priority,
        ),
        subject=command.subject or summary.subject,
        entries=tuple(entry for entry in request.entries if entry.message_id in wanted),
        routing=Routing(team=command.team or summary.team, assignee=summary.assignee, tags=summary.tags),
    )


def _event(command: Command, request: Request, record: Record) -> NewEvent:
    cause, key = Cause.of(record), str(command.ticket_id)
    return NewEvent(
        origin=record.origin,
        topic=COMMANDS.name,
        key=key,
        id=str(asked_command_id(command.ticket_id, request.id, command.event_type)),
        type=command.event_type,
        time=request.at,
        data=command.encode(),
        subject=key,
        causation_id=cause.id,
        correlation_id=cause.correlation_id,
        traceparent=cause.traceparent,
    )
