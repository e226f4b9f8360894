"""From one status to another, and what that does to the clocks."""

from sla_engine.domain import timing
from sla_engine.domain.cycles import start_new_cycle
from sla_engine.domain.draft import Draft
from sla_engine.domain.policies import Policies
from sla_engine.domain.request import CLOSED, Rejected
from ticket_contracts.commands import SetStatus
from ticket_contracts.statuses import ENDED
from ticket_contracts.tickets import StatusChanged
from ticket_contracts.vocabulary import Status


def set_status(draft: Draft, command: SetStatus, policies: Policies) -> Rejected | None:
    """Carry out an agent's or a rule's wish."""
    summary = draft.ticket.summary
    told = (command.resolution_code or summary.resolution_code, command.cause or summary.cause)
    as_it_is = (command.status, command.status_name) == (summary.status, summary.status_name)
    if as_it_is and told == (summary.resolution_code, summary.cause):
        return None
    if summary.status is command.status is Status.CLOSED:
        return CLOSED
    refusal = policies.workflow.refusal_of_status(summary, command)
    if refusal:
        return Rejected("rejected", refusal)
    changes = {
        "status_name": command.status_name,
        "resolution_code": command.resolution_code or _unless_reopened(command.status, summary.resolution_code),
        "cause": command.cause or _unless_reopened(command.status, summary.cause),
    }
    change_status(draft, policies, command.status, **changes)
    return None


def _unless_reopened(status: Status, word: str | None) -> str | None:
    """How it was solved holds for as long as it is."""
    return word if status in ENDED else None


def change_status(
    draft: Draft,
    policies: Policies,
    status: Status,
    *,
    status_name: str | None = None,
    resolution_code: str | None = None,
    cause: str | None = None,
) -> None:
    """Change the status and let the clocks follow; the caller knows that it may."""
    previous = draft.ticket.summary.status
    words = {"status_name": status_name, "resolution_code": resolution_code, "cause": cause}
    draft.change(StatusChanged, {"status": status, **words}, previous=previous)
    if status is previous:  # another name of the same category: no clock knows names
        return
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
