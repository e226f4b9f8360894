"""The line that `firebreak up` prints of an alert."""

from datetime import timedelta

from firebreak_cli.demo.alert_watch import alert_line
from tests.unit.sla_engine.case import moment
from tests.unit.sla_engine.escalation_case import a_case, a_step, two_hours_late
from tests.unit.sla_engine.test_sla_rule_29_one_alert import alert_of


def test_an_alert_is_one_line_that_names_all_it_tells() -> None:
    case = a_case(a_step("at breach"), two_hours_late(name="later"))
    breached = alert_of(case.pass_time(moment("mon 11:00")), case.policies)
    line = alert_line(breached, moment("mon 11:00") + timedelta(seconds=1)).plain
    told = ["first_response BREACHED", *(f"{percent} % of" for percent in (50, 75, 90)), "step “at breach”", "#1001"]
    assert [words for words in told if words in line] == told
    assert line.endswith("(1.00 s after it was due)")
    escalated = alert_of(case.pass_time(moment("mon 13:00")), case.policies)
    assert "escalated · step “later”" in alert_line(escalated, moment("mon 13:00")).plain
