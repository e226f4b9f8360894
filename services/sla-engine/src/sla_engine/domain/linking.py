"""What other tickets are to this one. A link stands on both sides or on neither, once all that was asked has arrived.

Who is asked first notes the link, or its end, and asks the other ticket for the reverse. What was asked for later
wins, on both sides alike: an end removes no younger link, and whoever keeps one against it says so again. A removal is
sent back, for the other side may have taken a link meanwhile that was under way. A ticket without room for a link has
it taken back. Between two tickets commands arrive in the order in which they were sent (architecture §3).

Two tickets are not both of each other what only one can be: a duplicate, or the problem behind an incident. A ticket
that has the opposite link refuses one. Of two that both were asked at once, each before it heard of the other, the
first stays on both sides; both compare the same two times, so they agree without another question.
"""

from datetime import datetime
from uuid import UUID

from sla_engine.domain.conversation import EARLIEST
from sla_engine.domain.draft import Draft
from sla_engine.domain.policies import Policies
from sla_engine.domain.request import Rejected
from sla_engine.domain.ticket import Link, Ticket
from ticket_contracts.exchanges import MOST_RELATED, LinkAdded, LinkRemoved, LinkTickets, UnlinkTickets
from ticket_contracts.vocabulary import LinkKind

NO_ROOM = f"the ticket has {MOST_RELATED} links already; remove some first"
OPPOSED = "the opposite link of the two tickets was asked for first"


def link(draft: Draft, command: LinkTickets, _: Policies) -> Rejected | None:
    """Note the link once; the other ticket is asked for the reverse. Clocks know nothing of links (rule 26)."""
    if command.other_id == draft.ticket.ticket_id:
        return Rejected("rejected", "other_id: a ticket is not linked to itself")
    if draft.ticket.link_to(command.other_id, command.kind) is not None:
        return None
    opposite = opposite_of(draft.ticket, command.other_id, command.kind)
    if opposite is not None:
        if not command.mirrored:
            return Rejected("rejected", f"kind: that ticket is linked as {opposite.kind} already; unlink it first")
        if not _gives_way(opposite, draft.ticket.ticket_id, command):
            return Rejected("no-op", OPPOSED)
        gone = {"other_id": opposite.other_id, "kind": opposite.kind, "until": opposite.since}
        draft.add(LinkRemoved, **gone, reason=OPPOSED)
    if len(draft.ticket.links) >= MOST_RELATED:
        return Rejected("rejected", f"other_id: {NO_ROOM}")
    since = command.since if command.mirrored else draft.at
    draft.add(LinkAdded, other_id=command.other_id, kind=command.kind, since=since)
    return None


def opposite_of(ticket: Ticket, other_id: UUID, kind: LinkKind) -> Link | None:
    """Return the link that contradicts one of this kind to the other ticket, None when there is none."""
    return ticket.link_to(other_id, kind.reverse) if kind.reverse is not kind else None


def _gives_way(own: Link, own_id: UUID, command: LinkTickets) -> bool:
    """Whether the other ticket's link was asked for first; of two at the same moment the lower id's."""
    return (command.since or EARLIEST, command.other_id) < (own.since or EARLIEST, own_id)


def unlink(draft: Draft, command: UnlinkTickets, _: Policies) -> None:
    """Remove the link, when there is one and it is not younger than the wish of another ticket to remove it."""
    known = draft.ticket.link_to(command.other_id, command.kind)
    if known is None:
        return
    until: datetime | None
    if not command.mirrored:  # the clock of another partition's broker may be ahead of ours
        until, reason = max(draft.at, known.since or draft.at), ""
    elif command.until is None or known.since is None or known.since <= command.until:
        until, reason = command.until, command.reason
    else:
        return
    draft.add(LinkRemoved, other_id=command.other_id, kind=command.kind, until=until, reason=reason)
