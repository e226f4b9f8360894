"""CloudEvents 1.0 in Kafka's binary content mode: the value is the data, attributes are `ce_` headers.

Source: cloudevents/spec, bindings/kafka-protocol-binding.md §3.2. Reading accepts structured mode as well.
"""

import json
from collections.abc import Iterable
from datetime import datetime

from msgspec import Struct

Headers = list[tuple[str, bytes]]

CONTENT_TYPE = b"application/json"
_STRUCTURED = b"application/cloudevents+json"
_REQUIRED = ("specversion", "id", "source", "type", "time")
_OPTIONAL = ("subject", "partitionkey", "sequence", "traceparent", "correlationid", "causationid")
# Our own spelling, for one look-up a header.
_ATTRIBUTES = {f"ce_{name}": name for name in (*_REQUIRED, *_OPTIONAL)}


class NotAnEvent(ValueError):
    """The record is not a CloudEvent; it names the attribute at fault."""


class Event(Struct, frozen=True):
    """One CloudEvent. `data` is the JSON payload as bytes; `time` is aware; extensions are from the registry.

    `causationid` is the id of the event that caused this one, `correlationid` that of the first of the chain.
    `sequence` is zero-padded so that its string order is its numeric order (CloudEvents `sequence` extension).

    A Struct, because each record that is written or read makes one, and a frozen dataclass costs ten times as much.
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
        for name, value in (
            ("ce_subject", self.subject),
            ("ce_partitionkey", self.partitionkey),
            ("ce_sequence", self.sequence),
            ("ce_traceparent", self.traceparent),
            ("ce_correlationid", self.correlationid),
            ("ce_causationid", self.causationid),
        ):
            if value is not None:
                headers.append((name, value.encode()))
        return headers


def read_event(headers: Iterable[tuple[str, bytes | None]], value: bytes | None) -> Event:
    """Build the event of a Kafka record in either content mode.

    :raises NotAnEvent: a required attribute is absent or malformed, or there is no data.
    """
    content_type, named = CONTENT_TYPE, {}
    undecodable: UnicodeDecodeError | None = None
    for spelled, content in headers:
        if content is None:
            continue
        name = _ATTRIBUTES.get(spelled)
        if name is None:
            lowered = spelled.lower()
            if lowered == "content-type":
                content_type = content
            if not lowered.startswith("ce_"):
                continue
            name = lowered[3:]
        try:
            named[name] = content.decode()
        except UnicodeDecodeError as error:
            undecodable = error
    if content_type != CONTENT_TYPE and content_type.lower().startswith(_STRUCTURED):
        return _read_structured(value)
    if value is None:
        raise NotAnEvent("value: absent; a Firebreak event always has data")
    if undecodable is not None:
        raise NotAnEvent("ce_ header: not UTF-8") from undecodable
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
    get = attributes.get
    version, event_id, source, event_type, written = map(get, _REQUIRED)
    if not (version and event_id and source and event_type and written):
        absent = next(name for name in _REQUIRED if not get(name))
        raise NotAnEvent(f"ce_{absent}: absent")
    if version != "1.0":
        raise NotAnEvent(f"ce_specversion: {version!r} is not 1.0")
    try:
        time = datetime.fromisoformat(written)
    except ValueError as error:
        raise NotAnEvent("ce_time: not an RFC 3339 time") from error
    if time.tzinfo is None:
        raise NotAnEvent("ce_time: has no offset")
    return Event(
        event_id,
        source,
        event_type,
        time,
        data,
        subject=get("subject"),
        partitionkey=get("partitionkey"),
        sequence=get("sequence"),
        traceparent=get("traceparent"),
        correlationid=get("correlationid"),
        causationid=get("causationid"),
    )
