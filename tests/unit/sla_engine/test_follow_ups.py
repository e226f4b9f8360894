"""Rule 23: an agent's follow-up of a closed ticket, whatever comes between its steps."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from sla_engine.domain.arrival import goes_to_successor
from sla_engine.domain.following_up import opening_of
from sla_engine.domain.ticket import Ticket
from sla_engine.domain.what_if import replay
from sla_engine.domain.workflow import FieldType, Workflow
from sla_engine.publish_facts import forwarded_command
from tests.unit.sla_engine.case import AGENT, CUSTOMER_ID, MACHINE, a_message, a_policy, policies_of
from tests.unit.sla_engine.test_exchanges import ONE, TWO, Desk, a_record, merge, results
from ticket_contracts.actions import ChangeTags, SetFields
from ticket_contracts.commands import Actor, Assign, ReceiveMessage, Routing, SetPriority, SetStatus
from ticket_contracts.exchanges import MOST_FOLLOW_UP_TEXT, FollowUp, UndoMerge, follow_up_id
from ticket_contracts.openings import NotedCall
from ticket_contracts.tickets import MessageEntry, SuccessorNamed, TicketOpened
from ticket_contracts.topics import MAX_EVENT_BYTES
from ticket_contracts.vocabulary import ActorKind, Channel, ClockStatus, Metric, Priority, Status
from ticket_stream.processing import NewEvent

FOLLOWING = follow_up_id(ONE)
SERIAL = Workflow(fields={"serial": FieldType("text")})
COLLEAGUE = Actor(kind=ActorKind.AGENT, id="mia")


def follow_up(ticket_id: UUID = ONE, **changes: Any) -> FollowUp:
    return FollowUp(ticket_id=ticket_id, actor=AGENT, **{"text": "It leaks again", "public": False, **changes})


def closed_desk() -> Desk:
    """A ticket that is closed, urgent, tagged and filled in."""
    desk = Desk(ONE, policies=replace(policies_of(a_policy()), workflow=SERIAL))
    asked: dict[str, Any] = {"ticket_id": ONE, "actor": AGENT}
    desk.ask(ChangeTags(add=("pump", "vip"), **asked))
    desk.ask(SetFields(fields={"serial": "P-7"}, **asked))
    desk.ask(SetPriority(priority=Priority.URGENT, **asked))
    desk.ask(SetStatus(status=Status.CLOSED, **asked))
    return desk


def forwarded(desk: Desk, number: int, priority: Priority = Priority.LOW) -> NewEvent:
    """What a customer's message for ONE becomes on its way to the follow-up."""
    command = ReceiveMessage(
        ticket_id=ONE,
        actor=MACHINE,
        message=a_message(desk.now, number),
        contact_id=CUSTOMER_ID,
        routing=Routing(team="triage", priority=priority, tags=("router",)),
    )
    return forwarded_command(command, FOLLOWING, a_record(command, f"message-{number}", desk.now))


def entries(desk: Desk) -> list[MessageEntry]:
    return desk.entries[FOLLOWING]


def test_rule_23_it_has_requester_tags_and_fields_of_the_closed_ticket_and_both_tell_of_each_other() -> None:
    desk = closed_desk()
    before = desk.tickets[ONE]
    assert desk.ask(follow_up(), "wish") == "applied"
    [named] = [fact for fact in desk.facts[ONE] if isinstance(fact, SuccessorNamed)]
    assert (named.successor_id, named.actor) == (FOLLOWING, AGENT)
    desk.settle()
    opened = desk.tickets[FOLLOWING]
    assert (desk.tickets[ONE].successor_id, opened.previous_ticket_id) == (FOLLOWING, ONE)
    now, then = opened.summary, before.summary
    assert (now.contact_id, now.contact, now.brand, now.channel) == (
        then.contact_id,
        then.contact,
        then.brand,
        then.channel,
    )
    assert (now.subject, now.tags, now.fields) == (then.subject, ("pump", "vip"), {"serial": "P-7"})
    assert (now.status, now.priority, now.team, now.assignee) == (Status.OPEN, Priority.URGENT, "service", None)
    [entry] = entries(desk)
    assert (entry.text, entry.public, entry.author) == ("It leaks again", False, AGENT)


def test_what_the_agent_says_of_it_counts_before_what_the_closed_ticket_has() -> None:
    desk = closed_desk()
    said: dict[str, Any] = {"subject": "Second leak", "team": "experts", "assignee": "mia", "priority": Priority.LOW}
    desk.ask(follow_up(**said))
    desk.settle()
    assert {name: getattr(desk.tickets[FOLLOWING].summary, name) for name in said} == said


