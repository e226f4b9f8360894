"""Gives new tickets to the members of their teams, one after the other over all routers."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from ticket_router.domain.rotation import turns
from ticket_store.tables import agent_load
from ticket_stream.processing import Connection


async def take_turns(
    connection: Connection, teams: Iterable[str], members: Callable[[str], Sequence[str]]
) -> list[str | None]:
    """Return an assignee per new ticket, given the tickets' teams; None where a team has no members.

    Call it last: until the commit every other router that gives a ticket to the same team waits.
    """
    teams = list(teams)
    counts = Counter(team for team in teams if members(team))
    if not counts:
        return [None] * len(teams)
    names = sorted(counts)
    rows = await connection.fetch(agent_load.GIVE_OUT, names, [counts[name] for name in names])
    queues = {row["team"]: turns(members(row["team"]), row["assigned"], counts[row["team"]]) for row in rows}
    return [next(queues[team]) if team in queues else None for team in teams]
