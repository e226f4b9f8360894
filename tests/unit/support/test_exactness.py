"""The judge of fault runs finds each kind of wrong; shown right data it finds nothing."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

import pytest

from tests.support.alarm_exactness import Targets, find_alarm_flaws
from tests.support.exactness import find_flaws
from tests.support.ledger import InputKind, Ledger
from tests.support.world import ConversationRow, Inbound, Published, StoredFact, TicketRow, World
from ticket_contracts.alerts import SlaBreached, SlaWarning
from ticket_contracts.tickets import (
    ClockBreached,
    ClockWarned,
    MessageAdded,
    MessageRevised,
    StatusChanged,
    TicketOpened,
)
from ticket_contracts.topics import ALERTS, TICKETS

TICKET = UUID("018f0000-0000-7000-8000-000000000001")
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
TARGETS = Targets(first_response=10, resolution=40, warnings=(50,))
GRACE = timedelta(seconds=1)
REPLY, SOLVE = uuid5(TICKET, "reply"), uuid5(TICKET, "solve")


def clock(metric: str, warned: int) -> dict[str, Any]:
    return {"metric": metric, "cycle": 1, "warned_percent": warned}


def said(seconds: float, author: str, provider_id: str, text: str) -> dict[str, Any]:
    at = (NOON + timedelta(seconds=seconds)).isoformat()
    actor = {"kind": author, "id": "x"}
    return {"author": actor, "public": True, "provider_id": provider_id, "text": text, "at": at}


def right_world() -> World:
    """A ticket of two messages, warned after 5 s, breached at 10 s, answered at 12 s, solved at 15 s."""
    steps: list[tuple[str, float, str, dict[str, Any]]] = [
        (TicketOpened.event_type, 0, "", {"message": said(0, "customer", "m1", "hello")}),
        (ClockWarned.event_type, 5, "", {"clock": clock("first_response", 50)}),
        (MessageAdded.event_type, 8, "", {"message": said(8, "customer", "m2", "and more")}),
        (ClockBreached.event_type, 10, "", {"clock": clock("first_response", 50)}),
        (MessageAdded.event_type, 12, str(REPLY), {"message": said(12, "agent", "", "mark-1")}),
        (StatusChanged.event_type, 15, str(SOLVE), {}),
    ]
    facts = []
    for version, (of_type, seconds, cause, data) in enumerate(steps, start=1):
        common = {
            "ticket_id": str(TICKET),
            "version": version,
            "at": (NOON + timedelta(seconds=seconds)).isoformat(),
            "ticket": {"number": 1, "status": "solved" if of_type == StatusChanged.event_type else "open"},
        }
        facts.append(StoredFact(TICKET, version, f"{TICKET}-{version}", of_type, cause, common | data))
    world = World(NOON + timedelta(minutes=5))
    world.facts = facts
    world.inbound = [Inbound("m1", "routed", TICKET, 1), Inbound("m2", "routed", TICKET, 2)]
    columns = dict.fromkeys(("brand", "channel", "subject", "priority", "team", "assignee"))
    world.tickets = [TicketRow(TICKET, 6, columns | {"number": 1, "status": "solved", "tags": []})]
    world.conversation = [ConversationRow(TICKET, version, uuid5(TICKET, str(version))) for version in (1, 3, 5)]
    world.outcomes = {str(REPLY): "applied", str(SOLVE): "applied"}
    world.published = [record(fact) for fact in facts]
    world.published += [alert(facts[1], SlaWarning.event_type), alert(facts[3], SlaBreached.event_type)]
    return world


def record(fact: StoredFact) -> Published:
    return Published(
        TICKETS.name, 0, fact.version, "engine", f"{fact.version:020}", fact.event_id, fact.type, fact.data
    )


def alert(fact: StoredFact, of_type: str) -> Published:
    alarm = {**fact.data["clock"], "kind": "breach"}
    if of_type == SlaWarning.event_type:
        alarm |= {"kind": "warning", "percent": alarm["warned_percent"]}
    data = {**fact.data, "alarms": [alarm]}
    return Published(ALERTS.name, 0, fact.version, "engine", f"a{fact.version}", f"a-{fact.event_id}", of_type, data)


def right_ledger() -> Ledger:
    ledger = Ledger()
    for provider_id in ("m1", "m2"):
        ledger.message(InputKind.WEBHOOK, provider_id, "conversation").acknowledged = 1
    for key, of_type, mark, command_id in (("r", "reply", "mark-1", REPLY), ("s", "set-status", "", SOLVE)):
        sent = ledger.command(key, TICKET, of_type, mark)
        sent.command_id, sent.outcome = command_id, "applied"
    return ledger


def flaws(world: World, ledger: Ledger | None = None) -> list[str]:
    return find_flaws(ledger or right_ledger(), world) + find_alarm_flaws(world, TARGETS, GRACE)


def test_nothing_is_wrong_with_what_is_right() -> None:
    assert flaws(right_world()) == []


def test_a_repeated_record_with_the_same_sequence_is_right() -> None:
    world = right_world()
    world.published.append(replace(world.published[0], offset=99))
    assert flaws(world) == []
    assert world.republished == 1


def without_message_two(world: World) -> None:
    world.inbound.pop()
    del world.facts[2]


def with_message_two_twice(world: World) -> None:
    world.inbound.append(Inbound("m2", "routed", TICKET, 1))


def with_a_second_ticket(world: World) -> None:
    world.inbound[1] = replace(world.inbound[1], ticket_id=REPLY)


def with_a_version_gap(world: World) -> None:
    world.facts[5] = replace(world.facts[5], version=9)


def with_an_old_row(world: World) -> None:
    world.tickets[0] = replace(world.tickets[0], version=5)


def with_another_status(world: World) -> None:
    world.tickets[0] = replace(world.tickets[0], columns={**world.tickets[0].columns, "status": "open"})


def without_conversation_row(world: World) -> None:
    world.conversation.pop()


def with_a_fact_unpublished(world: World) -> None:
    del world.published[4]


def with_a_fact_published_anew(world: World) -> None:
    world.published.append(replace(world.published[3], sequence="another"))


def with_an_invented_fact(world: World) -> None:
    world.published[5] = replace(world.published[5], event_id="another")


def with_facts_swapped(world: World) -> None:
    world.published[4], world.published[5] = world.published[5], world.published[4]


def with_the_reply_twice(world: World) -> None:
    again = replace(world.facts[4], version=7)
    world.facts.append(again)
    world.published.append(record(again))


def without_the_status(world: World) -> None:
    world.facts[5] = replace(world.facts[5], causation_id="somebody else")


def without_the_outcome(world: World) -> None:
    del world.outcomes[str(REPLY)]


def without_the_breach(world: World) -> None:
    del world.facts[3]


def with_the_warning_twice(world: World) -> None:
    world.facts.append(replace(world.facts[1], version=7))


def with_an_alarm_after_the_stop(world: World) -> None:
    early = {**world.facts[5].data, "clock": clock("resolution", 50)}
    world.facts.append(replace(world.facts[1], version=7, data=early))


def without_the_alert(world: World) -> None:
    world.published = [each for each in world.published if each.type != SlaBreached.event_type]


def with_the_alert_under_two_sequences(world: World) -> None:
    world.published.append(replace(world.published[-1], sequence="another"))


def with_messages_swapped(world: World) -> None:
    first, second = world.facts[0].data["message"], world.facts[2].data["message"]
    first["provider_id"], second["provider_id"] = "m2", "m1"


def without_the_row_of_a_receipt(world: World) -> None:
    failed = {**world.facts[5].data, "version": 7, "message": {**said(20, "customer", "", ""), "kind": "status"}}
    world.facts.append(StoredFact(TICKET, 7, f"{TICKET}-7", MessageRevised.event_type, "", failed))
    world.tickets[0] = replace(world.tickets[0], version=7)
    world.published.append(record(world.facts[6]))


def with_a_dead_letter(world: World) -> None:
    world.trouble.append("dead letter: nothing could be read")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (without_message_two, "LOSS: webhook m2"),
        (with_message_two_twice, "DUPLICATE: webhook m2"),
        (with_a_second_ticket, "DUPLICATE: conversation"),
        (with_a_version_gap, "has the versions [1, 2, 3, 4, 5, 9]"),
        (with_an_old_row, "is at version 5, its events at 6"),
        (with_another_status, "columns ['status']"),
        (without_conversation_row, "is not in `messages`"),
        (with_a_fact_unpublished, "LOSS: stored but not published"),
        (with_a_fact_published_anew, "published under two sequences"),
        (with_an_invented_fact, "published otherwise than stored"),
        (with_facts_swapped, "published out of order"),
        (with_the_reply_twice, "DUPLICATE: reply r"),
        (without_the_status, "LOSS: set-status s"),
        (without_the_outcome, "recorded is None"),
        (without_the_breach, "metric=<Metric.FIRST_RESPONSE: 'first_response'>, cycle=1, percent=100), due at"),
        (with_the_warning_twice, "came 2 times"),
        (with_an_alarm_after_the_stop, "event time does not demand"),
        (without_the_alert, "0 times among the alerts"),
        (with_the_alert_under_two_sequences, "2 times among the alerts"),
        (with_messages_swapped, "OUT OF ORDER: m1 stands"),
        (without_the_row_of_a_receipt, "version 7 is not in `messages`"),
        (with_a_dead_letter, "dead letter"),
    ],
)
def test_each_wrong_is_found(spoil: Callable[[World], None], said: str) -> None:
    world = right_world()
    spoil(world)
    assert any(said in flaw for flaw in flaws(world)), flaws(world)


def test_an_unacknowledged_message_may_be_missing_or_there_once() -> None:
    ledger, world = right_ledger(), right_world()
    ledger.message(InputKind.MAIL, "m3", "other")
    ledger.messages["m2"].acknowledged = 0
    assert flaws(world, ledger) == []


def test_a_refused_command_that_had_an_effect_is_found() -> None:
    ledger = right_ledger()
    ledger.commands["r"].outcome = "conflict"
    assert any("is conflict and has 1 effects" in flaw for flaw in flaws(right_world(), ledger))
