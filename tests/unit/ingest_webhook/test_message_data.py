"""The edge's own way of writing a message is the contract's, byte for byte."""

from typing import Any

from hypothesis import given
from msgspec import UNSET

from ingest_webhook.message_data import ConversationData, MessageData, Person
from tests.unit.ticket_contracts.payload_strategies import payloads
from ticket_contracts.messages import Conversation, MessageReceived, Party


def mirrored(message: MessageReceived) -> MessageData:
    fields: dict[str, Any] = {name: UNSET if value is None else value for name, value in message}
    return MessageData(
        **fields
        | {
            "message_id": str(message.message_id),
            "conversation": ConversationData(**dict(message.conversation)),
            "sender": Person(**dict(message.sender)),
            "recipients": tuple(Person(**dict(recipient)) for recipient in message.recipients),
        }
    )


@given(payloads(MessageReceived))
def test_every_message_is_written_as_the_contract_writes_it(message: MessageReceived) -> None:
    assert mirrored(message).encode() == message.encode()


def test_what_is_not_given_has_the_default_of_the_contract() -> None:
    for mirror, contract in ((MessageData, MessageReceived), (Person, Party), (ConversationData, Conversation)):
        names = mirror.__struct_fields__
        assert names == tuple(contract.model_fields)
        defaults = dict(zip(reversed(names), reversed(mirror.__struct_defaults__), strict=False))
        for name, field in contract.model_fields.items():
            if mirror is MessageData or name in defaults:
                continue
            assert field.is_required(), name
