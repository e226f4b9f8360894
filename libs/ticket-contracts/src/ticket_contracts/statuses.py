"""Which status may follow which, whatever the team: the flows of a configuration only narrow this."""

from collections.abc import Collection, Sequence
from typing import Protocol, TypeVar

from ticket_contracts.vocabulary import Status

ENDED = frozenset({Status.SOLVED, Status.CLOSED})

_WORKING = frozenset({Status.OPEN, Status.PENDING, Status.ON_HOLD, Status.SOLVED, Status.CLOSED})

FOLLOWING: dict[Status, frozenset[Status]] = {
    Status.NEW: _WORKING,
    Status.OPEN: _WORKING - {Status.OPEN},
    Status.PENDING: _WORKING - {Status.PENDING},
    Status.ON_HOLD: _WORKING - {Status.ON_HOLD},
    Status.SOLVED: frozenset({Status.OPEN, Status.CLOSED}),
    Status.CLOSED: frozenset(),  # a closed ticket never comes back; a follow-up does (rule 23)
}
"""Nothing leads back to `new`: it means that nobody has looked yet."""


def may_follow(previous: Status, status: Status) -> bool:
    """Whether a ticket may go from `previous` to `status`."""
    return status in FOLLOWING[previous]


class OfTeams(Protocol):
    """A flow, as far as it says for whom it is; naming no team it is for every team that no other one names."""

    @property
    def teams(self) -> Collection[str]: ...


FlowT = TypeVar("FlowT", bound=OfTeams)


def flow_of(team: str, flows: Sequence[FlowT]) -> FlowT | None:
    """Return the flow that names the team, else the one for every team that none names."""
    own = (flow for flow in flows if team in flow.teams)
    return next(own, next((flow for flow in flows if not flow.teams), None))


def refusal_of_change(previous: Status, status: Status) -> str:
    """Return why a ticket cannot go from `previous` to `status` in any flow, or nothing."""
    return "" if may_follow(previous, status) else f"a ticket that is {previous} cannot become {status}"
