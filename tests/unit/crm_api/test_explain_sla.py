"""Rules 35, 40, 46 and 47: what a ticket's clocks did, why, and who held the ticket meanwhile; in both languages."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings

from crm_api.absent_clocks import absent_clocks, why_absent
from crm_api.cause_words import tell_event
from crm_api.explain_sla import Teller, clock_histories, holders_of
from crm_api.read_history import TicketState
from crm_api.sla_words import Language
from crm_api.who_held import shares, takes_over
from tests.unit.crm_api.told_case import ToldCase, a_calendar, happened
from tests.unit.sla_engine.case import AGENT, TICKET_ID, Case, a_policy, moment, policies_of
from tests.unit.sla_engine.test_sla_rule_49_replay import START, Script, live, steps
from ticket_contracts.commands import Assign
from ticket_contracts.messages import CallRecord
from ticket_contracts.tickets import ClockState, MessageAdded
from ticket_contracts.vocabulary import Channel, Metric, Priority, Status
from ticket_store.documents import Policy

LANGUAGES: tuple[Language, ...] = ("en", "zh")


def assign(case: Case, team: str, assignee: str | None, at: str) -> None:
    case.ask(Assign(ticket_id=TICKET_ID, actor=AGENT, team=team, assignee=assignee), moment(at))


def a_handed_ticket() -> ToldCase:
    """Fri 16:00 to the queue of service, Fri 16:30 to Li Wei, pending Mon 10:00 to 12:00, experts from Mon 13:00."""
    case = ToldCase()
    case.receive(moment("fri 16:00"))
    assign(case, "service", "li.wei", "fri 16:30")
    case.set_status(Status.PENDING, moment("mon 10:00", week=1))
    case.set_status(Status.OPEN, moment("mon 12:00", week=1))
    case.ask(Assign(ticket_id=TICKET_ID, actor=AGENT, team="experts"), moment("mon 13:00", week=1))
    return case


def test_rule_46_each_holder_has_the_time_it_held_by_the_wall_and_as_counted() -> None:
    view = a_handed_ticket().view(moment("mon 14:00", week=1), metric=Metric.RESOLUTION)
    weekend = 64 * 3600 + 1800  # from Friday 16:30 to Monday 09:00
    assert [(each.team, each.assignee, each.wall_seconds, each.business_seconds) for each in view.held] == [
        ("service", None, 1800, 1800),
        ("service", "li.wei", weekend + 4 * 3600, 1800 + 3600 + 3600),
        ("experts", None, 3600, 3600),
    ]
    assert [each.until is None for each in view.held] == [False, False, True]
    assert view.used_seconds == sum(each.business_seconds or 0 for each in view.held) == 4 * 3600
    assert view.held[1].words == "service/li.wei: 68:30:00, of which 2:30:00 counted."
    assert a_handed_ticket().view(moment("mon 14:00", week=1), "zh", Metric.RESOLUTION).held[0].words == (
        "service（队列）：持有 0:30:00，其中计入 0:30:00。"
    )


def test_rule_46_a_clock_s_story_names_what_moved_it_and_how_it_stands() -> None:
    case = a_handed_ticket()
    case.pass_time(moment("mon 09:00", week=1))
    told = case.view(moment("mon 14:00", week=1), metric=Metric.RESOLUTION)
    assert [(step.transition, step.event and step.event.words) for step in told.story] == [
        ("started", "a message of the customer"),
        ("paused", "status new → pending, by Li Wei"),
        ("resumed", "status pending → open, by Li Wei"),
    ]
    assert told.story[1].words == (
        "The resolution clock paused after 2:00:00 of 8:00:00. Cause: status new → pending, by Li Wei."
    )
    assert told.words == "Running: 4:00:00 of 8:00:00 used, due 2026-01-13 10:00:00 UTC."
    chinese = case.view(moment("mon 14:00", week=1), "zh", Metric.RESOLUTION)
    assert chinese.story[1].words == ("解决计时暂停，已用 2:00:00，目标 8:00:00。原因：Li Wei将状态由新建改为待客户。")
    assert chinese.words == "计时中：已用 4:00:00，目标 8:00:00，截止 2026-01-13 10:00:00 UTC。"


def test_rule_46_an_answer_names_the_agent_and_a_breach_nobody() -> None:
    case = ToldCase()
    case.receive(moment("mon 10:00"))
    case.pass_time(moment("mon 11:00"))
    case.reply(moment("mon 11:30"))
    told = case.view(moment("mon 12:00"))
    last = told.story[-1]
    assert last.event is not None
    assert (last.transition, last.event.words, last.event.actor) == ("stopped", "a reply by Li Wei", AGENT)
    assert [step.event for step in told.story if step.transition in ("warned", "breached")] == [None] * 4
    assert told.words == (
        "Missed: it was due 2026-01-05 11:00:00 UTC, ended 2026-01-05 11:30:00 UTC, 0:30:00 of business time late."
    )


def test_times_are_told_in_the_zone_of_the_calendar() -> None:
    case = ToldCase(policies_of(a_policy(), calendars=(a_calendar(),)))
    case.receive(moment("mon 02:00"))
    assert "due 2026-01-05 11:00:00+08:00" in case.view(moment("mon 02:30")).words


def test_rule_46_without_the_calendar_wall_time_is_told_and_business_time_is_not_invented() -> None:
    case = a_handed_ticket()
    case.policies = replace(case.policies, calendars={})
    [*_, last] = case.view(moment("mon 14:00", week=1), metric=Metric.RESOLUTION).held
    assert (last.wall_seconds, last.business_seconds) == (3600, None)
    assert "cannot be used" in last.words


@settings(max_examples=30)
@given(steps)
def test_rule_46_what_the_holders_had_adds_up_to_the_time_used(script: Script) -> None:
    case = live(script)
    facts = [happened(fact, "") for fact in case.facts]
    now = START + timedelta(days=90)
    clocks = clock_histories(facts)
    for (metric, cycle), history in clocks.items():
        last = history.turns[-1].clock
        calendar = case.policies.calendars[last.calendar]
        before = clocks[metric, cycle - 1].turns[-1].clock if cycle > 1 else None
        held = shares(history.turns, holders_of(facts), calendar, now, before)
        used = time_used(last)
        if last.counted_from is not None:
            used += calendar.between(last.counted_from, now)
        if before is not None and takes_over(before, history.turns[0]):
            used -= time_used(before)
        assert sum((each.business or timedelta() for each in held), timedelta()) == used
        assert all(one.span.end == other.span.start for one, other in pairwise(held))


def test_rule_46_of_a_breach_that_was_withdrawn_the_holder_had_what_was_really_used() -> None:
    case = ToldCase()
    case.receive(moment("mon 10:00"))
    case.pass_time(moment("mon 11:00"))
    case.reply(moment("mon 10:40"))
    told = case.view(moment("mon 12:00"))
    [held] = told.held
    assert (held.business_seconds, held.until) == (told.used_seconds, moment("mon 10:40")) == (2400, told.stopped_at)


def time_used(clock: ClockState) -> timedelta:
    return timedelta(seconds=clock.used_seconds, microseconds=clock.used_microseconds)


@pytest.mark.parametrize(("country", "due", "noted"), [("CN", 2099, True), ("CN", 2025, False), (None, 2099, False)])
def test_rule_40_a_due_time_past_the_known_holidays_says_so(country: str | None, due: int, noted: bool) -> None:
    case = ToldCase(policies_of(a_policy(), calendars=(a_calendar(country=country),)))
    case.receive(datetime(due, 6, 2, 2, 0, tzinfo=UTC))
    now = datetime(due, 6, 2, 2, 10, tzinfo=UTC)
    for language, words in zip(LANGUAGES, ("are known until 20", "只公布到 20"), strict=True):
        notes = case.view(now, language).notes
        assert [words in note for note in notes] == [True] * noted


POLICY = Policy.model_validate(
    {"name": "standard", "order": 1, "calendar": "office", "targets": {each: {"normal": "1h"} for each in Metric}}
)
WAITING = TicketState(
    now=moment("mon 10:00"),
    spam=False,
    status="open",
    priority="normal",
    first_customer_message_at="2026-01-05T09:00:00Z",
    answered_at=None,
    policy="standard",
    policy_version=1,
    previous_ticket_id=None,
)
FIRST, NEXT, UPDATE = Metric.FIRST_RESPONSE, Metric.NEXT_RESPONSE, Metric.UPDATE
ANSWERED = {"answered_at": "2026-01-05T09:30:00Z"}
UNUSABLE = "policy standard names calendar moon, which cannot be used: it does not exist"
NOTHING = "policy standard promises nothing for priority normal"


@pytest.mark.parametrize(
    ("metric", "changes", "noted", "reason"),
    [
        (FIRST, {"spam": True, "priority": None}, "", "spam"),
        (FIRST, {"first_customer_message_at": None, "policy": None}, "", "no-customer-message"),
        (UPDATE, {"priority": None, "policy": None}, "the ticket has no priority", "no-priority"),
        (UPDATE, {"policy": None}, "no policy matches this ticket", "no-policy"),
        (UPDATE, {"policy": None}, "the ticket has no priority", "no-policy"),
        (UPDATE, {"policy": None}, UNUSABLE, "no-calendar"),
        (UPDATE, {"policy": None}, NOTHING, "not-promised"),
        (UPDATE, {"policy": None, "priority": "low"}, NOTHING, "no-policy"),
        (UPDATE, {"priority": "low"}, "", "not-promised"),
        (NEXT, {}, "", "before-first-response"),
        (NEXT, {"first_customer_message_at": None}, "", "before-first-response"),
        (NEXT, {"first_customer_message_at": None, "policy": None}, "", "before-first-response"),
        (NEXT, ANSWERED, "", "nothing-unanswered"),
        (FIRST, ANSWERED, "", "answered-before"),
        (UPDATE, {"status": "solved"}, "", "ended"),
        (UPDATE, {}, "", "not-started"),
    ],
)
def test_rule_35_a_clock_that_is_not_there_says_why_in_both_languages(
    metric: Metric, changes: dict[str, Any], noted: str, reason: str
) -> None:
    state = replace(WAITING, **changes)
    assert why_absent(metric, state, POLICY, noted) == reason
    english, chinese = (
        {each.metric: each for each in absent_clocks(state, (), POLICY, noted, language)}[metric].words
        for language in LANGUAGES
    )
    assert english != chinese
    assert "{" not in english + chinese
    assert "None" not in english + chinese


def test_rule_35_of_a_follow_up_it_is_since_the_ticket_before_that_no_customer_has_written() -> None:
    state = replace(WAITING, first_customer_message_at=None, policy=None, previous_ticket_id=str(UUID(int=1)))
    english, chinese = (absent_clocks(state, (), POLICY, "", language)[0] for language in LANGUAGES)
    assert english.reason == chinese.reason == "no-customer-message"
    assert english.words.startswith("The customer has not written since the ticket before this one was closed")
    assert chinese.words.startswith("上一张工单关闭后客户尚未来信")


def test_rule_35_only_metrics_without_a_clock_are_absent() -> None:
    assert [each.metric for each in absent_clocks(WAITING, {FIRST, Metric.RESOLUTION}, POLICY, "", "en")] == [
        NEXT,
        UPDATE,
    ]


@pytest.mark.parametrize(
    ("changes", "english", "chinese"),
    [
        ({"public": False}, "a private note by Li Wei", "Li Wei的内部备注"),
        ({}, "the ticket was opened by Li Wei", "Li Wei创建了工单"),
        ({"answered": True}, "a call that was answered", "已接听的通话"),
        ({"answered": False}, "a missed call", "未接来电"),
    ],
)
def test_an_opening_by_an_agent_is_told_as_what_it_was(changes: dict[str, Any], english: str, chinese: str) -> None:
    case = ToldCase()
    answered = changes.pop("answered", None)
    if answered is not None:
        called_at = moment("mon 09:50")
        call = CallRecord(
            call_id="1", direction="inbound", answered=answered, caller="", callee="", started_at=called_at, seconds=0
        )
        changes |= {"public": False, "channel": Channel.PHONE, "call": call}
    case.open_by_agent(moment("mon 10:00"), **changes)
    [opened] = case.history()
    if english.startswith("a private note"):
        opened = replace(opened, type=MessageAdded.event_type)
    assert (tell_event(opened, "en"), tell_event(opened, "zh")) == (english, chinese)


def test_every_fact_of_a_life_has_words() -> None:
    case = a_handed_ticket()
    case.reply(moment("mon 14:10", week=1))
    case.set_priority(Priority.URGENT, moment("mon 14:20", week=1))
    told = {language: [tell_event(each, language) for each in case.history()] for language in LANGUAGES}
    assert "handed from service/li.wei to experts (queue) by Li Wei" in told["en"]
    assert "Li Wei将优先级由普通改为紧急" in told["zh"]
    assert Teller(case.history(), {}, moment("mon 15:00", week=1), "en").view(
        (FIRST, 1), clock_histories(case.history())
    )
