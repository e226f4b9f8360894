"""Which status may follow which, whatever the team: the flows of a configuration only narrow this."""

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


def refusal_of_change(previous: Status, status: Status) -> str:
    """Return why a ticket cannot go from `previous` to `status` in any flow, or nothing."""
    return "" if may_follow(previous, status) else f"a ticket that is {previous} cannot become {status}"
