"""What people configure, import or send may be refused or cut short; it never stops the partition of a ticket."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from sla_engine.compile_automation import compile_automation
from sla_engine.compile_policies import Earlier, compile_calendars, compile_configuration, held_policy
from sla_engine.compose_alerts import compose_alert
from sla_engine.domain.people import Agent, Group, People, Team
from sla_engine.domain.policies import Policies
from sla_engine.domain.request import Rejected
from sla_engine.domain.steps import Recipient
from sla_engine.domain.what_if import replay
from sla_engine.publish_facts import Cause
from tests.unit.sla_engine.case import (
    AGENT,
    CUSTOMER_ID,
    TICKET_ID,
    Case,
    Decision,
    a_message,
    a_policy,
    kinds,
    moment,
    office,
    policies_of,
)
from tests.unit.sla_engine.escalation_case import HOUR, a_step, with_steps
from ticket_contracts.commands import ReceiveMessage, Routing
from ticket_contracts.messages import Party
from ticket_contracts.topics import COMMANDS, MAX_EVENT_BYTES
from ticket_contracts.upkeep import ImportTicket, Recalculate
from ticket_contracts.vocabulary import Channel, ClockStatus, IdentityKind, Metric, Priority, Status
from ticket_store.configuration import Configuration, Versioned
from ticket_store.documents import Calendar, Document, Policy
from ticket_store.workflow_documents import Automation
from ticket_stream.processing import NewEvent, Partition

TEN = moment("mon 10:00")
OFFICE = Calendar.model_validate({"name": "office", "week": {"monday": ["09:00-17:00"]}})
ENDLESS = "9" * 15
KEPT = Policy.model_validate(
    {
        "name": "standard",
        "order": 1,
        "calendar": "office",
        "targets": {"resolution": {"normal": "8h", "urgent": "6h"}},
        "on_reopen": "continue",
    }
)


def configured(*documents: Document) -> Configuration:
    return Configuration(1, {(each.kind, each.name): Versioned(each, 1) for each in documents})


def alert_of(case: Case, decision: Decision) -> NewEvent:
    assert isinstance(decision, list), decision
    event = compose_alert(decision, Cause(Partition(COMMANDS.name, 0)), case.policies)
    assert event is not None
    return event


def test_a_target_or_step_longer_than_anybody_waits_is_left_out() -> None:
    step = {"name": "late", "metric": "resolution", "at": f"breach+{ENDLESS}h", "raise_priority": True}
    targets = {"resolution": {"normal": f"{ENDLESS}h", "high": "4h"}}
    policy = Policy.model_validate(
        {"name": "p", "order": 1, "calendar": "office", "targets": targets, "escalations": [step]}
    )
    [compiled] = compile_configuration(configured(OFFICE, policy)).in_force

    assert (compiled.targets, compiled.steps) == ({Metric.RESOLUTION: {Priority.HIGH: 4 * 3600}}, ())


@pytest.mark.parametrize(
    "after",
    [
        {"duration": f"{ENDLESS}h"},
        {"duration": f"{ENDLESS}bd", "calendar": "office"},
        {"duration": "80000000h"},  # a date of the year 11000
        {"duration": f"{'9' * 5000}s"},
    ],
)
def test_a_rule_that_waits_longer_than_anybody_lives_is_left_out(after: dict[str, str]) -> None:
    rule = {"name": "a", "order": 1, "then": {"note": "x"}, "after": {"status": "new", **after}}

    assert compile_automation(configured(Automation.model_validate(rule)), {"office": office()}).rules == ()


def test_a_calendar_edited_to_hardly_open_moves_a_running_clock_as_far_as_calendars_are_searched() -> None:
    wide = a_policy(targets={Metric.RESOLUTION: {Priority.NORMAL: 3000 * 3600}}, steps=())
    case = Case(policies_of(wide))
    case.receive(TEN)
    narrow = office(week=(((540, 600),), *[()] * 6))  # an hour a week
    case.policies = policies_of(wide, calendars=(narrow,))
    edited = Recalculate(ticket_id=TICKET_ID, actor=AGENT, run_id="r", calendars=("office",))

    assert kinds(case.ask(edited, moment("mon 12:00"))) == ["clock-recalculated"]
    assert case.resolution.due_at is not None
    assert case.resolution.due_at > TEN + timedelta(days=9 * 365)
    case.set_status(Status.PENDING, moment("mon 13:00"))
    assert "clock-resumed" in kinds(case.set_status(Status.OPEN, moment("mon 14:00")))


def imported(opened_at: Any, **content: Any) -> tuple[Case, Decision]:
    case = Case(with_steps(a_step(notify=(Recipient("assignee"),))))
    known = {"ticket_id": TICKET_ID, "actor": AGENT, "origin": "old", "external_id": "1", "brand": "acme"}
    contact = Party(kind=IdentityKind.EMAIL, value="wang@customer.example")
    known |= {"channel": Channel.EMAIL, "contact_id": CUSTOMER_ID, "contact": contact, "team": "service"}
    command = ImportTicket.model_validate({**known, "priority": "normal", "opened_at": opened_at, **content})
    return case, case.ask(command, TEN)


@pytest.mark.parametrize("at", ["9999-12-31T23:00:00-14:00", "0001-01-01T00:00:00+14:00", "2030-01-01T00:00:00Z"])
def test_imported_history_of_no_past_is_refused_by_its_field(at: str) -> None:
    _, opening = imported(at)
    _, step = imported(moment("mon 09:00"), steps=[{"at": at, "actor": "li"}])

    assert isinstance(opening, Rejected)
    assert opening.reason.startswith("opened_at: ")
    assert isinstance(step, Rejected)
    assert step.reason.startswith("steps.0.at: ")


@pytest.mark.parametrize("assignee", ["", "x" * 300])
def test_an_imported_assignee_whom_no_address_fits_does_not_hold_up_the_breach(assignee: str) -> None:
    case, _ = imported(moment("mon 09:30"), assignee=assignee)

    assert alert_of(case, case.pass_time(moment("mon 12:00"))).type == "firebreak.alert.sla-breached.v1"


@pytest.mark.parametrize("at", ["9999-12-31T23:00:00-14:00", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00"])
@pytest.mark.parametrize("trusted", [False, True])
def test_a_message_that_claims_a_time_out_of_all_calendars_counts_from_when_it_was_appended(
    at: str, *, trusted: bool
) -> None:
    case = Case()
    message = a_message(datetime.fromisoformat(at), sent_at=datetime.fromisoformat(at), time_trusted=trusted)
    routing = Routing(team="service", priority=Priority.NORMAL)
    case.ask(
        ReceiveMessage(ticket_id=TICKET_ID, actor=AGENT, message=message, contact_id=CUSTOMER_ID, routing=routing), TEN
    )

    assert case.clock().started_at == TEN


@pytest.mark.parametrize(("steps", "people", "groups"), [(50, 100, 30), (50, 10, 1), (3, 100, 1)])
def test_long_names_of_many_steps_people_and_groups_fit_into_every_event(steps: int, people: int, groups: int) -> None:
    names = [f"{number:03}{'名' * 97}" for number in range(people)]
    everybody = People(
        agents={name: Agent("名" * 100, f"{name[:3]}{'邮' * 97}") for name in names},
        teams={"service": Team("团" * 100)},
        groups={f"{number:03}{'组' * 97}": Group(members=tuple(names)) for number in range(groups)},
    )
    told = tuple(Recipient("group", name) for name in everybody.groups)
    taken = tuple(a_step(f"{number:03}{'步' * 97}", notify=told) for number in range(steps))
    case = Case(policies_of(a_policy(name="策" * 100, targets=HOUR, steps=taken), people=everybody))
    case.receive(TEN)
    facts = case.pass_time(moment("mon 12:00"))

    assert kinds(facts).count("escalated") == steps
    assert max(len(fact.encode()) for fact in facts) < MAX_EVENT_BYTES
    assert len(alert_of(case, facts).data) < MAX_EVENT_BYTES


def test_a_breach_that_comes_again_after_it_was_withdrawn_is_an_alert_of_its_own_id() -> None:
    case = Case(policies_of(a_policy(targets={Metric.RESOLUTION: {Priority.NORMAL: 3600}})))
    case.receive(TEN)
    first = alert_of(case, case.pass_time(moment("mon 11:30")))
    withdrawn = alert_of(case, case.set_status(Status.PENDING, moment("mon 10:50")))
    case.receive(moment("mon 12:00"), 2)
    again = alert_of(case, case.pass_time(moment("tue 12:00")))

    assert first.type == again.type
    assert len({first.id, withdrawn.id, again.id}) == 3


def test_the_clocks_of_a_calendar_that_cannot_be_used_any_more_go_on_and_are_late_when_they_were_due() -> None:
    promised = {Metric.RESOLUTION: dict.fromkeys(Priority, 8 * 3600)}
    case = Case(
        policies_of(a_policy(targets=promised, steps=(a_step(metric=Metric.RESOLUTION),), on_reopen="continue"))
    )
    case.receive(TEN)
    due_at = case.resolution.due_at
    gone = held_policy(KEPT, 3, {})
    case.policies = Policies(past={("standard", 3): gone}, unusable_calendars={"office": "no such zone"})

    case.set_status(Status.PENDING, moment("mon 11:00"))
    case.set_status(Status.OPEN, moment("mon 11:30"))
    case.set_priority(Priority.URGENT, moment("mon 12:00"))
    recalculated = Recalculate(ticket_id=TICKET_ID, actor=AGENT, run_id="r", calendars=("office",))
    case.ask(recalculated, moment("mon 12:30"))
    running = case.resolution
    assert running.due_at is not None
    assert due_at is not None
    assert (running.status, running.due_at <= due_at) == (ClockStatus.RUNNING, True)
    late = case.pass_time(moment("wed 12:00"))
    assert "clock-breached" in kinds(late)
    assert alert_of(case, late).type == "firebreak.alert.sla-breached.v1"
    for status in (Status.SOLVED, Status.OPEN, Status.SOLVED):
        assert isinstance(case.set_status(status, moment("wed 13:00")), list)
    assert case.resolution.status is ClockStatus.BREACHED


def test_a_new_ticket_of_a_calendar_that_never_could_be_used_has_no_clock_and_says_why() -> None:
    unusable = OFFICE.model_copy(update={"zone": "Mars/Olympus"})
    case = Case(compile_configuration(configured(unusable, KEPT)))
    case.receive(TEN)

    assert case.ticket.clocks == ()
    assert "names calendar office, which cannot be used" in case.ticket.no_clock_reason


def test_a_calendar_that_cannot_be_used_is_replaced_by_its_last_version_that_can() -> None:
    broken = OFFICE.model_copy(update={"zone": "Mars/Olympus"})
    known, _ = compile_calendars([OFFICE])
    case = Case(compile_configuration(configured(broken, KEPT), Earlier(calendars=known)))
    case.receive(TEN)

    assert case.resolution.due_at == moment("mon 10:00", week=1)
    assert "Mars/Olympus" in case.policies.unusable_calendars["office"]


def test_a_calendar_that_is_closed_for_years_stops_no_partition() -> None:
    mondays = tuple((TEN + timedelta(weeks=week)).date() for week in range(-60, 2000))
    shut = OFFICE.model_copy(update={"closed": mondays})
    steps = [{"name": "late", "metric": "resolution", "at": "warning:50", "notify": [{"to": "assignee"}]}]
    policy = Policy.model_validate({**KEPT.model_dump(mode="json"), "warnings": [50], "escalations": steps})
    case = Case(compile_configuration(configured(shut, policy)))
    case.receive(TEN)
    assert case.resolution.due_at is not None
    assert case.resolution.due_at > TEN + timedelta(days=9 * 365)
    case.set_status(Status.PENDING, moment("mon 11:00"))
    case.set_status(Status.OPEN, moment("mon 12:00"))
    case.policies = compile_configuration(configured(OFFICE, policy))
    mended = Recalculate(ticket_id=TICKET_ID, actor=AGENT, run_id="r", calendars=("office",))
    case.ask(mended, moment("mon 12:00"))
    assert case.resolution.due_at == moment("mon 12:00", week=1)
    assert replay(case.facts, case.policies, TEN).clocks
