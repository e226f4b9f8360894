"""The ServiceNow development log is imported by the engine's own rules, and compared with what that desk said."""

from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

import pytest

from ticket_contracts.vocabulary import ClockStatus, Priority, Status
from tools.servicenow_causes import (
    OTHER_READINGS,
    REOPENED,
    SIMPLE_RULES,
    TARGET,
    UNTIL_CLOSED,
    UNTIL_FIRST_CLOSED,
    UNTIL_FIRST_RESOLVED,
    UNTIL_RESOLVED,
    UNTOLD,
    WAIT,
    Judged,
    causes,
    contest,
    judge,
    late_by_waiting,
    own_rule,
    peculiar,
    unexplained,
    verdicts,
)
from tools.servicenow_fit import ALWAYS, Span, Terms, best_span, daily, desk_hours, fit, measure
from tools.servicenow_log import Incident, Reading, as_command, policies_of, read_incidents, resolution
from tools.servicenow_report import lines

LOG = Path(__file__).parents[4] / "shared" / "data" / "logs" / "servicenow_incidents_dev.csv.gz"
SOME = 400  # incidents; all 17,442 take minutes
HOUR = 3600
OFFICE = (9, 17)
NINE_TO_FIVE = daily("Mon-Fri 09-17", OFFICE)


def a_row(state: str, at: str, **changes: str) -> dict[str, str]:
    return {
        "number": "INC1",
        "incident_state": state,
        "made_sla": "true",
        "reopen_count": "0",
        "caller_id": "Caller 1",
        "opened_at": "29/2/2016 01:16",
        "sys_created_at": "?",
        "sys_updated_by": "Somebody",
        "sys_updated_at": at,
        "contact_type": "Phone",
        "subcategory": "?",
        "priority": "3 - Moderate",
        "assignment_group": "Group 1",
        **changes,
    }


AN_INCIDENT = Incident(
    "INC1",
    [
        a_row("New", "29/2/2016 01:20"),
        a_row("Active", "29/2/2016 02:00", assignment_group="Group 2"),
        a_row("Resolved", "29/2/2016 03:16", assignment_group="Group 2"),
        a_row("Closed", "5/3/2016 03:16", assignment_group="Group 2"),
    ],
)


def told(moment: datetime) -> str:
    return f"{moment.day}/{moment.month}/{moment:%Y %H:%M}"


def an_incident(opened: datetime, *rows: tuple[str, float], made: bool = True, **changes: str) -> Incident:
    """Rows are states and hours after the opening; the flag of a missed incident turns in the first Closed row."""
    told_rows, flag = [], "true"
    for state, hours in rows:
        flag = "false" if state == "Closed" and not made else flag
        at = told(opened + timedelta(hours=hours))
        told_rows.append(a_row(state, at, **{"opened_at": told(opened), "made_sla": flag, **changes}))
    return Incident(f"INC{opened:%m%d%H%M}", told_rows)


MONDAY, THURSDAY = datetime(2016, 3, 7, 10, tzinfo=UTC), datetime(2016, 3, 10, 10, tzinfo=UTC)


def terms_of(met: float, missed: float | None, always: bool = False) -> dict[Priority, Terms]:
    span = Span(int(met * HOUR), int(missed * HOUR) if missed is not None else None, 0)
    return {Priority.NORMAL: Terms(ALWAYS if always else NINE_TO_FIVE, span)}


def judged(incident: Incident, own: dict[Priority, Terms], simple: dict[Priority, Terms], rule: int) -> list[str]:
    """Why an incident differs under one of the simple rules."""
    its_own = own_rule(OFFICE)
    return [
        why
        for _, why in causes(
            Judged(SIMPLE_RULES[rule], simple, verdicts([incident], SIMPLE_RULES[rule].reading, simple)),
            Judged(its_own, own, verdicts([incident], its_own.reading, own)),
        )
    ]


def test_states_and_reassignments_become_steps_at_their_times() -> None:
    steps = as_command(AN_INCIDENT, UNTIL_RESOLVED).steps
    assert [(step.status, step.team) for step in steps] == [
        (Status.OPEN, "Group 2"),
        (Status.SOLVED, None),
        (Status.CLOSED, None),
    ]


