"""How fast the rules are by themselves: no server, one core, beside what the data alone cost."""

import gc
import json
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from sla_engine.domain.acts import NO_ACTS, read_deeds, read_history
from sla_engine.domain.decide import decide
from sla_engine.domain.evolve import evolve
from sla_engine.domain.policies import Policies
from sla_engine.domain.queueing import serve
from sla_engine.domain.request import Rejected
from sla_engine.domain.retiming import retime
from sla_engine.domain.team_queue import Shift, StaffedTeam
from sla_engine.domain.ticket import Ticket
from sla_engine.domain.waits import Waits, microseconds, waits_of
from sla_engine.replay_histories import REPLAYED_AT_ONCE, UNREAD, Side
from sla_engine.replay_staffing import endings
from tests.load.figures import Figures, Row
from tests.load.lives import FIRST, YEAR, escalating, live, policies
from tests.load.rounds import ROUNDS
from tests.unit.sla_engine.case import Case
from ticket_contracts.tickets import TicketFact, TicketOpened

LIVES = 1_000  # some 20 facts each: a quarter of a second a round at least
WHAT_IF_BUDGET = 20_000  # tickets a second and core
REPEATS = 10  # of the lives in a round of what-if
HANDLING = 12 * 60 * 1_000_000  # microseconds of an agent for an answer
WAITS_OF_AN_AGENT = 2_500  # so many tickets of the year to an agent: there are queues, and they are worked off


def measure_decide_evolve(figures: Figures, lives: int = LIVES) -> None:
    """`decide_evolve`: commands decided and folded; the limit makes the same facts of their values, with no rule."""
    under = policies()
    cases = live(lives, under)
    commands = sum(len(case.requests) for case in cases)
    facts = [fact for case in cases for fact in case.facts]
    values = [(type(fact), dict(fact)) for fact in facts]
    limits, ours = [], []
    for _ in range(ROUNDS):
        limits.append(_rate(commands, lambda: _make(values)))
        ours.append(_rate(commands, lambda: [_decide(case, under) for case in cases]))
    made = f"{len(facts) / commands:.1f} facts a command"
    note = f"per core; {made}; limit: the facts' models alone; {_spread(ours, limits)}"
    figures.rows.append(Row("decide_evolve", sum(ours) / ROUNDS, sum(limits) / ROUNDS, "commands/s", note))


def measure_what_if(figures: Figures, lives: int = LIVES) -> None:
    """`what_if`: stored histories read, replayed under another policy and counted; the limit reads them only."""
    _measure_replay(figures, "what_if", policies(2, calendar="always", on_priority="from_now"), lives)


def measure_what_if_steps(figures: Figures, lives: int = LIVES) -> None:
    """`what_if_steps`: the same under policies whose escalation steps change the ticket."""
    _measure_replay(figures, "what_if_steps", escalating(calendar="always", on_priority="from_now"), lives)


def _measure_replay(figures: Figures, name: str, other: Policies, lives: int) -> None:
    cases = live(lives, policies())
    stored = [_stored(case) for case in cases] * REPEATS
    until = FIRST + 2 * YEAR

    def imagine() -> None:
        side = Side(other)
        for batch in _batches(stored):
            assert not side.count_quickly([read_history(facts) for facts in batch], until)

    limits, ours = [], []
    for _ in range(ROUNDS):
        limits.append(_rate(len(stored), lambda: [read_history(history) for history in stored]))
        ours.append(_rate(len(stored), imagine))
    facts = sum(len(case.facts) for case in cases) / lives
    clocks = sum(len(case.ticket.clocks) for case in cases) / lives
    note = (
        f"per core; {facts:.0f} facts and {clocks:.1f} clocks a ticket; limit: read, not replayed; "
        f"{_spread(ours, limits)}; the budget is {WHAT_IF_BUDGET:,}"
    )
    figures.rows.append(Row(name, sum(ours) / ROUNDS, sum(limits) / ROUNDS, "tickets/s", note))


def measure_what_if_staffing(figures: Figures, lives: int = LIVES) -> None:
    """`what_if_staffing`: stored histories read, their waits simulated, read again, replayed; the limit reads once."""
    cases = live(lives, policies())
    stored = [_stored(case) for case in cases] * REPEATS
    other, until = policies(2, calendar="always", on_priority="from_now"), FIRST + 2 * YEAR
    agents = max(1, lives * REPEATS // WAITS_OF_AN_AGENT)
    team = StaffedTeam((Shift(other.calendars["office"], agents),), HANDLING)

    def imagine() -> None:
        waits = Waits()
        for batch in _batches(stored):
            deeds = [read_deeds(facts) for facts in batch]
            for waited in [waits_of(each) for each in deeds]:
                waits.add(waited)
        served, side = serve(waits, {"service": team}, microseconds(until)), Side(other)
        tickets = waits.each_counted_ticket()
        for batch in _batches(stored):
            histories = [read_history(facts) for facts in batch]
            moved = [
                retime(history, endings(waits, own, served)) for history, own in zip(histories, tickets, strict=False)
            ]
            assert not side.count_quickly(moved, until)
        assert side.results.tickets == len(stored)

    limits, ours = [], []
    for _ in range(ROUNDS):
        limits.append(_rate(len(stored), lambda: [read_history(history) for history in stored]))
        ours.append(_rate(len(stored), imagine))
    note = (
        f"per core; one staffing of {agents} agents; limit: read once, nothing else; {_spread(ours, limits)}; "
        f"the budget is {WHAT_IF_BUDGET:,}"
    )
    figures.rows.append(Row("what_if_staffing", sum(ours) / ROUNDS, sum(limits) / ROUNDS, "tickets/s", note))


def _make(facts: Sequence[tuple[type[TicketFact], dict[str, Any]]]) -> None:
    for kind, content in facts:
        kind(**content)


def _decide(case: Case, under: Policies) -> Ticket | None:
    """Decide a life's commands once more, from nothing; what comes of each is folded as the engine does."""
    ticket: Ticket | None = None
    for request in case.requests:
        decision = decide(ticket, request, under, request.appended_at)
        if not isinstance(decision, Rejected):
            for fact in decision:
                ticket = evolve(ticket, fact)
    return ticket


def _stored(case: Case) -> str:
    """Return what the command reads of a ticket."""
    rows = [f'["{fact.event_type}",{_read_of(fact)}]' for fact in case.facts if fact.event_type not in NO_ACTS]
    return f"[{','.join(rows)}]"


def _read_of(fact: TicketFact) -> str:
    content = json.loads(fact.encode())
    if isinstance(fact, TicketOpened):
        content = {name: value for name, value in content.items() if name not in UNREAD}
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))


def _batches(stored: Sequence[str]) -> Iterator[Sequence[str]]:
    """Yield them as the command takes them."""
    return (stored[start : start + REPLAYED_AT_ONCE] for start in range(0, len(stored), REPLAYED_AT_ONCE))


def _rate(number: int, work: Callable[[], object]) -> float:
    """So many a second of processor time: what others do on this machine meanwhile is theirs."""
    gc.collect()
    gc.freeze()  # what the bench itself holds is nothing that an engine would have to look through
    began = time.process_time()
    work()
    spent = time.process_time() - began
    gc.unfreeze()
    return number / spent


def _spread(ours: Sequence[float], limits: Sequence[float]) -> str:
    return f"{ROUNDS} rounds of {min(ours):,.0f} to {max(ours):,.0f}, limit {min(limits):,.0f} to {max(limits):,.0f}"
