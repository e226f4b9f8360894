"""Rules 23, 25 and 26: links, merges and splits, whatever order and however often their steps arrive."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import count
from random import Random
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sla_engine.domain.arrival import goes_to_successor
from sla_engine.domain.decide import decide
from sla_engine.domain.evolve import evolve
from sla_engine.domain.policies import Policies
from sla_engine.domain.request import Rejected, Request
from sla_engine.domain.splitting import split_id
from sla_engine.domain.ticket import Link, Ticket
from sla_engine.domain.what_if import replay
from sla_engine.publish_exchanges import exchange_commands
from tests.unit.sla_engine.case import AGENT, CUSTOMER_ID, MACHINE, a_message, a_policy, moment, policies_of
from ticket_contracts.actions import MarkSpam
from ticket_contracts.catalogue import COMMAND_EVENTS
from ticket_contracts.commands import Command, ReceiveMessage, Reply, Routing, SetStatus
from ticket_contracts.envelope import Event
from ticket_contracts.exchanges import LinkTickets, Merge, Split, UndoMerge, UnlinkTickets
from ticket_contracts.tickets import MessageAdded, MessageEntry, TicketFact, TicketOpened
from ticket_contracts.topics import COMMANDS, MAX_EVENT_BYTES
from ticket_contracts.vocabulary import ClockStatus, LinkKind, Metric, Priority, Status
from ticket_stream.processing import NewEvent, Partition, Record

ONE, TWO, THREE = (UUID(int=number) for number in (1, 2, 3))
POLICIES = policies_of(a_policy())


class Desk:
    """Tickets, and the commands that are under way between them: any may be taken next, and taken again."""

    def __init__(self, *ids: UUID, policies: Policies = POLICIES) -> None:
        self.policies = policies
        self.tickets: dict[UUID, Ticket] = {}
        self.entries: dict[UUID, list[MessageEntry]] = {}
        self.facts: dict[UUID, list[TicketFact]] = {}
        self.under_way: list[NewEvent] = []
        self.done: set[str] = set()
        self.now = moment("mon 10:00")
        self._numbers = count(1)
        for number, ticket_id in enumerate(ids, start=1):
            self.receive(ticket_id, number)

    def receive(self, ticket_id: UUID, number: int) -> UUID:
        """Let the customer write; a ticket that was merged sends the message on."""
        message = a_message(self.now, number)
        routing = Routing(team="service", priority=Priority.NORMAL)
        for _ in range(10):
            command = ReceiveMessage(
                ticket_id=ticket_id, actor=MACHINE, message=message, contact_id=CUSTOMER_ID, routing=routing
            )
            self.ask(command, f"message-{number}-{ticket_id}")
            onward = goes_to_successor(self.tickets[ticket_id], command)
            if onward is None:
                return ticket_id
            ticket_id = onward
        raise AssertionError("the message is sent round and round")

    def ask(self, command: Command, command_id: str | None = None, after: timedelta = timedelta()) -> str:
        """Decide a command as the engine does; return `applied` or why not."""
        self.now += timedelta(seconds=1) + after
        command_id = command_id or f"command-{next(self._numbers)}"
        if command_id in self.done:
            return "repeated"
        self.done.add(command_id)
        before = self.tickets.get(command.ticket_id)
        named = tuple(self.entries.get(command.ticket_id, ())) if isinstance(command, Split) else ()
        request = Request(command_id, command, self.now, number=next(self._numbers), entries=named)
        decision = decide(before, request, self.policies, self.now)
        facts = [] if isinstance(decision, Rejected) else decision
        after_it = before
        for fact in facts:
            after_it = evolve(after_it, fact)
            self.facts.setdefault(fact.ticket_id, []).append(fact)
            if isinstance(fact, TicketOpened | MessageAdded):
                self.entries.setdefault(fact.ticket_id, []).append(fact.message)
        if after_it is not None:
            self.tickets[command.ticket_id] = after_it
        self.under_way += exchange_commands(request, before, after_it, facts, a_record(command, command_id, self.now))
        return decision.reason if isinstance(decision, Rejected) else "applied"

    def take(self, event: NewEvent) -> None:
        command = COMMAND_EVENTS[event.type].model_validate_json(event.data)
        assert isinstance(command, Command)
        self.ask(command, event.id)

    def settle(self, random: Random | None = None) -> None:
        """Take everything that is under way, in order or as chance will have it, some of it twice."""
        while self.under_way:
            place = random.randrange(len(self.under_way)) if random else 0
            event = self.under_way[place]
            if random is None or random.random() < 0.7:
                self.under_way.pop(place)
            self.take(event)

    def status(self, ticket_id: UUID) -> Status:
        return self.tickets[ticket_id].summary.status


def a_record(command: Command, command_id: str, at: datetime) -> Record:
    event = Event(id=command_id, source="/test", type=command.event_type, time=at, data=command.encode())
    return Record(Partition(COMMANDS.name, 0), 0, at, str(command.ticket_id), event)


def merge(source: UUID, target: UUID) -> Merge:
    return Merge(ticket_id=source, actor=AGENT, target_id=target)


def merged(*ids: UUID) -> Desk:
    """Tickets of which the first is part of the second."""
    desk = Desk(*ids)
    desk.ask(merge(ids[0], ids[1]))
    desk.settle()
    return desk


def test_rule_25_the_source_closes_as_merged_and_its_clocks_are_cancelled_while_the_target_s_go_on() -> None:
    desk = merged(ONE, TWO)
    source, target = desk.tickets[ONE], desk.tickets[TWO]
    assert (source.summary.status, source.summary.merged_into) == (Status.CLOSED, TWO)
    assert {(clock.status, clock.cancel_reason) for clock in source.clocks} == {(ClockStatus.CANCELLED, "merged")}
    assert {clock.status for clock in target.clocks} == {ClockStatus.RUNNING}
    assert [absorbed.source_id for absorbed in target.absorbed] == [ONE]


def test_rule_25_a_breach_recorded_before_the_merge_stays() -> None:
    desk = Desk(ONE, TWO)
    desk.ask(merge(ONE, TWO), after=timedelta(hours=2))
    desk.settle()
    first = next(desk.tickets[ONE].of_metric(Metric.FIRST_RESPONSE))
    assert (first.status, first.stopped_at is None) == (ClockStatus.BREACHED, False)


def test_rule_25_later_messages_go_to_the_end_of_the_merge_chain() -> None:
    desk = merged(ONE, TWO, THREE)
    desk.ask(merge(TWO, THREE))
    desk.settle()
    assert desk.receive(ONE, 9) == THREE


def test_rule_25_a_merge_into_a_ticket_that_was_merged_itself_ends_at_the_end_of_the_chain() -> None:
    desk = merged(TWO, THREE, ONE)
    desk.ask(merge(ONE, TWO))
    desk.settle()
    assert desk.tickets[ONE].summary.merged_into == THREE


def test_rule_25_a_merge_cycle_is_refused() -> None:
    desk = merged(ONE, TWO)
    desk.ask(merge(TWO, ONE))
    desk.settle()
    assert desk.status(TWO) is not Status.CLOSED
    assert desk.tickets[TWO].merging is None


def test_of_two_opposite_merges_at_once_the_lower_id_takes_the_other_in() -> None:
    desk = Desk(ONE, TWO)
    desk.ask(merge(ONE, TWO))
    desk.ask(merge(TWO, ONE))
    desk.settle()
    assert (desk.tickets[TWO].summary.merged_into, desk.tickets[ONE].summary.merged_into) == (ONE, None)
    assert desk.tickets[ONE].merging is None


def test_who_has_taken_a_ticket_in_does_not_ask_to_become_part_of_it_before_that_ticket_knows() -> None:
    desk = Desk(ONE, TWO)
    desk.ask(merge(ONE, TWO))
    desk.take(desk.under_way.pop(0))  # TWO takes ONE in; the answer is under way
    refusal = desk.ask(merge(TWO, ONE))
    desk.settle()
    assert (desk.tickets[ONE].summary.merged_into, desk.tickets[TWO].summary.merged_into) == (TWO, None)
    assert refusal.startswith("target_id: ")
    assert desk.receive(ONE, 9) == TWO


def test_a_merge_into_a_ticket_that_does_not_exist_or_is_closed_leaves_the_source_as_it_was() -> None:
    desk = Desk(ONE)
    desk.ask(merge(ONE, TWO))
    assert desk.tickets[ONE].merging is not None
    desk.settle()
    assert (desk.tickets[ONE].merging, desk.status(ONE)) == (None, Status.NEW)


def test_a_merge_is_undone_within_a_day_and_the_ticket_is_timed_again() -> None:
    desk = merged(ONE, TWO)
    desk.ask(UndoMerge(ticket_id=ONE, actor=AGENT), after=timedelta(hours=1))
    desk.settle()
    source = desk.tickets[ONE]
    assert (source.summary.status, source.summary.merged_into, source.successor_id) == (Status.OPEN, None, None)
    assert desk.tickets[TWO].absorbed == ()
    assert [clock.status for clock in source.of_metric(Metric.RESOLUTION)][-1] is ClockStatus.RUNNING
    assert desk.receive(ONE, 9) == ONE


def test_after_a_day_a_merge_stays() -> None:
    desk = merged(ONE, TWO)
    assert "more than a day" in desk.ask(UndoMerge(ticket_id=ONE, actor=AGENT), after=timedelta(days=1))


def test_a_merge_undone_before_it_was_finished_leaves_both_alone() -> None:
    desk = Desk(ONE, TWO)
    desk.ask(merge(ONE, TWO))
    desk.ask(UndoMerge(ticket_id=ONE, actor=AGENT))
    desk.settle()
    assert (desk.tickets[ONE].merging, desk.status(ONE), desk.tickets[TWO].absorbed) == (None, Status.NEW, ())


@pytest.mark.parametrize("before", [Status.PENDING, Status.ON_HOLD, Status.SOLVED])
def test_an_undone_merge_gives_the_status_of_before_back_and_times_only_what_is_not_ended(before: Status) -> None:
    desk = Desk(ONE, TWO)
    desk.ask(SetStatus(ticket_id=ONE, actor=AGENT, status=before))
    desk.ask(merge(ONE, TWO))
    desk.settle()
    desk.ask(UndoMerge(ticket_id=ONE, actor=AGENT))
    desk.settle()
    assert desk.status(ONE) is before
    last = list(desk.tickets[ONE].of_metric(Metric.RESOLUTION))[-1]
    assert last.status is (ClockStatus.MET if before is Status.SOLVED else ClockStatus.PAUSED)


def test_an_undone_merge_of_spam_starts_no_clock() -> None:
    desk = Desk(ONE, TWO)
    desk.ask(MarkSpam(ticket_id=ONE, actor=AGENT, spam=True))
    desk.ask(merge(ONE, TWO))
    desk.settle()
    desk.ask(UndoMerge(ticket_id=ONE, actor=AGENT))
    desk.settle()
    assert {clock.status for clock in desk.tickets[ONE].clocks} == {ClockStatus.CANCELLED}


def test_a_ticket_closed_while_it_merged_keeps_its_follow_up_when_the_merge_is_undone() -> None:
    desk = Desk(ONE, TWO)
    desk.ask(merge(ONE, TWO))
    desk.ask(SetStatus(ticket_id=ONE, actor=AGENT, status=Status.CLOSED))
    message = a_message(desk.now, 9)
    desk.ask(
        ReceiveMessage(
            ticket_id=ONE, actor=MACHINE, message=message, contact_id=CUSTOMER_ID, routing=Routing(team="service")
        )
    )
    follow_up = desk.tickets[ONE].successor_id
    desk.settle()
    assert desk.tickets[ONE].successor_id == TWO
    desk.ask(UndoMerge(ticket_id=ONE, actor=AGENT))
    assert (desk.status(ONE), desk.tickets[ONE].successor_id) == (Status.CLOSED, follow_up)


def test_a_question_that_overtakes_its_own_recall_leaves_nothing_at_the_target() -> None:
    desk = Desk(ONE, TWO)
    desk.ask(merge(TWO, ONE))
    desk.ask(UndoMerge(ticket_id=TWO, actor=AGENT))
    desk.under_way.reverse()
    desk.settle()
    assert (desk.tickets[ONE].absorbed, desk.tickets[TWO].merged) == ((), None)


def test_a_ticket_taken_in_at_the_end_of_a_chain_that_broke_meanwhile_is_given_back() -> None:
    desk = merged(TWO, THREE, ONE)
    desk.ask(merge(ONE, TWO))
    desk.take(desk.under_way.pop(0))  # the question goes on to THREE
    for ticket_id in (TWO, ONE):
        desk.ask(UndoMerge(ticket_id=ticket_id, actor=AGENT))
    desk.settle()
    assert desk.tickets[THREE].absorbed == ()


def test_rule_26_links_stand_on_both_sides_and_no_clock_knows_of_them() -> None:
    desk = Desk(ONE, TWO)
    clocks = desk.tickets[ONE].clocks
    desk.ask(LinkTickets(ticket_id=ONE, actor=AGENT, other_id=TWO, kind=LinkKind.PROBLEM))
    desk.settle()
    assert [each[:2] for each in desk.tickets[ONE].links] == [(TWO, LinkKind.PROBLEM)]
    assert [each[:2] for each in desk.tickets[TWO].links] == [(ONE, LinkKind.INCIDENT)]
    assert desk.tickets[ONE].clocks == clocks
    desk.ask(UnlinkTickets(ticket_id=TWO, actor=AGENT, other_id=ONE, kind=LinkKind.INCIDENT))
    desk.settle()
    assert (desk.tickets[ONE].links, desk.tickets[TWO].links) == ((), ())


def test_a_split_moves_messages_into_a_new_ticket_timed_from_the_customer_s_words() -> None:
    desk = Desk(ONE)
    desk.receive(ONE, 2)
    second = desk.entries[ONE][1]
    desk.ask(Split(ticket_id=ONE, actor=AGENT, message_ids=(second.message_id,), subject="Another matter"), "split")
    desk.settle()
    opened = desk.tickets[split_id(ONE, "split")]
    assert (opened.summary.subject, opened.message_ids) == ("Another matter", (second.message_id,))
    assert next(opened.of_metric(Metric.RESOLUTION)).started_at == second.at
    assert desk.tickets[ONE].links == (Link(opened.ticket_id, LinkKind.RELATED),)
    assert desk.tickets[ONE].moved_ids == (second.message_id,)


def test_rule_48_what_if_nothing_changes_a_merged_an_undone_and_a_split_ticket_have_the_clocks_they_had() -> None:
    desk = Desk(ONE, TWO)
    desk.receive(ONE, 3)
    desk.ask(Split(ticket_id=ONE, actor=AGENT, message_ids=(desk.entries[ONE][1].message_id,)), "split")
    for wish in (merge(TWO, ONE), UndoMerge(ticket_id=TWO, actor=AGENT), merge(TWO, ONE)):
        desk.ask(wish, after=timedelta(minutes=10))
        desk.settle()
    for ticket_id, ticket in desk.tickets.items():
        rehearsed = replay(desk.facts[ticket_id], desk.policies, desk.now)
        assert results(rehearsed) == results(ticket)


def results(ticket: Ticket) -> list[tuple[object, ...]]:
    """Tell the clocks without warnings: no timer has fired here."""
    return [(each.metric, each.cycle, each.status, each.due_at, each.stopped_at) for each in ticket.clocks]


def test_rule_10_a_split_with_an_answer_in_it_waits_for_the_next_one() -> None:
    hour = {Priority.NORMAL: 3600}
    policy = a_policy(targets={Metric.FIRST_RESPONSE: hour, Metric.NEXT_RESPONSE: hour})
    desk = Desk(ONE, policies=policies_of(policy))
    desk.ask(Reply(ticket_id=ONE, actor=AGENT, text="We look into it"))
    desk.now += timedelta(minutes=1)
    desk.receive(ONE, 2)
    ids = tuple(entry.message_id for entry in desk.entries[ONE])
    desk.ask(Split(ticket_id=ONE, actor=AGENT, message_ids=ids), "split")
    desk.settle()
    assert [clock.metric for clock in desk.tickets[split_id(ONE, "split")].clocks] == [Metric.NEXT_RESPONSE]


def test_a_split_of_more_than_an_event_holds_is_refused_before_anything_moves() -> None:
    desk = Desk(ONE)
    [first] = desk.entries[ONE]
    desk.entries[ONE] = [
        first.model_copy(update={"message_id": UUID(int=1000 + number), "text": "字" * 20_000}) for number in range(5)
    ]
    ids = tuple(entry.message_id for entry in desk.entries[ONE])
    assert "message_ids: together" in desk.ask(Split(ticket_id=ONE, actor=AGENT, message_ids=ids))
    desk.ask(Split(ticket_id=ONE, actor=AGENT, message_ids=ids[:3]))
    [opening] = desk.under_way
    assert 180_000 < len(opening.data) < MAX_EVENT_BYTES


def test_a_message_is_not_split_off_twice_and_an_unknown_one_not_at_all() -> None:
    desk = Desk(ONE)
    first = desk.entries[ONE][0].message_id
    desk.ask(Split(ticket_id=ONE, actor=AGENT, message_ids=(first,)))
    for message_id in (first, UUID(int=99)):
        assert "message_ids.0" in desk.ask(Split(ticket_id=ONE, actor=AGENT, message_ids=(message_id,)))


wishes = st.lists(
    st.tuples(
        st.sampled_from(["merge", "undo", "link", "receive", "solve", "split", "settle"]),
        st.sampled_from([ONE, TWO, THREE]),
        st.sampled_from([ONE, TWO, THREE]),
    ),
    max_size=14,
)


@given(wishes, st.integers(0, 2**32))
def test_whatever_is_asked_and_in_whatever_order_it_arrives_no_message_is_lost_and_no_chain_is_a_ring(
    script: list[tuple[str, UUID, UUID]], seed: int
) -> None:
    random, desk = Random(seed), Desk(ONE, TWO, THREE)
    said = 3
    for number, (wish, one, other) in enumerate(script, start=10):
        match wish:
            case "merge":
                desk.ask(merge(one, other))
            case "undo":
                desk.ask(UndoMerge(ticket_id=one, actor=AGENT))
            case "link":
                desk.ask(LinkTickets(ticket_id=one, actor=AGENT, other_id=other, kind=LinkKind.DUPLICATE_OF))
            case "receive":
                desk.receive(one, number)
                said += 1
            case "solve":
                desk.ask(SetStatus(ticket_id=one, actor=AGENT, status=Status.SOLVED))
            case "split":
                desk.ask(Split(ticket_id=one, actor=AGENT, message_ids=(desk.entries[one][-1].message_id,)))
            case "settle":
                desk.settle(random)
    desk.settle(random)
    assert all(ticket.merging is None for ticket in desk.tickets.values())
    recorded = [
        entry.message_id
        for ticket_id, entries in desk.entries.items()
        for entry in entries
        if entry.message_id not in desk.tickets[ticket_id].moved_ids
    ]
    assert len(recorded) == len(set(recorded)) == said
    taken_in = {(source, each.merged) for source, each in desk.tickets.items() if each.merged is not None}
    assert {(source, merged.target_id, merged.merge_id) for source, merged in taken_in} == {
        (absorbed.source_id, target, absorbed.merge_id)
        for target, each in desk.tickets.items()
        for absorbed in each.absorbed
    }
    for ticket_id in desk.tickets:
        assert len(list(chain(desk, ticket_id))) <= len(desk.tickets)
        merged_into = desk.tickets[ticket_id].summary.merged_into
        assert (merged_into is not None) == (desk.tickets[ticket_id].merged is not None)


def chain(desk: Desk, ticket_id: UUID) -> Iterator[UUID]:
    seen: set[UUID] = set()
    onward: UUID | None = ticket_id
    while onward is not None:
        assert onward not in seen, "the chain is a ring"
        seen.add(onward)
        yield onward
        onward = desk.tickets[onward].summary.merged_into


@pytest.mark.parametrize("times", [1, 2, 3])
def test_every_step_may_come_again(times: int) -> None:
    desk = Desk(ONE, TWO)
    desk.ask(merge(ONE, TWO))
    while desk.under_way:
        event = desk.under_way.pop(0)
        for _ in range(times):
            desk.take(event)
    assert desk.tickets[ONE].summary.merged_into == TWO
    assert len(desk.tickets[TWO].absorbed) == 1
