"""Who holds a ticket."""

from sla_engine.domain.draft import Draft
from sla_engine.domain.policies import Policies
from sla_engine.domain.request import CLOSED, Rejected
from sla_engine.domain.selection import follow_team
from ticket_contracts.commands import Assign
from ticket_contracts.statuses import ENDED
from ticket_contracts.tickets import TicketAssigned
from ticket_contracts.vocabulary import Status


def assign(draft: Draft, command: Assign, policies: Policies) -> Rejected | None:
    """Hand the ticket over, or back into its team's queue."""
    summary = draft.ticket.summary
    holder: dict[str, object] = {"team": command.team or summary.team, "assignee": command.assignee}
    if holder == {"team": summary.team, "assignee": summary.assignee}:
        return None
    if summary.status is Status.CLOSED:
        return CLOSED
    draft.change(TicketAssigned, holder, previous_team=summary.team, previous_assignee=summary.assignee)
    if holder["team"] != summary.team and summary.status not in ENDED:
        follow_team(draft, policies)
    return None