@pytest.mark.parametrize(
    ("hours", "reading", "status"),
    [
        (3, UNTIL_RESOLVED, ClockStatus.MET),
        (1, UNTIL_RESOLVED, ClockStatus.BREACHED),
        (3, UNTIL_CLOSED, ClockStatus.BREACHED),
    ],
    ids=lambda value: getattr(value, "name", str(value)),
)
def test_the_resolution_clock_ends_where_the_reading_says(hours: int, reading: Reading, status: ClockStatus) -> None:
    policies = policies_of({Priority.NORMAL: (hours * HOUR, ALWAYS)}, reading)
    assert resolution(AN_INCIDENT, reading, policies).status is status


@pytest.mark.parametrize(("priority", "policy"), [("3 - Moderate", "normal"), ("2 - High", "high")])
def test_each_priority_is_imported_under_a_policy_of_its_own(priority: str, policy: str) -> None:
    incident = Incident("INC1", [{**row, "priority": priority} for row in AN_INCIDENT.rows])
    terms = {Priority.NORMAL: (HOUR, NINE_TO_FIVE), Priority.HIGH: (2 * HOUR, ALWAYS)}
    clock = resolution(incident, UNTIL_CLOSED, policies_of(terms, UNTIL_CLOSED))
    assert (clock.policy, clock.calendar) == (policy, terms[Priority(policy)][1].name)


def test_the_row_in_which_the_flag_turns_is_found() -> None:
    assert AN_INCIDENT.turned_late_in is None
    assert an_incident(MONDAY, ("New", 0), ("Resolved", 1), ("Closed", 9), made=False).turned_late_in == "Closed"


@pytest.mark.parametrize(
    ("times", "span"),
    [
        ([(2, True), (4, True), (8, False), (6, True)], Span(6, 8, 0)),
        ([(2, True), (4, False), (5, True), (6, False), (7, False)], Span(2, 4, 1)),
        ([(3, False), (5, False)], Span(None, 3, 0)),
        ([(3, True), (5, True)], Span(5, None, 0)),
        ([(3, True), (3, False), (4, False)], Span(None, 3, 1)),
    ],
    ids=["apart", "one that fits nothing", "all missed", "all met", "one time both met and missed"],
)
def test_the_targets_that_fit_lie_between_the_longest_met_and_the_shortest_missed(
    times: list[tuple[int, bool]], span: Span
) -> None:
    assert best_span(times) == span


def test_the_middle_is_the_target_and_what_ran_between_the_ends_may_be_either() -> None:
    span = Span(6 * HOUR, 10 * HOUR, 0)
    assert span.target == 8 * HOUR
    assert [span.leaves_open(hours * HOUR) for hours in (6, 7, 9, 10)] == [False, True, True, False]


def desk_of_forty_hours() -> list[Incident]:
    """Incidents of a desk that keeps 40 hours from nine to five, closed at every hour around the time when due."""
    incidents = []
    for opened in (datetime(2016, 3, 7, tzinfo=UTC) + timedelta(hours=7 * step) for step in range(24)):
        for after in range(100, 230, 7):
            made = office_hours(opened, after) <= 40
            incidents.append(an_incident(opened, ("New", 0), ("Resolved", 1), ("Closed", after), made=made))
    return incidents


def office_hours(start: datetime, hours: int) -> int:
    return sum(
        tick.weekday() < 5 and 9 <= tick.hour < 17 for tick in (start + timedelta(hours=n) for n in range(hours))
    )


def test_the_shortest_hours_that_tell_met_from_missed_are_found() -> None:
    runs = measure(desk_of_forty_hours(), UNTIL_FIRST_CLOSED)
    assert desk_hours(runs)[0] == OFFICE
    terms = fit(runs, NINE_TO_FIVE)[Priority.NORMAL]
    assert terms.calendar is NINE_TO_FIVE
    assert (terms.span.disagreeing, terms.span.met) == (0, 40 * HOUR)


def test_hours_are_left_out_where_an_open_calendar_fits_as_well() -> None:
    incidents = [
        an_incident(MONDAY + timedelta(minutes=hours), ("New", 0), ("Closed", hours), made=hours < 5)
        for hours in (2, 4, 6)
    ]
    assert fit(measure(incidents, UNTIL_FIRST_CLOSED), NINE_TO_FIVE)[Priority.NORMAL].calendar is ALWAYS


RESOLVED_SOON = (("New", 0), ("Resolved", 2))
OWN = terms_of(20, 21)  # in office hours: due on Wednesday at 14:30, from Thursday on Monday


