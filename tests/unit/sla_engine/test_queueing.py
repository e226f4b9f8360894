"""The simulated queue of a team, held to one that is counted out minute by minute."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from business_time.calendar import BusinessCalendar
from sla_engine.domain.queueing import NEVER, Served, serve
from sla_engine.domain.team_queue import Shift, StaffedTeam, TeamQueue
from sla_engine.domain.waits import EPOCH, RANKS, Wait, Waited, Waits
from tests.unit.sla_engine.case import office
from tests.unit.sla_engine.queue_oracle import MINUTE, Job, answer
from ticket_contracts.vocabulary import Priority

HORIZON = 240  # minutes after 1970 began
HANDLING: dict[Priority | None, int] = {Priority.URGENT: 11, Priority.LOW: 3}
USUAL = 8


def daily(*intervals: tuple[int, int]) -> BusinessCalendar:
    """Return a calendar with these minutes of every day."""
    return office(name=str(intervals), week=(intervals,) * 7)


ALWAYS = daily((0, 24 * 60))
SHIFTS = (ALWAYS, daily((0, 20), (33, 60), (61, 150)), daily((10, 33), (70, 71), (100, 200)), daily((50, 240)))


class Asked(NamedTuple):
    """A wait as a test writes it: minutes after the one before ended, minutes that it really took."""

    gap: int
    took: int
    team: str
    priority: Priority | None


asked = st.builds(
    Asked,
    st.integers(0, 40),
    st.integers(1, 30),
    st.sampled_from(["service", "service", "experts", "others"]),
    st.sampled_from(RANKS),
)
tickets = st.lists(st.tuples(st.integers(0, 50), st.lists(asked, min_size=1, max_size=3)), min_size=1, max_size=14)
Tickets = Sequence[tuple[int, Sequence[Asked]]]
shifts = st.lists(st.tuples(st.sampled_from(SHIFTS), st.integers(1, 2)), min_size=1, max_size=3)
Shifts = Sequence[tuple[BusinessCalendar, int]]


def waits_of_all(all_tickets: Tickets) -> Waits:
    waits = Waits()
    for start, of_one in all_tickets:
        at, ended = EPOCH + timedelta(minutes=start), []
        for number, wait in enumerate(of_one):
            since = at + timedelta(minutes=wait.gap)
            at = since + timedelta(minutes=wait.took)
            ended.append(Wait(number + 1, since, at, wait.team, wait.priority))
        waits.add(Waited(ended, goes_on=False))
    return waits


def a_team(on: Shifts, order: str = "priority", by_priority: bool = True) -> StaffedTeam:
    return StaffedTeam(
        shifts=tuple(Shift(calendar, agents) for calendar, agents in on),
        handling=USUAL * MINUTE,
        by_priority={each: minutes * MINUTE for each, minutes in HANDLING.items() if each and by_priority},
        order="priority" if order == "priority" else "arrival",
    )


def in_minutes(served: Served) -> list[tuple[int | None, int | None]]:
    return [
        (None if begun == NEVER else begun // MINUTE, None if ended == NEVER else ended // MINUTE)
        for begun, ended in zip(served.begun, served.ended, strict=True)
    ]


def jobs_of(all_tickets: Tickets) -> Iterator[Job]:
    number = 0
    for start, of_one in all_tickets:
        for place, wait in enumerate(of_one):
            gap = wait.gap if place else start + wait.gap
            yield Job(wait.team, RANKS.index(wait.priority), gap, number - 1 if place else None)
            number += 1


@settings(max_examples=60, deadline=None)
@given(tickets, shifts, shifts, st.sampled_from(["priority", "arrival"]))
def test_customers_are_answered_at_the_minutes_that_counting_gives(
    all_tickets: Tickets, service: Shifts, experts: Shifts, order: str
) -> None:
    staffed = {"service": a_team(service, order), "experts": a_team(experts, order, by_priority=False)}
    jobs = list(jobs_of(all_tickets))
    took = {id(job): wait.took for job, wait in zip(jobs, [each for _, of in all_tickets for each in of], strict=True)}

    def handling(job: Job) -> int:
        if job.team == "others":
            return took[id(job)]  # not staffed: as fast as it was
        return HANDLING.get(RANKS[job.rank], USUAL) if job.team == "service" else USUAL

    def agents(team: str, minute: int) -> int:
        if team == "others":
            return len(jobs)
        now = EPOCH + timedelta(minutes=minute)
        return sum(shift.agents for shift in staffed[team].shifts if shift.calendar.is_open(now))

    answer(jobs, agents, handling, HORIZON, order == "priority")
    served = serve(waits_of_all(all_tickets), staffed, HORIZON * MINUTE)
    assert in_minutes(served) == [(job.begun, job.ended) for job in jobs]


@settings(max_examples=40, deadline=None)
@given(tickets, shifts)
def test_each_wait_is_ended_once_and_never_are_more_agents_busy_than_on_shift(all_tickets: Tickets, on: Shifts) -> None:
    ended: Counter[int] = Counter()
    waits, team, until = waits_of_all(all_tickets), a_team(on), 30 * 24 * 60 * MINUTE
    with pytest.MonkeyPatch.context() as patch:
        take = TeamQueue.take

        def watched(queue: TeamQueue, now: int, done: list[tuple[int, int]]) -> None:
            take(queue, now, done)
            at = EPOCH + timedelta(minutes=now // MINUTE)
            there = sum(shift.agents for shift in team.shifts if shift.calendar.is_open(at))
            assert len(queue.ends) <= queue.agents == (there if now < until else 0)
            ended.update(dict.fromkeys(queue.ends, 0))

        patch.setattr(TeamQueue, "take", watched)
        served = serve(waits, {"service": team, "experts": team, "others": team}, until)
    assert NEVER not in served.ended
    assert set(ended) == set(range(len(waits)))
    for wait in range(len(waits)):
        least = (HANDLING.get(RANKS[waits.rank[wait]], USUAL)) * MINUTE
        assert served.ended[wait] - served.begun[wait] >= least


@settings(max_examples=40, deadline=None)
@given(tickets, st.integers(1, 3))
def test_of_the_same_priority_who_asked_first_is_answered_first(all_tickets: Tickets, agents: int) -> None:
    waits = waits_of_all(all_tickets)
    team = a_team([(ALWAYS, agents)])
    served = serve(waits, {"service": team, "experts": team, "others": team}, 30 * 24 * 60 * MINUTE)
    groups: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for wait in range(len(waits)):
        groups.setdefault((waits.team[wait], waits.rank[wait]), []).append((served.begun[wait], served.ended[wait]))
    for group in groups.values():
        ends = [ended for _, ended in sorted(group)]
        assert ends == sorted(ends)


@settings(max_examples=60, deadline=None)
@given(tickets, shifts, st.tuples(st.sampled_from(SHIFTS), st.integers(1, 2)), st.sampled_from(["priority", "arrival"]))
def test_with_more_agents_nobody_waits_longer_in_all(
    all_tickets: Tickets, on: Shifts, more: tuple[BusinessCalendar, int], order: str
) -> None:
    single = [(start, of_one[:1]) for start, of_one in all_tickets]
    waits = waits_of_all([(start, [wait._replace(team="service")]) for start, [wait] in single])
    until = HORIZON * MINUTE
    fewer, many = (
        sum(min(ended, until) for ended in serve(waits, {"service": a_team(agents, order, False)}, until).ended)
        for agents in (on, [*on, more])
    )
    assert many <= fewer


def test_work_that_a_shift_s_end_interrupts_goes_on_first_in_the_next_one() -> None:
    early, late = daily((0, 10)), daily((20, 60))
    waits = waits_of_all(
        [(8, [Asked(0, 1, "service", Priority.NORMAL)]), (9, [Asked(0, 1, "service", Priority.URGENT)])]
    )
    served = serve(waits, {"service": a_team([(early, 1), (late, 1)])}, HORIZON * MINUTE)
    assert in_minutes(served) == [(8, 26), (9, 37)]


def test_when_one_of_two_leaves_what_was_begun_last_is_laid_aside() -> None:
    question = Asked(0, 1, "service", Priority.NORMAL)
    waits = waits_of_all([(0, [question]), (4, [question])])
    served = serve(waits, {"service": a_team([(ALWAYS, 1), (daily((0, 6)), 1)])}, HORIZON * MINUTE)
    assert in_minutes(served) == [(0, 8), (4, 14)]


@pytest.mark.parametrize(("order", "ended"), [("priority", [8, 27, 19]), ("arrival", [8, 16, 27])])
def test_who_is_answered_next_follows_the_stated_order(order: str, ended: list[int]) -> None:
    normal, urgent = (Asked(0, 1, "service", each) for each in (Priority.NORMAL, Priority.URGENT))
    waits = waits_of_all([(0, [normal]), (1, [normal]), (2, [urgent])])
    served = serve(waits, {"service": a_team([(ALWAYS, 1)], order)}, HORIZON * MINUTE)
    assert [end for _, end in in_minutes(served)] == ended


def test_a_team_without_an_agent_on_shift_answers_nobody_and_nothing_follows() -> None:
    question = Asked(0, 1, "service", Priority.NORMAL)
    waits = waits_of_all([(0, [question, question])])
    served = serve(waits, {"service": a_team([(daily((600, 700)), 1)])}, HORIZON * MINUTE)
    assert in_minutes(served) == [(0, None), (None, None)]


def test_no_waits_need_no_time() -> None:
    assert list(serve(Waits(), {"service": a_team([(ALWAYS, 1)])}, HORIZON * MINUTE).ended) == []