@pytest.mark.parametrize("public", [True, False])
def test_rules_07_and_08_no_clock_runs_before_the_customer_writes_to_either_of_the_two(public: bool) -> None:
    desk = closed_desk()
    desk.ask(follow_up(public=public))
    desk.settle()
    assert desk.tickets[FOLLOWING].clocks == ()
    assert desk.receive(ONE, 9) == FOLLOWING
    clock = next(desk.tickets[FOLLOWING].of_metric(Metric.FIRST_RESPONSE))
    assert (clock.status, clock.started_at) == (ClockStatus.RUNNING, entries(desk)[-1].at)


def test_rule_08_a_missed_call_that_is_noted_is_the_customer_s_first_message() -> None:
    desk = closed_desk()
    called_at = desk.now - timedelta(minutes=5)
    desk.ask(follow_up(call=NotedCall(direction="inbound", answered=False, started_at=called_at)))
    desk.settle()
    opened = desk.tickets[FOLLOWING]
    assert next(opened.of_metric(Metric.FIRST_RESPONSE)).started_at == called_at
    assert opened.summary.channel is Channel.PHONE


@pytest.mark.parametrize("status", [each for each in Status if each is not Status.CLOSED])
def test_only_a_closed_ticket_is_followed_up(status: Status) -> None:
    desk = Desk(ONE)
    desk.ask(SetStatus(ticket_id=ONE, actor=AGENT, status=status))
    assert desk.ask(follow_up()).startswith(f"status: the ticket is {status} and can be worked on")
    assert (desk.tickets[ONE].successor_id, desk.under_way) == (None, [])


def test_a_ticket_that_does_not_exist_is_not_followed_up() -> None:
    assert Desk(TWO).ask(follow_up()) == "there is no such ticket"


def test_what_is_part_of_another_ticket_or_about_to_be_is_not_followed_up() -> None:
    desk = Desk(ONE, TWO)
    desk.ask(merge(ONE, TWO))
    desk.ask(SetStatus(ticket_id=ONE, actor=AGENT, status=Status.CLOSED))
    assert desk.ask(follow_up()).startswith(f"merging_into: the ticket is being merged into {TWO}")
    desk.settle()
    assert desk.ask(follow_up()).startswith(f"merged_into: the ticket is part of {TWO}")
    desk.ask(UndoMerge(ticket_id=ONE, actor=AGENT))
    desk.settle()
    assert desk.ask(follow_up()) == "applied"


def test_there_is_one_follow_up_whoever_was_first() -> None:
    desk = closed_desk()
    desk.ask(follow_up())
    told = f"successor_id: the ticket has the follow-up {FOLLOWING} already; go on there"
    assert desk.ask(follow_up(text="Once more")) == told
    desk.settle()
    assert len(entries(desk)) == 1
    by_customer = closed_desk()
    by_customer.receive(ONE, 9)
    assert by_customer.ask(follow_up()) == told


@pytest.mark.parametrize("times", [1, 2, 3])
def test_every_step_may_come_again(times: int) -> None:
    desk = closed_desk()
    for _ in range(times):
        desk.ask(follow_up(), "wish")
    steps = list(desk.under_way)
    assert len(steps) == 1
    for _ in range(times):
        desk.take(steps[0])
        desk.done.discard(steps[0].id)  # its outcome is forgotten after a week
    assert [type(fact) for fact in desk.facts[FOLLOWING]] == [TicketOpened]


@pytest.mark.parametrize("public", [True, False])
def test_a_customer_s_message_that_overtakes_the_opening_leads_to_the_same_ticket(public: bool) -> None:
    summaries = []
    for overtaking in (False, True):
        desk = closed_desk()
        desk.ask(follow_up(public=public, team="experts", assignee="mia"), "wish")
        message = forwarded(desk, 9)
        desk.under_way.insert(0 if overtaking else 1, message)
        desk.settle()
        assert {entry.text for entry in entries(desk)} == {"It leaks again", "message 9"}
        assert desk.tickets[FOLLOWING].previous_ticket_id == ONE
        summaries.append(desk.tickets[FOLLOWING].summary)
        rehearsed = replay(desk.facts[FOLLOWING], desk.policies, desk.now)
        assert results(rehearsed) == results(desk.tickets[FOLLOWING])
    in_order, overtaken = summaries
    named = ("status", "team", "assignee", "priority", "fields", "contact_id")
    assert [getattr(in_order, name) for name in named] == [getattr(overtaken, name) for name in named]
    assert set(overtaken.tags) == {*in_order.tags, "router"}


