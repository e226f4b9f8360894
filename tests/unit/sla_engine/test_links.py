"""Rule 26: a link stands on both sides or on neither: at the bound, delivered twice, asked from both sides at once."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from random import Random
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sla_engine.domain.ticket import Link, Ticket
from sla_engine.stored_state import decode_state, encode_state
from tests.unit.sla_engine.case import AGENT
from tests.unit.sla_engine.test_exchanges import ONE, THREE, TWO, Desk
from ticket_contracts.exchanges import MOST_RELATED, LinkRemoved, LinkTickets, Split, UnlinkTickets
from ticket_contracts.vocabulary import LinkKind
from ticket_stream.processing import NewEvent

TICKETS = (ONE, TWO, THREE)
Wish = Callable[[UUID, UUID, LinkKind], LinkTickets | UnlinkTickets]


def filled(ticket: Ticket, room: int) -> Ticket:
    """The ticket with so many links to others that `room` more fit."""
    others = tuple(Link(UUID(int=10_000 + number), LinkKind.RELATED) for number in range(MOST_RELATED - room))
    return replace(ticket, links=others)


def desk_with_room(**room: int) -> Desk:
    desk = Desk(*TICKETS)
    for name, free in room.items():
        ticket_id = {"one": ONE, "two": TWO, "three": THREE}[name]
        desk.tickets[ticket_id] = filled(desk.tickets[ticket_id], free)
    return desk


def link(one: UUID, other: UUID, kind: LinkKind = LinkKind.PROBLEM) -> LinkTickets:
    return LinkTickets(ticket_id=one, actor=AGENT, other_id=other, kind=kind)


def unlink(one: UUID, other: UUID, kind: LinkKind = LinkKind.PROBLEM) -> UnlinkTickets:
    return UnlinkTickets(ticket_id=one, actor=AGENT, other_id=other, kind=kind)


def sides(desk: Desk) -> set[tuple[UUID, UUID, LinkKind]]:
    """Every link between the three tickets, as the first of them says it."""
    return {
        (ticket_id, each.other_id, each.kind)
        for ticket_id in TICKETS
        for each in desk.tickets[ticket_id].links
        if each.other_id in TICKETS
    }


def assert_both_sides_agree(desk: Desk) -> None:
    found = sides(desk)
    assert {(other_id, ticket_id, kind.reverse) for ticket_id, other_id, kind in found} == found
    assert all(len(ticket.links) <= MOST_RELATED for ticket in desk.tickets.values())


def deliver(desk: Desk, random: Random) -> None:
    """Let one thing that is under way arrive, perhaps to come again: between two tickets in the order of sending."""
    first: dict[tuple[UUID, str], NewEvent] = {}
    for event in desk.under_way:
        command = read(event)
        first.setdefault((command.other_id, event.key), event)
    event = random.choice(list(first.values()))
    if random.random() < 0.7:
        desk.under_way.remove(event)
    desk.take(event)


def read(event: NewEvent) -> LinkTickets | UnlinkTickets:
    kind = LinkTickets if event.type == LinkTickets.event_type else UnlinkTickets
    return kind.model_validate_json(event.data)


def removals(desk: Desk, ticket_id: UUID) -> Iterator[LinkRemoved]:
    return (fact for fact in desk.facts[ticket_id] if isinstance(fact, LinkRemoved))


def test_a_link_that_the_other_ticket_has_no_room_for_stands_on_neither_side_and_the_timeline_says_why() -> None:
    desk = desk_with_room(two=0)
    assert desk.ask(link(ONE, TWO)) == "applied"
    desk.settle()
    assert sides(desk) == set()
    [removed] = removals(desk, ONE)
    assert removed.reason == "on the other side: the ticket has 1000 links already; remove some first"
    assert desk.ask(link(TWO, ONE)).startswith("other_id: the ticket has 1000 links already")


def test_a_link_to_no_ticket_is_taken_back() -> None:
    desk = Desk(*TICKETS)
    desk.ask(link(ONE, UUID(int=99)))
    desk.settle()
    assert [each.reason for each in removals(desk, ONE)] == ["there is no such ticket"]


def test_a_full_ticket_says_again_that_it_has_a_link() -> None:
    desk = desk_with_room(two=1)
    for _ in range(2):
        assert desk.ask(link(ONE, TWO)) == "applied"
        desk.settle()
    assert sides(desk) == {(ONE, TWO, LinkKind.PROBLEM), (TWO, ONE, LinkKind.INCIDENT)}


def test_an_answer_to_an_earlier_wish_does_not_take_a_later_link() -> None:
    desk = desk_with_room(two=0)
    desk.ask(link(ONE, TWO))
    desk.take(desk.under_way.pop(0))  # TWO has no room; its answer is under way
    desk.tickets[TWO] = filled(desk.tickets[TWO], 1)
    desk.ask(unlink(ONE, TWO))
    desk.ask(link(ONE, TWO))
    desk.settle()
    assert sides(desk) == {(ONE, TWO, LinkKind.PROBLEM), (TWO, ONE, LinkKind.INCIDENT)}


@pytest.mark.parametrize("behind", [0, 60], ids=["clocks-agree", "a-broker-s-clock-is-behind"])
def test_a_link_removed_on_one_side_and_made_anew_on_the_other_ends_the_same_on_both(behind: int) -> None:
    desk = Desk(*TICKETS)
    desk.ask(link(ONE, TWO))
    desk.settle()
    desk.ask(unlink(ONE, TWO))
    desk.ask(link(ONE, TWO))
    desk.ask(unlink(TWO, ONE, LinkKind.INCIDENT), after=timedelta(seconds=-behind))
    desk.settle()
    assert_both_sides_agree(desk)


def test_a_link_that_both_asked_for_stays_on_both_when_one_of_them_ends_it_by_a_clock_that_is_behind() -> None:
    desk = Desk(*TICKETS)
    desk.ask(link(ONE, TWO))
    desk.ask(link(TWO, ONE, LinkKind.INCIDENT), after=timedelta(minutes=1))
    desk.settle()
    desk.ask(unlink(ONE, TWO), after=timedelta(seconds=-30))
    desk.settle()
    assert sides(desk) == {(ONE, TWO, LinkKind.PROBLEM), (TWO, ONE, LinkKind.INCIDENT)}
    desk.ask(unlink(TWO, ONE, LinkKind.INCIDENT))
    desk.settle()
    assert sides(desk) == set()


def test_a_link_of_a_split_ends_on_both_sides_though_the_new_ticket_is_opened_later() -> None:
    desk = Desk(ONE)
    desk.ask(Split(ticket_id=ONE, actor=AGENT, message_ids=(desk.entries[ONE][0].message_id,)), "split")
    [other] = desk.tickets[ONE].links
    desk.ask(unlink(ONE, other.other_id, LinkKind.RELATED))
    desk.settle()
    assert (desk.tickets[ONE].links, desk.tickets[other.other_id].links) == ((), ())


def test_a_ticket_without_room_for_a_link_is_not_split() -> None:
    desk = desk_with_room(one=0)
    asked = Split(ticket_id=ONE, actor=AGENT, message_ids=(desk.entries[ONE][0].message_id,))
    assert desk.ask(asked) == "a split adds a link, and the ticket has 1000 links already; remove some first"


def test_links_stored_without_their_time_are_read_and_end_like_others() -> None:
    desk = Desk(*TICKETS)
    desk.ask(link(ONE, TWO))
    desk.settle()
    stored = encode_state(replace(desk.tickets[TWO], links=()))
    old = stored.replace('"links":[]', f'"links":[["{ONE}","incident"]]')
    desk.tickets[TWO] = decode_state(old)
    assert desk.tickets[TWO].links == (Link(ONE, LinkKind.INCIDENT),)
    desk.ask(unlink(ONE, TWO))
    desk.settle()
    assert sides(desk) == set()


wishes = st.lists(
    st.tuples(
        st.sampled_from([link, unlink]),
        st.sampled_from([(ONE, TWO), (TWO, ONE), (ONE, TWO), (TWO, ONE), (THREE, TWO), (ONE, THREE)]),
        st.integers(0, 2),
        st.sampled_from([0, 0, -90, 60]),
    ),
    min_size=3,
    max_size=12,
)


@settings(max_examples=100)
@given(wishes, st.integers(0, 2), st.integers(0, 2**32))
def test_whatever_is_asked_and_however_it_is_delivered_both_sides_agree_in_the_end(
    script: list[tuple[Wish, tuple[UUID, UUID], int, int]], room: int, seed: int
) -> None:
    random, desk = Random(seed), desk_with_room(two=room, three=1)
    for wish, (one, other), arriving, seconds in script:
        kind = LinkKind.PROBLEM if one < other else LinkKind.INCIDENT
        desk.ask(wish(one, other, kind), after=timedelta(seconds=seconds))
        for _ in range(arriving):
            if desk.under_way:
                deliver(desk, random)
    while desk.under_way:
        deliver(desk, random)
    assert_both_sides_agree(desk)


DUPLICATES = (LinkKind.DUPLICATE_OF, LinkKind.DUPLICATED_BY)


def assert_nothing_is_linked_both_ways(desk: Desk) -> None:
    found = sides(desk)
    assert not {(ticket_id, other_id, kind.reverse) for ticket_id, other_id, kind in found} & found


@pytest.mark.parametrize("kind", [each for each in LinkKind if each is not LinkKind.RELATED])
def test_a_ticket_is_not_linked_to_another_as_the_opposite_of_what_it_is_already(kind: LinkKind) -> None:
    desk = Desk(*TICKETS)
    desk.ask(link(ONE, TWO, kind))
    desk.settle()
    refusal = f"kind: that ticket is linked as {kind} already; unlink it first"
    assert desk.ask(link(ONE, TWO, kind.reverse)) == refusal
    assert desk.ask(link(TWO, ONE, kind)).startswith("kind: ")
    assert desk.under_way == []
    desk.ask(unlink(ONE, TWO, kind))
    desk.settle()
    assert desk.ask(link(TWO, ONE, kind)) == "applied"


@pytest.mark.parametrize("seconds", [1, 0, -2], ids=["second is later", "same moment", "second has a clock behind"])
def test_of_two_opposite_links_asked_for_at_once_one_stays_on_both_sides_and_the_timeline_says_why(
    seconds: int,
) -> None:
    desk = Desk(*TICKETS)
    assert desk.ask(link(TWO, ONE, LinkKind.DUPLICATE_OF)) == "applied"
    assert desk.ask(link(ONE, TWO, LinkKind.DUPLICATE_OF), after=timedelta(seconds=seconds - 1)) == "applied"
    desk.settle()
    loser, winner = (ONE, TWO) if seconds > 0 else (TWO, ONE)
    kept = {(winner, loser, LinkKind.DUPLICATE_OF), (loser, winner, LinkKind.DUPLICATED_BY)}
    assert sides(desk) == kept
    [removed] = removals(desk, loser)
    assert (removed.kind, removed.reason) == (
        LinkKind.DUPLICATE_OF,
        "the opposite link of the two tickets was asked for first",
    )
    assert list(removals(desk, winner)) == []


opposing_wishes = st.lists(
    st.tuples(
        st.sampled_from([link, link, unlink]),
        st.sampled_from([(ONE, TWO), (TWO, ONE), (ONE, TWO), (TWO, ONE), (THREE, TWO)]),
        st.sampled_from(DUPLICATES),
        st.integers(0, 2),
        st.sampled_from([0, 0, -1, -90, 60]),
    ),
    min_size=3,
    max_size=12,
)


@settings(max_examples=100)
@given(opposing_wishes, st.integers(0, 2), st.integers(0, 2**32))
def test_whatever_opposites_are_asked_and_however_they_are_delivered_one_at_most_stays_and_both_sides_agree(
    script: list[tuple[Wish, tuple[UUID, UUID], LinkKind, int, int]], room: int, seed: int
) -> None:
    random, desk = Random(seed), desk_with_room(two=room, three=1)
    for wish, (one, other), kind, arriving, seconds in script:
        desk.ask(wish(one, other, kind), after=timedelta(seconds=seconds))
        for _ in range(arriving):
            if desk.under_way:
                deliver(desk, random)
    while desk.under_way:
        deliver(desk, random)
    assert_both_sides_agree(desk)
    assert_nothing_is_linked_both_ways(desk)
