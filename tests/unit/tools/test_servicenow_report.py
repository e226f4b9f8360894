"""The ServiceNow development log is imported by the engine's own rules, and compared with what that desk said."""

from itertools import islice
from pathlib import Path

import pytest

from ticket_contracts.vocabulary import ClockStatus, Metric, Priority, Status
from tools.servicenow_report import (
    UNTIL_CLOSED,
    UNTIL_RESOLVED,
    Ending,
    Incident,
    as_command,
    best_target,
    import_incident,
    judge,
    lines,
    measure,
    policies_of,
    read_incidents,
)

LOG = Path(__file__).parents[4] / "shared" / "data" / "logs" / "servicenow_incidents_dev.csv.gz"
SOME = 400  # incidents; all 17,442 take minutes


def a_row(state: str, at: str, **changes: str) -> dict[str, str]:
    return {
        "number": "INC1",
        "incident_state": state,
        "made_sla": "true",
        "reopen_count": "0",
        "caller_id": "Caller 1",
        "opened_at": "29/2/2016 01:16",
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


def test_states_and_reassignments_become_steps_at_their_times() -> None:
    steps = as_command(AN_INCIDENT, UNTIL_RESOLVED).steps
    assert [(step.status, step.team) for step in steps] == [
        (Status.OPEN, "Group 2"),
        (Status.SOLVED, None),
        (Status.CLOSED, None),
    ]


@pytest.mark.parametrize(
    ("hours", "ending", "status"),
    [
        (3, UNTIL_RESOLVED, ClockStatus.MET),
        (1, UNTIL_RESOLVED, ClockStatus.BREACHED),
        (3, UNTIL_CLOSED, ClockStatus.BREACHED),
    ],
    ids=str,
)
def test_the_resolution_clock_ends_where_the_ending_says(hours: int, ending: Ending, status: ClockStatus) -> None:
    ticket = import_incident(AN_INCIDENT, ending, policies_of({Priority.NORMAL: hours * 3600}))
    assert [clock.status for clock in ticket.of_metric(Metric.RESOLUTION)] == [status]


def resolved_after(hours: int, made: str) -> Incident:
    rows = [a_row("New", "29/2/2016 01:16"), a_row("Resolved", f"29/2/2016 {1 + hours:02}:16", made_sla=made)]
    return Incident("INC2", rows)


def test_the_target_that_fits_best_is_the_longest_time_that_was_still_met() -> None:
    incidents = [resolved_after(*each) for each in ((2, "true"), (4, "true"), (8, "false"), (6, "true"))]
    assert best_target(measure(incidents, UNTIL_RESOLVED)) == 6 * 3600 + 1


@pytest.mark.skipif(not LOG.is_file(), reason="the development log is not on this machine (../shared/data/logs)")
def test_the_log_is_imported_and_most_of_what_the_desk_said_is_reproduced() -> None:
    incidents = list(islice(read_incidents(LOG), SOME))
    results = judge(incidents, UNTIL_CLOSED)
    assert sum(each.judged for each in results.values()) == SOME // 2
    agreeing = sum(each.agreeing for each in results.values())
    assert agreeing + sum(each.others.total() for each in results.values()) == SOME // 2
    assert agreeing / (SOME // 2) > 0.9
    assert any(line.startswith("until Closed") for line in lines(incidents[:20]))
