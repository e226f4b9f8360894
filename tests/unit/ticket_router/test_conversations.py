"""Which ticket a message belongs to, channel by channel."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.incoming import NOON, call, mail, slack
from ticket_contracts.messages import Delivery, MessageReceived
from ticket_contracts.vocabulary import Automation, DeliveryState, MessageKind
from ticket_router.domain.conversations import MAX_THREAD_KEYS, Arrival, place, thread_keys

QUESTION, ANSWER, AGAIN = "<1@customer>", "<2@support>", "<3@customer>"


def tickets_of(batches: Sequence[Sequence[MessageReceived]]) -> dict[str, UUID | None]:
    """Place batch after batch, as the router does with its tables, and return the ticket of each message."""
    known: dict[bytes, UUID] = {}
    placed: dict[str, UUID | None] = {}
    for batch in batches:
        new = {each.identity: each for each in batch if each.identity not in placed}
        plan = place([Arrival.of(each) for each in new.values()], known)
        known |= plan.claims
        placed |= {each.arrival.message.identity: each.ticket_id for each in plan.placements}
        placed |= {each.message.identity: None for each in plan.recorded}
    return placed


@pytest.mark.parametrize(
    ("conversation", "tickets"),
    [
        pytest.param([mail(QUESTION), mail(ANSWER, QUESTION)], 1, id="an answer by In-Reply-To"),
        pytest.param([mail(QUESTION), mail(AGAIN, ANSWER, QUESTION)], 1, id="an answer by an older reference"),
        pytest.param([mail(ANSWER, QUESTION), mail(QUESTION)], 1, id="an answer that overtook its question"),
        pytest.param([mail(AGAIN, ANSWER, QUESTION), mail(ANSWER, QUESTION)], 1, id="siblings without their question"),
        pytest.param([mail(QUESTION), mail(AGAIN)], 2, id="two mails that refer to nothing"),
        pytest.param([mail(QUESTION, subject="Help"), mail(AGAIN, subject="Help")], 2, id="the same subject alone"),
        pytest.param([mail(QUESTION), mail(ANSWER, QUESTION, account="sales@acme.example")], 2, id="another mailbox"),
        pytest.param([mail(QUESTION), mail(ANSWER, QUESTION, brand="other")], 2, id="another brand"),
        pytest.param([mail(QUESTION), mail(QUESTION, kind=MessageKind.EDITED)], 1, id="an edit"),
        pytest.param([mail(QUESTION), mail(QUESTION, revision="another body")], 1, id="a Message-ID used again"),
        pytest.param([slack("C1", "100", "100"), slack("C1", "100", "101")], 1, id="a Slack thread"),
        pytest.param([slack("C1", "100", "100"), slack("C1", "200", "200")], 2, id="two threads of a channel"),
        pytest.param([slack("C1", "100", "100"), slack("C2", "100", "101")], 2, id="one time in two channels"),
        pytest.param([call("c-1", "a"), call("c-1", "b")], 1, id="two legs of a call"),
        pytest.param([call("c-1", "a"), call("c-2", "a")], 2, id="two calls"),
    ],
)
@pytest.mark.parametrize("together", [True, False], ids=["in one batch", "in a batch each"])
def test_messages_of_a_conversation_share_a_ticket(
    conversation: list[MessageReceived], tickets: int, together: bool
) -> None:
    batches = [conversation] if together else [[each] for each in conversation]

    assert len(set(tickets_of(batches).values())) == tickets


@pytest.mark.parametrize(
    "alone",
    [
        mail(ANSWER, QUESTION, automation=Automation.BOUNCE),
        mail(ANSWER, QUESTION, automation=Automation.AUTOMATIC_ANSWER),
        slack("C1", "100", "100", kind=MessageKind.DELETED),
        slack("C1", "100", "100", kind=MessageKind.STATUS, delivery=Delivery(state=DeliveryState.FAILED)),
    ],
    ids=["a bounce", "an automatic answer", "a deletion", "a failure"],
)
def test_what_starts_no_ticket_is_recorded_and_claims_nothing(alone: MessageReceived) -> None:
    plan = place([Arrival.of(alone)], {})

    assert [each.message for each in plan.recorded] == [alone]
    assert (plan.placements, plan.claims) == ((), {})


@pytest.mark.parametrize(("state", "joins"), [("failed", True), ("delivered", False), ("read", False)])
def test_of_what_became_of_an_answer_only_a_failure_joins_the_ticket(state: str, joins: bool) -> None:
    told = slack("C1", "100", "7", kind=MessageKind.STATUS, delivery=Delivery(state=DeliveryState(state)))
    plan = place([Arrival.of(slack("C1", "100", "100")), Arrival.of(told)], {})

    assert [each.arrival.message.kind for each in plan.placements] == ["created", *["status"] * joins]
    assert [each.message for each in plan.recorded] == [told] * (not joins)


def test_a_bounce_joins_the_ticket_that_its_mail_belongs_to() -> None:
    bounce = mail(AGAIN, ANSWER, automation=Automation.BOUNCE)

    tickets = tickets_of([[mail(QUESTION), mail(ANSWER, QUESTION)], [bounce]])

    assert tickets[bounce.identity] == tickets[mail(QUESTION).identity]


@pytest.mark.parametrize("automation", [Automation.BULK, Automation.GENERATED])
def test_lists_and_machines_open_tickets(automation: Automation) -> None:
    plan = place([Arrival.of(mail(QUESTION, automation=automation))], {})

    assert [each.opens for each in plan.placements] == [True]


def test_the_nearest_reference_decides_between_two_tickets() -> None:
    near, far = UUID(int=1), UUID(int=2)
    bridge = mail(AGAIN, ANSWER, QUESTION)
    known = {thread_keys(mail(ANSWER))[0]: near, thread_keys(mail(QUESTION))[0]: far}

    plan = place([Arrival.of(bridge)], known)

    assert [(each.ticket_id, each.opens) for each in plan.placements] == [(near, False)]
    assert set(plan.claims.values()) == {near}


def test_an_address_that_we_sealed_for_a_ticket_leads_there_whatever_else_the_mail_refers_to() -> None:
    sealed, other = UUID(int=7), UUID(int=8)
    bounce = mail(AGAIN, ANSWER, QUESTION, automation=Automation.BOUNCE)
    addressed = bounce.model_copy(update={"conversation": bounce.conversation.model_copy(update={"ticket_id": sealed})})

    plan = place([Arrival.of(addressed)], {thread_keys(mail(QUESTION))[0]: other})

    assert [(each.ticket_id, each.opens) for each in plan.placements] == [(sealed, False)]
    assert set(plan.claims.values()) == {sealed}


def test_thousands_of_references_are_cut_but_the_first_of_all_still_counts() -> None:
    ancestors = [f"<{number}@x>" for number in range(5_000)]

    keys = thread_keys(mail(AGAIN, *ancestors))

    assert len(keys) == MAX_THREAD_KEYS
    assert keys[-1] == thread_keys(mail(ancestors[-1]))[0]


def test_brand_account_and_key_cannot_be_shifted_into_each_other() -> None:
    assert thread_keys(mail("<x>", brand="ab", account="c")) != thread_keys(mail("<x>", brand="a", account="bc"))


def test_a_ticket_id_sorts_by_time_and_follows_from_the_message() -> None:
    early, late = mail("<z>"), mail("<a>", received_at=NOON + timedelta(milliseconds=1))
    first, again, second = (place([Arrival.of(each)], {}).placements[0].ticket_id for each in (early, early, late))

    assert first == again
    assert first < second
    assert (first.version, first.variant) == (7, "specified in RFC 4122")


@st.composite
def conversations(draw: st.DrawFn) -> list[list[MessageReceived]]:
    """Some conversations whose messages all lead back to their first, as mail clients write References."""
    found = []
    for number in range(draw(st.integers(1, 4))):
        length = draw(st.integers(1, 5))
        ids = [f"<{number}.{place}@x>" for place in range(length)]
        found.append([mail(ids[place], *reversed(ids[:place])) for place in range(length)])
    return found


@st.composite
def arrivals_of(draw: st.DrawFn, threads: list[list[MessageReceived]]) -> list[list[MessageReceived]]:
    """The conversations interleaved at random, some messages delivered again, cut into batches anywhere."""
    rest = [list(thread) for thread in threads]
    order: list[MessageReceived] = []
    while any(rest):
        thread = draw(st.sampled_from([each for each in rest if each]))
        order.append(thread.pop(0))
        if draw(st.booleans()):
            order.append(draw(st.sampled_from(order)))
    cuts = draw(st.sets(st.integers(1, max(1, len(order) - 1))))
    edges = [0, *sorted(cuts), len(order)]
    return [order[start:end] for start, end in pairwise(edges)]


@given(st.data())
def test_batches_redeliveries_and_interleaving_change_no_ticket(data: st.DataObject) -> None:
    threads = data.draw(conversations())
    straight = tickets_of(threads)

    assert tickets_of(data.draw(arrivals_of(threads))) == straight
    assert len(set(straight.values())) == len(threads)


@given(st.data())
def test_a_conversation_in_any_order_is_one_ticket(data: st.DataObject) -> None:
    threads = data.draw(conversations())
    order = data.draw(st.permutations([each for thread in threads for each in thread]))

    tickets = tickets_of([[each] for each in order])

    for thread in threads:
        assert len({tickets[each.identity] for each in thread}) == 1
    assert len(set(tickets.values())) == len(threads)