@pytest.mark.parametrize(
    ("incident", "rule", "simple_target", "why"),
    [
        (an_incident(MONDAY, *RESOLVED_SOON, ("Closed", 120), made=False), 0, 100, [WAIT]),
        (
            an_incident(MONDAY, ("New", 0), ("Closed", 90), ("Active", 91), ("Closed", 92), made=False),
            1,
            80,
            [REOPENED],
        ),
        (
            an_incident(THURSDAY, *RESOLVED_SOON, ("Closed", 96)),
            1,
            60,
            ["runs Mon-Fri 09-17 only; weekends before it is due: 1"],
        ),
        (
            an_incident(MONDAY, *RESOLVED_SOON, ("Closed", 47)),
            1,
            40,
            ["runs Mon-Fri 09-17 only; weekends before it is due: 0"],
        ),
        (an_incident(MONDAY, *RESOLVED_SOON, ("Closed", 120)), 1, 60, [UNTOLD]),
        (an_incident(MONDAY, *RESOLVED_SOON, ("Closed", 47)), 1, 60, []),
    ],
    ids=["waited for closing", "opened again", "over a weekend", "overnight", "unexplained", "agrees"],
)
def test_a_difference_is_explained_by_what_its_own_rows_change(
    incident: Incident, rule: int, simple_target: int, why: list[str]
) -> None:
    simple = terms_of(simple_target - 1, simple_target + 1, always=True)
    assert judged(incident, OWN, simple, rule) == why


def test_two_targets_on_one_calendar_are_told_as_such() -> None:
    incident = an_incident(MONDAY, *RESOLVED_SOON, ("Closed", 47))
    assert judged(incident, terms_of(60, 61, always=True), terms_of(40, 41, always=True), 1) == [TARGET]


@pytest.mark.parametrize(
    ("closed", "why"),
    [
        ([("Closed", 26)], "the target is not known nearer: met up to 8.00 h, missed from 20.00 h"),
        ([("Closed", 72)], UNTOLD),
        ([], "the log does not tell its end"),
    ],
    ids=["between the ends", "beyond", "without end"],
)
def test_what_the_own_rule_leaves_open_is_said(closed: list[tuple[str, float]], why: str) -> None:
    incident = an_incident(MONDAY, *RESOLVED_SOON, *closed)
    (own,) = verdicts([incident], UNTIL_FIRST_CLOSED, terms_of(8, 20))
    assert unexplained(own) == why


@pytest.mark.parametrize(
    ("rows", "late"),
    [
        ([("New", 0), ("Resolved", 1), ("Resolved", 2), ("Closed", 72)], True),
        ([("New", 0), ("Resolved", 70), ("Closed", 72)], False),
        ([("New", 0), ("Closed", 72)], False),
        ([("New", 0), ("Resolved", 1)], False),
    ],
    ids=["waited", "worked", "never resolved", "never closed"],
)
def test_waiting_alone_makes_late_from_the_first_row_of_the_last_resolving(
    rows: list[tuple[str, float]], late: bool
) -> None:
    (own,) = verdicts([an_incident(MONDAY, *rows, made=False)], UNTIL_FIRST_CLOSED, terms_of(20, 23))
    assert late_by_waiting(own) is late


def reading(name: str) -> Reading:
    (found,) = (each for each in OTHER_READINGS if each.name == name)
    return found


