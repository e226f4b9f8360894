"""Staffing files, and handling times measured from the log."""

from datetime import timedelta
from pathlib import Path

import pytest

from sla_engine.compile_staffing import check_measures, compile_side, wants_measures
from sla_engine.domain.acts import History
from sla_engine.domain.handling import Measured, WorkLog
from sla_engine.domain.queueing import NEVER, Served
from sla_engine.domain.team_queue import StaffedTeam
from sla_engine.domain.wait_figures import WaitFigures, figures_by_team
from sla_engine.domain.waits import Wait, Waited, Waits, microseconds, waits_of
from sla_engine.staffing_file import StaffingRefused, read_staffing
from tests.unit.sla_engine.case import Case, moment, office
from tests.unit.sla_engine.what_if_lives import stored
from ticket_contracts.commands import Actor
from ticket_contracts.vocabulary import ActorKind, Priority

MINUTE = 60_000_000  # microseconds
GOOD = """
order: arrival
supposed:
  service:
    handling: measured
    handling_by_priority: {urgent: 90s}
    shifts:
      - {agents: 2, calendar: office}
      - agents: 1
        hours: {zone: Asia/Shanghai, country: CN, week: {saturday: ["10:00-16:00"]}}
"""


def a_file(folder: Path, text: str) -> Path:
    file = folder / "staffing.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def test_a_file_becomes_teams_with_shifts_and_times(tmp_path: Path) -> None:
    file = read_staffing(a_file(tmp_path, GOOD))
    assert wants_measures(file.document)
    assert file.document.margin_days == 7
    measures = {"service": Measured(handling=5 * MINUTE, answers=30)}
    check_measures(file, measures)
    team: StaffedTeam = compile_side(file.document, "supposed", {"office": office()}, measures)["service"]
    assert (team.handling, team.by_priority, team.order) == (5 * MINUTE, {Priority.URGENT: 90_000_000}, "arrival")
    assert [shift.agents for shift in team.shifts] == [2, 1]
    saturday = microseconds(moment("sat 00:00"))
    hour = 60 * MINUTE
    assert team.on_shift(saturday, saturday + 24 * hour) == [(saturday + 2 * hour, 1), (saturday + 8 * hour, 0)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "write one document, beginning with `supposed:`"),
        ("a: [", "not readable as YAML"),
        (GOOD + "---\n" + GOOD, "write one document"),
        ("supposed: {}", "supposed: Dictionary should have at least 1 item"),
        (GOOD.replace("arrival", "chance"), "order: Input should be 'priority' or 'arrival'"),
        (GOOD.replace("agents: 2", "agents: 0"), "supposed.service.shifts.0.agents: Input should be greater than"),
        (GOOD.replace("agents: 2, ", ""), "supposed.service.shifts.0.agents: it is missing; add it"),
        (GOOD.replace("measured", "12"), "supposed.service.handling: give the unit too, such as 12m"),
        (GOOD.replace("measured", "12 minutes"), "supposed.service.handling: String should match"),
        (GOOD.replace("measured", "0m"), "supposed.service.handling: 0m is no time of work on one answer"),
        (GOOD.replace("90s", "169h"), "supposed.service.handling_by_priority.urgent: 169h is no time of work"),
        (GOOD.replace(", calendar: office", ""), "supposed.service.shifts.0: give either calendar"),
        (GOOD.replace("10:00-16", "10:00-26"), "supposed.service.shifts.1.hours.week.saturday: 10:00-26:00 is not"),
        (GOOD.replace("Asia/Shanghai", "Nowhere"), "supposed.service.shifts.1.hours.zone: 'Nowhere' is no time zone"),
        (GOOD.replace("order:", "margin:"), "margin: there is no such field; correct its name or remove it"),
        (GOOD + "idle: 0s", "idle: 0s is no time of work"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_file_is_named_with_its_field_and_the_fix(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(StaffingRefused) as refused:
        read_staffing(a_file(tmp_path, text))
    assert f"staffing.yaml: {words}" in str(refused.value)


@pytest.mark.parametrize("measures", [{}, {"service": Measured(MINUTE, 29)}, {"experts": Measured(MINUTE, 99)}])
def test_a_team_with_too_few_answers_is_told_what_to_write_instead(
    tmp_path: Path, measures: dict[str, Measured]
) -> None:
    with pytest.raises(
        StaffingRefused, match=r"supposed\.service\.handling: .* answers .* write the time, such as 12m"
    ):
        check_measures(read_staffing(a_file(tmp_path, GOOD)), measures)


ANNA, BO = (Actor(kind=ActorKind.AGENT, id=name) for name in ("anna", "bo"))


def a_ticket(asked: str, *acts: tuple[str, Actor, str]) -> History:
    """Return a ticket asked at a time of Monday, with notes and replies."""
    case = Case()
    case.receive(moment(f"mon {asked}"))
    for at, actor, kind in acts:
        if kind == "reply":
            case.reply(moment(f"mon {at}"), actor=actor)
        else:
            case.set_priority(Priority.HIGH, moment(f"mon {at}"))
    return stored(case.facts)


def test_an_answer_takes_from_the_agent_s_last_act_elsewhere_or_from_the_question() -> None:
    log = WorkLog()
    for history in (
        a_ticket("09:00", ("10:00", ANNA, "reply")),
        a_ticket("09:00", ("10:12", ANNA, "reply"), ("10:13", ANNA, "reply")),  # 12 minutes; the second answers nobody
        a_ticket("10:15", ("10:20", ANNA, "reply")),  # 5: the question came later than the last act
        a_ticket("09:00", ("10:20", ANNA, "reply")),  # at the same moment: nothing to measure
        a_ticket("09:00", ("11:30", ANNA, "reply")),  # after a break
        a_ticket("09:00", ("10:01", BO, "reply")),  # his first
        a_ticket("09:00", ("10:05", BO, "reply")),  # 4
    ):
        log.add(history, waits_of(history))
    assert log.measure(idle=30 * MINUTE) == {"service": Measured(5 * MINUTE, 3)}
    assert log.measure(idle=2 * MINUTE) == {}


def test_of_waits_without_an_answer_the_figures_do_not_look_better() -> None:
    waits = Waits()
    at = moment("mon 10:00")
    for number in range(10):
        waits.add(Waited([Wait(1, at, at + timedelta(minutes=number + 1), "service", None)], goes_on=False))
    begun, lengths = list(waits.since), [60 * 1_000_000 * (number + 1) for number in range(10)]
    ended = [start + length for start, length in zip(begun, lengths, strict=True)]
    assert figures_by_team(waits, Served(begun, ended)) == {"service": WaitFigures(10, 0, 5 * 60, 9 * 60)}
    late = [NEVER if number in (0, 4) else end for number, end in enumerate(ended)]
    assert figures_by_team(waits, Served(begun, late)) == {"service": WaitFigures(10, 2, 7 * 60, None)}


def test_tickets_that_only_fill_the_queue_are_not_counted() -> None:
    waits = Waits()
    at = moment("mon 10:00")
    for number, counted in enumerate([False, True, True, False]):
        ended = [Wait(1, at, at + timedelta(minutes=1), f"team {number}", None)] * number
        waits.add(Waited(ended, goes_on=True), counted=counted)
    assert list(waits.each_counted_ticket()) == [range(1), range(1, 3)]
    assert (waits.counted, waits.still_open, len(waits)) == (range(3), 2, 6)
