"""The judge of fault runs finds each wrong about receipts; shown right data it finds nothing."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from tests.support.ledger import Ledger
from tests.support.receipt_exactness import find_receipt_flaws
from tests.support.world import DeliveryRow, Inbound, StoredFact, World
from ticket_contracts.tickets import MessageRevised
from ticket_contracts.vocabulary import DeliveryState
from ticket_store.tables.delivery_receipts import provider_hash

DELIVERED, READ, FAILED = DeliveryState
TICKET = UUID("018f0000-0000-7000-8000-000000000001")
OTHER = UUID("018f0000-0000-7000-8000-000000000002")
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
LATER = NOON + timedelta(seconds=1)


def right_ledger() -> Ledger:
    """An answer that was read, one that failed, one of which nothing was told, and one to a stranger."""
    ledger = Ledger()
    for name in ("read", "failed", "untold"):
        command = ledger.command(name, TICKET, "reply", name)
        command.provider_id, command.outcome = name, "applied"
    told = [("read", READ, LATER, TICKET), ("read", DELIVERED, NOON, TICKET), ("failed", FAILED, NOON, TICKET)]
    for name, state, at, ticket_id in [*told, ("stranger", FAILED, NOON, None)]:
        ledger.receipt(name, "conversation", state, at, ticket_id).acknowledged = 1
    return ledger


def right_world() -> World:
    world = World(NOON + timedelta(minutes=5))
    kept = {"read": {DELIVERED: NOON, READ: LATER}, "failed": {FAILED: NOON}, "stranger": {FAILED: NOON}}
    nothing = dict.fromkeys(DeliveryState)
    world.deliveries = [DeliveryRow(provider_hash(name), nothing | times) for name, times in kept.items()]
    world.inbound = [Inbound(name, "recorded", None, 1) for name, times in kept.items() for _ in times]
    world.facts = [entry("failed")]
    world.shown = {"read": [READ], "failed": [FAILED], "untold": [None]}
    return world


def entry(answer: str, ticket_id: UUID = TICKET) -> StoredFact:
    message = {"kind": "status", "provider_id": answer}
    return StoredFact(ticket_id, 4, f"{ticket_id}-4", MessageRevised.event_type, "", {"message": message})


def flaws(world: World, ledger: Ledger | None = None) -> list[str]:
    return list(find_receipt_flaws(ledger or right_ledger(), world))


def test_nothing_is_wrong_with_what_is_right() -> None:
    assert flaws(right_world()) == []


def without_a_row(world: World) -> None:
    del world.deliveries[0]


def with_a_row_twice(world: World) -> None:
    world.deliveries.append(world.deliveries[0])


def with_a_row_of_nothing(world: World) -> None:
    world.deliveries.append(replace(world.deliveries[0], provider_hash=provider_hash("nothing")))


def with_another_time(world: World) -> None:
    world.deliveries[0] = replace(world.deliveries[0], times={DELIVERED: LATER, READ: LATER})


def with_a_state_forgotten(world: World) -> None:
    world.deliveries[0] = replace(world.deliveries[0], times={DELIVERED: NOON, READ: None})


def with_a_state_invented(world: World) -> None:
    world.deliveries[1] = replace(world.deliveries[1], times={FAILED: NOON, READ: NOON})


def without_an_identity(world: World) -> None:
    del world.inbound[0]


def with_an_identity_twice(world: World) -> None:
    world.inbound.append(world.inbound[0])


def without_the_entry(world: World) -> None:
    world.facts.clear()


def with_the_entry_twice(world: World) -> None:
    world.facts.append(replace(world.facts[0], version=5))


def with_the_entry_elsewhere(world: World) -> None:
    world.facts[0] = entry("failed", OTHER)


def with_an_entry_of_what_was_read(world: World) -> None:
    world.facts.append(entry("read"))


def with_an_entry_of_the_stranger(world: World) -> None:
    world.facts.append(entry("stranger", OTHER))


def with_an_entry_of_nothing(world: World) -> None:
    world.facts.append(entry("nothing"))


def with_less_shown(world: World) -> None:
    world.shown = {**world.shown, "read": [DELIVERED]}


def with_a_reply_shown_twice(world: World) -> None:
    world.shown = {**world.shown, "failed": [FAILED, FAILED]}


def with_a_reply_not_shown(world: World) -> None:
    world.shown = {**world.shown, "untold": []}


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (without_a_row, "LOSS: read read: acknowledged, and not kept"),
        (with_a_row_twice, "DUPLICATE: of read receipts are kept in 2 rows"),
        (with_a_row_of_nothing, "of an answer of which none told"),
        (with_another_time, "read delivered: told of"),
        (with_a_state_forgotten, "LOSS: read read"),
        (with_a_state_invented, "of failed is kept what nobody told"),
        (without_an_identity, "LOSS: read: identities"),
        (with_an_identity_twice, "DUPLICATE: read: identities"),
        (without_the_entry, "LOSS: failed: `status` entries: 0"),
        (with_the_entry_twice, "DUPLICATE: failed: `status` entries: 2"),
        (with_the_entry_elsewhere, f"stands in {OTHER}, where it does not belong"),
        (with_an_entry_of_what_was_read, "DUPLICATE: read: `status` entries: 1"),
        (with_an_entry_of_the_stranger, "DUPLICATE: stranger: `status` entries: 1"),
        (with_an_entry_of_nothing, "a receipt that nobody sent, of 'nothing'"),
        (with_less_shown, "of read is shown"),
        (with_a_reply_shown_twice, "of failed is shown"),
        (with_a_reply_not_shown, "of untold is shown"),
    ],
)
def test_each_wrong_is_found(spoil: Callable[[World], None], said: str) -> None:
    world = right_world()
    spoil(world)
    assert any(said in flaw for flaw in flaws(world)), flaws(world)


def test_an_unacknowledged_receipt_may_be_missing_or_there_once() -> None:
    ledger = right_ledger()
    ledger.receipts[2].acknowledged = 0
    assert flaws(right_world(), ledger) == []
    world = right_world()
    world.facts.clear()
    del world.deliveries[1], world.inbound[2]
    assert flaws(world, ledger) == []
    world = right_world()
    with_the_entry_twice(world)
    assert flaws(world, ledger) == ["DUPLICATE: failed: `status` entries: 2, of 0 acknowledged receipts"]
