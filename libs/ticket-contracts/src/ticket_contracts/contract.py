"""What every payload has in common."""

import json
from collections.abc import Set as AbstractSet
from typing import Annotated, ClassVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

Instant = AwareDatetime
"""An aware time; written in UTC with an offset (RFC 3339)."""

Words = Annotated[str, Field(max_length=64 * 1024)]
"""Text of people inside an event; what is longer goes to object storage (MAX_EVENT_BYTES)."""

FieldValue = bool | int | Annotated[float, Field(allow_inf_nan=False)] | Annotated[str, Field(max_length=4000)]
"""The value of a custom field, of the type that the configuration gives it; dates are written as ISO 8601."""

Name = Annotated[str, Field(min_length=1, max_length=200)]


class Contract(BaseModel):
    """Base of payloads and their parts. Readers ignore fields they do not know."""

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)  # inputs are people's words


class Payload(Contract):
    """Data of one event type; `event_type` is the CloudEvents `type`, its last part the major version."""

    event_type: ClassVar[str]

    def encode(self) -> bytes:
        """Return the JSON bytes that go into the record's value."""
        return self.model_dump_json(exclude_none=True).encode()


def canonical(model: BaseModel, leave_out: AbstractSet[str] = frozenset()) -> bytes:
    """Return the UTF-8 JSON of what the model says beyond its defaults, names in order.

    Two versions write the same bytes for the same content, though one of them has gained optional fields or written
    the fields in another order: what is hashed here may be compared there. That a default never changes is held by
    `ticket_contracts.compatibility`.
    """
    said = model.model_dump(mode="json", exclude=set(leave_out), exclude_defaults=True)
    return json.dumps(said, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def event_types(*payloads: type[Payload]) -> dict[str, type[Payload]]:
    """Return the table from event type to payload model."""
    return {payload.event_type: payload for payload in payloads}


__all__ = ["Contract", "FieldValue", "Instant", "Name", "Payload", "Words", "canonical", "event_types"]
