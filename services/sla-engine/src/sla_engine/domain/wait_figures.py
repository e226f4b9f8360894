"""How long customers waited: figures that can stand beside those of another staffing."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass

from sla_engine.domain.queueing import NEVER, Served
from sla_engine.domain.waits import Waits

_SECOND = 1_000_000  # microseconds


@dataclass(frozen=True, slots=True)
class WaitFigures:
    """Of one team. Seconds of the wall clock; what was not answered counts as the longest, and None is no answer."""

    waits: int
    unanswered: int
    median_seconds: int | None
    p90_seconds: int | None


def figures_by_team(waits: Waits, served: Served) -> dict[str, WaitFigures]:
    """Return the figures of counted waits."""
    lengths = [array("q") for _ in waits.teams]
    for wait in waits.counted:
        ended = served.ended[wait]
        lengths[waits.team[wait]].append(NEVER if ended == NEVER else ended - served.begun[wait])
    return {team: _figures(sorted(lengths[number])) for team, number in waits.teams.items() if lengths[number]}


def _figures(lengths: Sequence[int]) -> WaitFigures:
    unanswered = sum(1 for length in lengths if length == NEVER)
    return WaitFigures(len(lengths), unanswered, _seconds(lengths, 50), _seconds(lengths, 90))


def _seconds(lengths: Sequence[int], percent: int) -> int | None:
    length = lengths[-(-len(lengths) * percent // 100) - 1]  # the nearest rank: a wait that there was
    return None if length == NEVER else length // _SECOND
