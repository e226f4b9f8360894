"""The edge's own way of writing a message is the contract's, byte for byte."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from pydantic import BaseModel

from tests.unit.ticket_contracts.payload_strategies import payloads
from ticket_contracts.messages import Conversation, MessageReceived, Party
from ticket_intake.message_data import ConversationData, MessageData, Person


def mirrored(message: MessageReceived) -> MessageData:
    """Make what the edge would have made of the same values."""
    fields: dict[str, Any] = {name: msgspec.UNSET if value is None else value for name, value in message}
    fields["message_id"] = str(message.message_id)
    conversation = dict(message.conversation)
    conversation["ticket_id"] = str(message.conversation.ticket_id) if message.conversation.ticket_id else msgspec.UNSET
    fields["conversation"] = ConversationData(**conversation)
    fields["sender"] = Person(**dict(message.sender))
    fields["recipients"] = tuple(Person(**dict(recipient)) for recipient in message.recipients)
    return MessageData(**fields)


@given(payloads(MessageReceived))
def test_every_message_is_written_as_the_contract_writes_it(message: MessageReceived) -> None:
    assert mirrored(message).encode() == message.encode()


@pytest.mark.parametrize(
    ("mirror", "contract"), [(MessageData, MessageReceived), (Person, Party), (ConversationData, Conversation)]
)
def test_what_the_edge_leaves_out_has_the_default_of_the_contract(
    mirror: type[msgspec.Struct], contract: type[BaseModel]
) -> None:
    own = {field.name: field for field in msgspec.structs.fields(mirror)}
    assert list(own) == list(contract.model_fields)
    for name, field in contract.model_fields.items():
        if own[name].required or name == "kind":  # the edge always says the kind
            continue
        default = own[name].default
        assert (None if default is msgspec.UNSET else default) == field.default, name
