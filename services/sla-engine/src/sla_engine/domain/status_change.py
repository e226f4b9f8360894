"""From one status to another, and what that does to the clocks."""

from sla_engine.domain import timing
from sla_engine.domain.cycles import start_new_cycle
from sla_engine.domain.draft import Draft
from sla_engine.domain.policies import Policies
from sla_engine.domain.request import Rejected
from sla_engine.domain.statuses import ENDED, may_follow
from ticket_contracts.commands import SetStatus
from ticket_contracts.tickets import StatusChanged
from ticket_contracts.vocabulary import Status


def set_status(draft: Draft, command: SetStatus, policies: Policies) -> Rejected | None:
    """Carry out an agent's or a rule's wish."""
    status = draft.ticket.summary.status
    if command.status is status:
        return None
    if not may_follow(status, command.status):
        return Rejected("rejected", f"a ticket that is {status} cannot become {command.status}")
    change_status(draft, policies, command.status)
    return None


def change_status(draft: Draft, policies: Policies, status: Status) -> None:
    """Change the status and let the clocks follow; the caller knows that it may."""
    previous = draft.ticket.summary.status
    draft.change(StatusChanged, {"status": status}, previous=previous)
    follow_status_change(draft, policies, previous, status)


def follow_status_change(draft: Draft, policies: Policies, previous: Status, status: Status) -> None:
    """Let the clocks follow a change that is recorded."""
    if status in ENDED:
        if previous not in ENDED:  # closed after solved is not a second resolution (rule 21)
            timing.stop_clocks(draft, policies, timing.ALL_METRICS)
    elif previous is Status.SOLVED:
        start_new_cycle(draft, policies)
    else:
        timing.follow_status(draft, policies, status)
