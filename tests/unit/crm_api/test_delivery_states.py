"""What a reader is shown of an answer's way, and of a message that tells it."""

from datetime import timedelta

import pytest

from crm_api.delivery_states import view_delivery
from crm_api.responses import DeliveryView
from tests.unit.crm_api.test_newest_files import NOON, entry
from tests.unit.sla_engine.case import AGENT
from ticket_contracts.messages import Delivery
from ticket_contracts.vocabulary import DeliveryState, MessageKind

READ = DeliveryView(
    state=DeliveryState.READ,
    delivered_at=NOON,
    read_at=NOON + timedelta(minutes=1),
    failed_at=None,
    reason="",
)


@pytest.mark.parametrize(("provider_id", "shown"), [("wamid.9", READ), ("wamid.8", None), ("", None)])
def test_an_answer_is_shown_with_what_was_told_of_its_id(provider_id: str, shown: DeliveryView | None) -> None:
    answer = entry(MessageKind.CREATED, provider_id).model_copy(update={"author": AGENT})
    assert view_delivery(answer, {"wamid.9": READ}) == shown


def test_a_customers_message_with_the_same_id_is_not_taken_for_the_answer() -> None:
    assert view_delivery(entry(MessageKind.CREATED, "wamid.9"), {"wamid.9": READ}) is None


def test_a_message_of_the_kind_status_tells_its_own() -> None:
    failed = Delivery(state=DeliveryState.FAILED, reason="131026: Undeliverable")
    told = entry(MessageKind.STATUS, "wamid.9").model_copy(update={"delivery": failed})
    assert view_delivery(told, {"wamid.9": READ}) == DeliveryView(
        state=DeliveryState.FAILED, delivered_at=None, read_at=None, failed_at=NOON, reason="131026: Undeliverable"
    )