def test_a_message_that_overtakes_is_answered_by_what_the_agent_tells_the_customer_after_it() -> None:
    desk = closed_desk()
    desk.ask(follow_up(public=True), "wish")
    desk.under_way.insert(0, forwarded(desk, 9, Priority.NORMAL))
    desk.settle()
    assert next(desk.tickets[FOLLOWING].of_metric(Metric.FIRST_RESPONSE)).status is ClockStatus.MET


@pytest.mark.parametrize("done", ["assigned", "closed"])
def test_what_people_have_decided_meanwhile_stays_and_the_words_are_kept(done: str) -> None:
    desk = closed_desk()
    called_at = desk.now - timedelta(minutes=5)
    missed = NotedCall(direction="inbound", answered=False, started_at=called_at)
    desk.ask(follow_up(team="experts", call=missed), "wish")
    desk.take(forwarded(desk, 9))
    status = Status.PENDING if done == "assigned" else Status.CLOSED
    desk.ask(Assign(ticket_id=FOLLOWING, actor=COLLEAGUE, team="repairs", assignee="mia"))
    desk.ask(SetStatus(ticket_id=FOLLOWING, actor=COLLEAGUE, status=status))
    desk.settle()
    now = desk.tickets[FOLLOWING].summary
    assert (now.team, now.assignee, now.status, now.priority) == ("repairs", "mia", status, Priority.LOW)
    assert (now.fields, set(now.tags)) == ({"serial": "P-7"}, {"router", "pump", "vip"})
    assert [entry.text for entry in entries(desk)] == ["message 9", "It leaks again"]


def test_fields_that_the_configuration_has_no_more_are_left_behind_and_hold_nothing_up() -> None:
    desk = closed_desk()
    desk.ask(follow_up())
    desk.policies = replace(desk.policies, workflow=Workflow())
    desk.settle()
    assert desk.tickets[FOLLOWING].summary.fields == {}


def test_a_ticket_with_more_tags_than_an_agent_may_name_at_once_hands_on_all_of_them() -> None:
    desk = Desk(ONE)
    for part in range(3):
        tags = tuple(f"tag {part} {number}" for number in range(50))
        desk.ask(ChangeTags(ticket_id=ONE, actor=AGENT, add=tags))
    desk.ask(SetStatus(ticket_id=ONE, actor=AGENT, status=Status.CLOSED))
    desk.ask(follow_up())
    desk.settle()
    assert len(desk.tickets[FOLLOWING].summary.tags) == 150


def with_tags(ticket: Ticket, size: int) -> Ticket:
    """The ticket with tags of so many bytes in all."""
    tags = tuple(f"{number:04d}{'x' * 92}" for number in range(size // 100))
    return replace(ticket, summary=ticket.summary.model_copy(update={"tags": tags}))


def test_more_tags_than_a_ticket_may_carry_are_refused_before_a_follow_up_is_promised() -> None:
    desk = closed_desk()
    desk.tickets[ONE] = with_tags(desk.tickets[ONE], 40_000)
    assert desk.ask(follow_up()).startswith("tags: tags, fields and watchers of the ticket would make ")
    assert desk.tickets[ONE].successor_id is None


@pytest.mark.parametrize("character", ["a", "字", "😀", '"', "\n"])
def test_the_longest_words_with_all_that_is_handed_on_fit_an_event(character: str) -> None:
    desk = closed_desk()
    desk.tickets[ONE] = with_tags(desk.tickets[ONE], 31_500)
    command = follow_up(text="a" + character * (MOST_FOLLOW_UP_TEXT - 1), subject="字" * 1000, assignee="字" * 200)
    command = command.model_copy(update={"actor": Actor(kind=ActorKind.AGENT, id="张" * 200, name="张" * 200)})
    assert desk.ask(command) == "applied"
    assert len(opening_of(desk.tickets[ONE], command, "wish").encode()) < MAX_EVENT_BYTES
    desk.settle()
    [opened] = desk.facts[FOLLOWING]
    assert len(opened.encode()) < MAX_EVENT_BYTES


def test_a_message_for_the_closed_ticket_goes_to_the_follow_up_that_an_agent_opened() -> None:
    desk = closed_desk()
    desk.ask(follow_up())
    message = a_message(desk.now, 9)
    routing = Routing(team="service")
    command = ReceiveMessage(ticket_id=ONE, actor=MACHINE, message=message, contact_id=CUSTOMER_ID, routing=routing)
    assert goes_to_successor(desk.tickets[ONE], command) == FOLLOWING
