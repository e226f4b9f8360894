"""Checks of flows: teams exist, statuses can be reached and left, and one flow holds for a team."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from ticket_contracts import statuses
from ticket_contracts.vocabulary import Status
from ticket_store.configuration_findings import Finding, FoundDocument, Names, Problem, title
from ticket_store.documents import Team
from ticket_store.workflow_documents import Flow, StatusName

STARTS = (Status.NEW, Status.OPEN)
"""Where a ticket is without anybody's change of status: opened, answered, or written to again by the customer."""

HANDED_OVER = (Status.PENDING, Status.ON_HOLD, Status.SOLVED)
"""What a ticket may be when another team hands it over, though this flow leads nowhere there: it keeps its status."""


def reachability(flow: Flow, names: Names) -> Iterator[Finding]:
    """Yield statuses that no ticket comes to, and those that none leaves. Its names are checked elsewhere."""
    yield from names.missing("teams", Team, *flow.teams)
    categories = categories_of(names.all(StatusName))
    ways = {name: following(name, category, flow, categories) for name, category in categories.items()}
    reached = _reached(ways, *STARTS)
    for status in flow.allowed:
        if status in categories and status not in reached and status not in HANDED_OVER:
            yield f"allowed.{status}", "no ticket can come to this status; let another lead to it, or remove it"
    # A flow may be silent on what follows them: solved until the customer writes again, and closed for ever.
    ends = {name for name in reached if categories[name] in statuses.ENDED}
    if not ends:
        yield "allowed", "no way leads from new or open to a status that is solved or closed; add one"
        return
    back = {name: {before for before in categories if name in ways[before]} for name in categories}
    stuck = reached - _reached(back, *ends)
    for name in sorted(stuck):
        if name in set(Status) or categories[name] not in stuck:  # a line for the category helps its names, too
            yield f"allowed.{name}", _way_out(name)


def categories_of(named: Iterable[StatusName]) -> dict[str, Status]:
    """Return the category of every status, the six words of the categories among them."""
    return {status.value: status for status in Status} | {status.name: status.category for status in named}


def following(status: str, category: Status, flow: Flow, categories: Mapping[str, Status]) -> set[str]:
    """Return the names a ticket may get next: those to which the status' own line or its category's leads."""
    allowed = {*flow.allowed.get(status, ()), *flow.allowed.get(category, ())}
    return {
        name
        for name, other in categories.items()
        if may_follow(category, other) and not allowed.isdisjoint({name, other})
    }


def may_follow(previous: Status, status: Status) -> bool:
    """Whether the rules of the categories let a ticket change so, or get another name within one."""
    return statuses.may_follow(previous, status) or (previous is status and status is not Status.CLOSED)


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


def _reached(ways: Mapping[str, set[str]], *starts: str) -> set[str]:
    """Return every name that can be come to, the starts with them."""
    reached, waiting = {str(start) for start in starts}, [str(start) for start in starts]
    while waiting:
        following = ways[waiting.pop()] - reached
        reached |= following
        waiting += following
    return reached


def _way_out(name: str) -> str:
    told = f"nobody could lead a ticket from {name} on to solved or closed; add a line such as"
    if name == Status.NEW:
        return f"{told} `new: [open]`; tickets begin there"
    if name == Status.OPEN:
        return f"{told} `open: [solved]`; an answer leads there"
    return f"{told} `{name}: [open]`, or let nothing lead to it"