@pytest.mark.parametrize(
    ("name", "incident"),
    [
        ("until the first Resolved", an_incident(MONDAY, *RESOLVED_SOON, ("Closed", 50))),
        ("until the last Closed row (closed_at)", an_incident(MONDAY, ("New", 0), ("Closed", 3), ("Closed", 50))),
        ("anew when opened again after Closed", an_incident(MONDAY, ("Closed", 50), ("Active", 51), ("Closed", 52))),
        ("from sys_created_at", an_incident(MONDAY, ("New", 48), ("Closed", 50), sys_created_at="9/3/2016 10:00")),
        (
            "with the Awaiting states as pauses",
            an_incident(MONDAY, ("New", 0), ("Awaiting Vendor", 1), ("Active", 49), ("Closed", 50)),
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_another_reading_judges_otherwise_what_its_rows_let_it(name: str, incident: Incident) -> None:
    ours = verdicts([incident, an_incident(THURSDAY, ("New", 0), ("Closed", 1))], UNTIL_FIRST_CLOSED, terms_of(8, 9))
    found = contest(ours, reading(name), terms_of(8, 9))
    assert [*found.with_it, *found.with_us] == [incident]


def test_the_first_priority_has_another_target_than_the_last() -> None:
    normal, high = terms_of(30, 31)[Priority.NORMAL], terms_of(8, 9)[Priority.NORMAL]
    rows = an_incident(MONDAY, ("New", 0), ("Closed", 50)).rows
    incident = Incident("INC1", [rows[0], {**rows[1], "priority": "2 - High"}])
    terms = {Priority.NORMAL: normal, Priority.HIGH: high}
    ours = verdicts([incident], UNTIL_FIRST_CLOSED, terms)
    assert [verdict.met for verdict in ours] == [False]
    assert contest(ours, reading("with the target of the first priority"), terms).with_it == [incident]


def test_from_the_last_reopening_begins_in_the_row_that_counts_it() -> None:
    rows = [
        *an_incident(MONDAY, *RESOLVED_SOON).rows,
        *an_incident(MONDAY, ("Active", 48), ("Closed", 50), reopen_count="1").rows,
    ]
    ours = verdicts([Incident("INC1", rows)], UNTIL_FIRST_CLOSED, terms_of(8, 9))
    assert len(contest(ours, reading("from the last reopening"), terms_of(8, 9)).with_it) == 1


def test_a_reading_that_most_incidents_contradict_explains_none() -> None:
    met = an_incident(MONDAY, *RESOLVED_SOON, ("Closed", 50), resolved_by="One")
    missed = an_incident(THURSDAY, *RESOLVED_SOON, ("Closed", 120), made=False, resolved_by="Another")
    ours = verdicts([met, missed], UNTIL_FIRST_CLOSED, terms_of(8, 9))
    found = contest(ours, UNTIL_FIRST_RESOLVED, terms_of(8, 9))
    assert (found.with_it, found.with_us, found.refuted) == ([met], [missed], True)
    assert peculiar(found.with_it, found.with_us)["resolved_by"] == "One"
    assert "made_sla" not in peculiar(found.with_it, found.with_us)  # the outcome is no cause
    assert peculiar([], [missed]) == {}


ODD = an_incident(THURSDAY + timedelta(days=90), *RESOLVED_SOON, ("Closed", 400), subcategory="Odd")


@pytest.fixture(scope="module")
def report() -> list[str]:
    """Of a desk that keeps its hours, but for one incident."""
    return list(lines([*desk_of_forty_hours(), ODD]))


def test_the_report_tells_categories_with_an_example_each(report: list[str]) -> None:
    text = "\n".join(report)
    assert "100.00%  until first Closed, Mon-Fri 09-17" in text
    assert "runs Mon-Fri 09-17 only; weekends before it is due: 1" in text
    assert WAIT in text
    assert "met up to 40.00 h" in text


def test_the_report_says_what_was_ruled_out_for_an_incident_that_nothing_explains(report: list[str]) -> None:
    (place,) = (number for number, line in enumerate(report) if line.endswith("\n1 differ"))
    assert report[place + 1].startswith(f"  {ODD.number} met there, ran 103.0 of")
    assert report[place + 1].endswith(UNTOLD)
    told = {line[:45].strip(): line[45:].strip() for line in report[place + 2 : place + 2 + len(OTHER_READINGS)]}
    assert told.keys() == {each.name for each in OTHER_READINGS}
    assert told["until the first Resolved"].startswith("would agree: 1 on its side, ")
    assert told["from sys_created_at"] == "judges it alike"
    assert "have in common, and no other: " in report[-1]
    assert "subcategory Odd" in report[-1]


@pytest.mark.skipif(not LOG.is_file(), reason="the development log is not on this machine (../shared/data/logs)")
def test_the_log_is_imported_and_nearly_all_of_what_the_desk_said_is_reproduced() -> None:
    incidents = list(islice(read_incidents(LOG), SOME))
    fitted, others = incidents[0::2], incidents[1::2]
    hours = desk_hours(measure(fitted, UNTIL_FIRST_CLOSED))
    own = judge(own_rule(hours[0]), fitted, others)
    assert len(own.verdicts) == SOME // 2
    assert own.agreeing / (SOME // 2) > 0.98
    assert (14, 23) in hours
    assert any("until Closed" in line for line in lines(incidents[:20]))
