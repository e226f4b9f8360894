"""What other tickets are to this one."""

from sla_engine.domain.draft import Draft
from sla_engine.domain.policies import Policies
from sla_engine.domain.request import Rejected
from sla_engine.domain.ticket import MOST_RELATED, Link
from ticket_contracts.exchanges import LinkAdded, LinkRemoved, LinkTickets, UnlinkTickets


def link(draft: Draft, command: LinkTickets, _: Policies) -> Rejected | None:
    """Note the link once; the other ticket is asked for the reverse. Clocks know nothing of links (rule 26)."""
    if command.other_id == draft.ticket.ticket_id:
        return Rejected("rejected", "other_id: a ticket is not linked to itself")
    if Link(command.other_id, command.kind) not in draft.ticket.links:
        if len(draft.ticket.links) >= MOST_RELATED:
            return Rejected("rejected", f"other_id: the ticket has {MOST_RELATED} links already; remove some first")
        draft.add(LinkAdded, other_id=command.other_id, kind=command.kind)
    return None


def unlink(draft: Draft, command: UnlinkTickets, _: Policies) -> None:
    """Remove the link, when there is one."""
    if Link(command.other_id, command.kind) in draft.ticket.links:
        draft.add(LinkRemoved, other_id=command.other_id, kind=command.kind)
