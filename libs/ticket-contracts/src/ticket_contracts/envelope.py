"""CloudEvents 1.0 in Kafka's binary content mode: the value is the data, attributes are `ce_` headers.

Source: cloudevents/spec, bindings/kafka-protocol-binding.md §3.2. Reading accepts structured mode as well.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

Headers = list[tuple[str, bytes]]

CONTENT_TYPE = b"application/json"
_STRUCTURED = b"application/cloudevents+json"
_OPTIONAL = ("subject", "partitionkey", "sequence", "traceparent", "correlationid", "causationid")


class NotAnEvent(ValueError):
    """The record is not a CloudEvent; it names the attribute at fault."""


@dataclass(frozen=True, slots=True)
class Event:
    """One CloudEvent. `data` is the JSON payload as bytes; `time` is aware; extensions are from the registry.

    `causationid` is the id of the event that caused this one, `correlationid` that of the first of the chain.
    `sequence` is zero-padded so that its string order is its numeric order (CloudEvents `sequence` extension).
    """

    id: str
    source: str
    type: str
    time: datetime
    data: bytes
    subject: str | None = None
    partitionkey: str | None = None
    sequence: str | None = None
    traceparent: str | None = None
    correlationid: str | None = None
    causationid: str | None = None

    def headers(self) -> Headers:
        """Return the record headers of binary mode."""
        headers: Headers = [
            ("content-type", CONTENT_TYPE),
            ("ce_specversion", b"1.0"),
            ("ce_id", self.id.encode()),
            ("ce_source", self.source.encode()),
            ("ce_type", self.type.encode()),
            ("ce_time", self.time.isoformat().encode()),
        ]
        for name in _OPTIONAL:
            value = getattr(self, name)
            if value is not None:
                headers.append(("ce_" + name, value.encode()))
        return headers


def read_event(headers: Iterable[tuple[str, bytes | None]], value: bytes | None) -> Event:
    """Build the event of a Kafka record in either content mode.

    :raises NotAnEvent: a required attribute is absent or malformed, or there is no data.
    """
    attributes = {name.lower(): content for name, content in headers if content is not None}
    if attributes.get("content-type", b"").lower().startswith(_STRUCTURED):
        return _read_structured(value)
    if value is None:
        raise NotAnEvent("value: absent; a Firebreak event always has data")
    try:
        named = {name[3:]: content.decode() for name, content in attributes.items() if name.startswith("ce_")}
    except UnicodeDecodeError as error:
        raise NotAnEvent("ce_ header: not UTF-8") from error
    return _build(named, value)


def _read_structured(value: bytes | None) -> Event:
    try:
        envelope = json.loads(value or b"")
    except (ValueError, RecursionError) as error:  # deeper nesting than the parser can follow is an attack
        raise NotAnEvent("value: not a JSON envelope") from error
    if not isinstance(envelope, dict) or "data" not in envelope:
        raise NotAnEvent("data: absent from the envelope")
    try:
        data = json.dumps(envelope.pop("data"), ensure_ascii=False).encode()
        attributes = {name: str(content) for name, content in envelope.items() if content is not None}
        "".join(attributes.values()).encode()
    except UnicodeEncodeError as error:
        raise NotAnEvent("value: holds half a character (a lone surrogate), which no UTF-8 can carry") from error
    return _build(attributes, data)


def _build(attributes: dict[str, str], data: bytes) -> Event:
    for name in ("specversion", "id", "source", "type", "time"):
        if not attributes.get(name):
            raise NotAnEvent(f"ce_{name}: absent")
    if attributes["specversion"] != "1.0":
        raise NotAnEvent(f"ce_specversion: {attributes['specversion']!r} is not 1.0")
    try:
        time = datetime.fromisoformat(attributes["time"])
    except ValueError as error:
        raise NotAnEvent("ce_time: not an RFC 3339 time") from error
    if time.tzinfo is None:
        raise NotAnEvent("ce_time: has no offset")
    return Event(
        id=attributes["id"],
        source=attributes["source"],
        type=attributes["type"],
        time=time,
        data=data,
        **{name: attributes.get(name) for name in _OPTIONAL},
    )
