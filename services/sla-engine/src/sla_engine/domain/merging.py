"""Merging: a source becomes part of a target, in an exchange that survives every loss and repetition (rule 25).

The source asks (`merging`), the target absorbs or refuses, the source closes or goes on. A ticket that is merging
itself takes nobody in, so three that merge in a ring all go on; of two that merge into each other the lower id takes
the other in. Whatever comes late finds a state that it does not fit, and changes nothing.
"""

from datetime import timedelta
from uuid import UUID

from sla_engine.domain import timing
from sla_engine.domain.cycles import start_missing, start_next_response
from sla_engine.domain.draft import Draft
from sla_engine.domain.policies import Policies
from sla_engine.domain.request import CLOSED, Rejected
from sla_engine.domain.ticket import Absorbed, Ticket
from ticket_contracts.exchanges import (
    MOST_RELATED,
    AbsorbMerged,
    FinishMerge,
    Merge,
    MergeBegun,
    MergeRefused,
    MergeUndone,
    ReleaseMerged,
    TicketAbsorbed,
    TicketMerged,
    TicketReleased,
    UndoMerge,
)
from ticket_contracts.statuses import ENDED
from ticket_contracts.vocabulary import Status

UNDO_WITHIN = timedelta(days=1)
"""Afterwards both have lived on as one for too long."""


def merge(draft: Draft, command: Merge, _: Policies) -> Rejected | None:
    """Begin: from now on the ticket waits for the target's answer, and goes on working meanwhile."""
    ticket = draft.ticket
    if command.target_id == ticket.ticket_id:
        return Rejected("rejected", "target_id: a ticket cannot become part of itself")
    if ticket.summary.status is Status.CLOSED:
        return CLOSED
    if ticket.merging is not None:
        return Rejected("rejected", f"the ticket is being merged into {ticket.merging.target_id} already")
    if any(absorbed.source_id == command.target_id for absorbed in ticket.absorbed):  # it may not know of that yet
        return Rejected("rejected", "target_id: that ticket is part of this one; undo its merge first")
    draft.add(MergeBegun, target_id=command.target_id, merge_id=draft.cause)
    return None


def absorb(draft: Draft, command: AbsorbMerged, _: Policies) -> Rejected | None:
    """Take the source in, once; what speaks against it is told to the source."""
    ticket = draft.ticket
    if Absorbed(command.source_id, command.merge_id) in ticket.absorbed:
        return None
    refusal = refusal_to_absorb(ticket, command.source_id)
    if refusal:
        return Rejected("no-op", refusal)
    draft.add(TicketAbsorbed, source_id=command.source_id, merge_id=command.merge_id, number=command.number)
    return None


def refusal_to_absorb(ticket: Ticket, source_id: UUID) -> str:
    """Return why the ticket does not take the source in, or nothing."""
    if source_id == ticket.ticket_id:
        return "it would become part of itself: the target is part of this ticket"
    if ticket.summary.merged_into is not None:
        return "the target is itself part of another ticket"
    if ticket.summary.status is Status.CLOSED:
        return "the target is closed"
    if ticket.merging is not None and not (ticket.merging.target_id == source_id and ticket.ticket_id < source_id):
        return "the target is being merged itself at this moment; try again"
    if len(ticket.absorbed) >= MOST_RELATED:
        return f"{MOST_RELATED} tickets are part of the target already; merge into another one"
    return ""


def finish(draft: Draft, command: FinishMerge, policies: Policies) -> Rejected | None:
    """Close as merged, or go on as a ticket of its own."""
    merging = draft.ticket.merging
    if merging is None or merging.merge_id != command.merge_id:
        return Rejected("no-op", "the ticket does not wait for this answer any more")
    if command.target_id is None:
        draft.add(MergeRefused, merge_id=command.merge_id, reason=command.reason)
        return None
    follow_merge(draft, policies)
    changes: dict[str, object] = {
        "status": Status.CLOSED,
        "status_name": None,
        "merged_into": command.target_id,
        "snoozed_until": None,
    }
    draft.change(TicketMerged, changes, target_id=command.target_id, merge_id=command.merge_id)
    return None


def follow_merge(draft: Draft, policies: Policies) -> None:
    """End the clocks of what becomes part of another ticket."""
    timing.cancel_all(draft, policies, "merged")


def undo(draft: Draft, _: UndoMerge, policies: Policies) -> Rejected | None:
    """Stand alone again, in the status of before; clocks that the merge cancelled begin anew from the first message."""
    ticket = draft.ticket
    if ticket.merging is not None:
        draft.add(MergeRefused, merge_id=ticket.merging.merge_id, reason="undone before it was finished")
        return None
    merged = ticket.merged
    if merged is None:
        return Rejected("rejected", "the ticket is not merged")
    if draft.at - merged.at > UNDO_WITHIN:
        return Rejected("rejected", "it was merged more than a day ago")
    # Who took it back has looked at it, so it is not new any more (statuses.FOLLOWING).
    status = Status.OPEN if merged.status is Status.NEW else merged.status
    changes: dict[str, object] = {"status": status, "status_name": merged.status_name, "merged_into": None}
    draft.change(MergeUndone, changes, merge_id=merged.merge_id)
    time_again(draft, policies)
    return None


def time_again(draft: Draft, policies: Policies) -> None:
    """Start the clocks that a ticket lacks, counted from the customer's first words."""
    ticket = draft.ticket
    since = ticket.first_customer_message_at
    if since is not None and ticket.summary.status not in ENDED:
        metrics = timing.ALL_METRICS - timing.REPLY_METRICS if ticket.answered_at else timing.ALL_METRICS
        start_missing(draft, policies, metrics, since)
        start_next_response(draft, policies, draft.at)
    timing.bring_forward(draft, policies, draft.at)


def release(draft: Draft, command: ReleaseMerged, _: Policies) -> None:
    """Give the source back, when it was taken in."""
    if Absorbed(command.source_id, command.merge_id) in draft.ticket.absorbed:
        draft.add(TicketReleased, source_id=command.source_id, merge_id=command.merge_id)
