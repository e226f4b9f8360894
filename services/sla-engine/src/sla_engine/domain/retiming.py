"""A ticket's acts at the moments at which they would have come, had its waits ended at others (decision 30)."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from msgspec.structs import replace

from sla_engine.domain.acts import Act, History
from sla_engine.domain.conversation import LATEST
from sla_engine.domain.queueing import NEVER
from sla_engine.domain.waits import EPOCH, MICROSECOND
from ticket_contracts.tickets import ClockFact, MessageAdded, TicketFact, TicketOpened
from ticket_contracts.upkeep import TicketReevaluated

_NOTHING = timedelta()


def retime(history: History, endings: Iterable[tuple[int, int]]) -> History:
    """Return the history with other times. `endings` are, of each wait in order, the place of the act that ended it
    and its moment in microseconds since 1970.

    What follows an answer keeps its distance to it. What stands before one keeps its distance to the answer before,
    but comes with the answer at the latest. After a wait that ends never nothing more has happened.
    """
    moved: History = []
    shift, done = _NOTHING, 0
    for place, moment in endings:
        before = history[done:place]
        if moment == NEVER:
            moved += _later(before, shift)
            return moved
        ended, ends = history[place][1].at, EPOCH + moment * MICROSECOND
        following = ends - ended
        for entry in before:
            kind, act = entry
            if act.at > ended:  # recorded before the answer, but of a later time
                moved.append((kind, _moved(act, following)))
            elif shift or act.at > ends:
                moved.append((kind, _moved(act, shift, ends)))
            else:
                moved.append(entry)
        shift, done = following, place
    moved += _later(history[done:], shift)
    return moved


def _later(history: History, shift: timedelta) -> History:
    return [(kind, _moved(act, shift)) for kind, act in history] if shift else history


def _moved(act: Act, shift: timedelta, latest: datetime = LATEST) -> Act:
    at, said, seen_at = act.at + shift, act.message, act.seen_at
    if at > latest:
        at = latest
    if said is None and seen_at is None:
        return replace(act, at=at)
    if said is not None:
        said_at = said.at + shift  # it may be long before `at`: the message was on its way
        said = replace(said, at=said_at if said_at < latest else latest)
    if seen_at is not None:
        seen_at += shift
        if seen_at > latest:
            seen_at = latest
    return replace(act, at=at, message=said, seen_at=seen_at)


def retime_facts(facts: Iterable[TicketFact], moved: Sequence[tuple[str, Act]]) -> list[TicketFact]:
    """Return all facts of a ticket with the times of its retimed acts. What clocks did stays as it is: a replay works
    it out anew, and of an imported ticket it tells up to when it was another system's."""
    result: list[TicketFact] = []
    acts = iter(moved)
    for fact in facts:
        if isinstance(fact, ClockFact | TicketReevaluated):
            result.append(fact)
        elif (told := next(acts, None)) is not None:
            result.append(_dated(fact, told[1]))
    return result


def _dated(fact: TicketFact, act: Act) -> TicketFact:
    changes: dict[str, object] = {"at": act.at}
    if isinstance(fact, MessageAdded | TicketOpened):
        changes["seen_at"] = act.seen_at
    entry = getattr(fact, "message", None)
    if entry is not None and act.message is not None:
        changes["message"] = entry.model_copy(update={"at": act.message.at})
    return fact.model_copy(update=changes)
