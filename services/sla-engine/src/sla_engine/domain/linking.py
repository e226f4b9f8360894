"""What other tickets are to this one. A link stands on both sides or on neither, once all that was asked has arrived.

Who is asked first notes the link, or its end, and asks the other ticket for the reverse. What was asked for later
wins, on both sides alike: an end removes no younger link, and whoever keeps one against it says so again. A removal is
sent back, for the other side may have taken a link meanwhile that was under way. A ticket without room for a link has
it taken back. Between two tickets commands arrive in the order in which they were sent (architecture §3).
"""

from datetime import datetime

from sla_engine.domain.draft import Draft
from sla_engine.domain.policies import Policies
from sla_engine.domain.request import Rejected
from ticket_contracts.exchanges import MOST_RELATED, LinkAdded, LinkRemoved, LinkTickets, UnlinkTickets

NO_ROOM = f"the ticket has {MOST_RELATED} links already; remove some first"


def link(draft: Draft, command: LinkTickets, _: Policies) -> Rejected | None:
    """Note the link once; the other ticket is asked for the reverse. Clocks know nothing of links (rule 26)."""
    if command.other_id == draft.ticket.ticket_id:
        return Rejected("rejected", "other_id: a ticket is not linked to itself")
    if draft.ticket.link_to(command.other_id, command.kind) is None:
        if len(draft.ticket.links) >= MOST_RELATED:
            return Rejected("rejected", f"other_id: {NO_ROOM}")
        since = command.since if command.mirrored else draft.at
        draft.add(LinkAdded, other_id=command.other_id, kind=command.kind, since=since)
    return None


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
