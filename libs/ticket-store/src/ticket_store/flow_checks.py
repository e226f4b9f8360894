"""Checks of flows: teams exist, statuses can be reached, tickets can come to an end, and one flow holds for a team."""

from collections.abc import Iterator, Mapping, Sequence

from ticket_contracts.vocabulary import Status
from ticket_store.configuration_findings import Finding, FoundDocument, Names, Problem, title
from ticket_store.documents import Team
from ticket_store.workflow_documents import Flow, StatusName

STARTS = (Status.NEW, Status.OPEN)
"""Where a ticket is without anybody's change of status: opened, answered, or written to again by the customer."""

ENDS = (Status.SOLVED, Status.CLOSED)


def reachability(flow: Flow, names: Names) -> Iterator[Finding]:
    """Yield statuses that no ticket comes to, and a flow that no ticket leaves. Its names are checked elsewhere."""
    yield from names.missing("teams", Team, *flow.teams)
    categories = {status.value: status for status in Status}
    categories |= {status.name: status.category for status in names.all(StatusName)}
    reached = _reached(flow, categories)
    for status in flow.allowed:
        if status in categories and status not in reached:
            yield f"allowed.{status}", "no ticket can come to this status; let another lead to it, or remove it"
    if not any(categories[name] in ENDS for name in reached):
        yield "allowed", "no way leads from new or open to a status that is solved or closed; add one"


def double_flows(found: Sequence[FoundDocument]) -> Iterator[Problem]:
    """Yield teams that two flows name, and a second flow for all others."""
    taken: dict[str, str] = {}
    for each in found:
        if isinstance(each.document, Flow):
            for team in each.document.teams or ("",):
                other = taken.setdefault(team, each.document.name)
                if other != each.document.name:
                    whose = f"of team {team!r}" if team else "of all teams that no flow names"
                    fix = f"flow/{other} is the flow {whose} already; which one holds would be open"
                    yield Problem(each.file, title(each.document), "teams", fix)


def _reached(flow: Flow, categories: Mapping[str, Status]) -> set[str]:
    """Return every name that can be come to. A status may go where its own line and its category's lead."""
    reached, waiting = {str(start) for start in STARTS}, [str(start) for start in STARTS]
    while waiting:
        status = waiting.pop()
        allowed = {*flow.allowed.get(status, ()), *flow.allowed.get(categories[status], ())}
        following = {name for name in categories if not allowed.isdisjoint({name, categories[name]})} - reached
        reached |= following
        waiting += following
    return reached
