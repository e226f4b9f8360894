"""CloudEvents in binary mode: read by an independent library, and the other way round."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary, to_binary, to_structured
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from ticket_contracts.envelope import Event, NotAnEvent, read_event

WHEN = datetime(2026, 11, 23, 10, 0, 0, 123000, tzinfo=UTC)
EVENT = Event(
    id="7f-1",
    source="/firebreak/1/sla-engine/support.commands.v1/3",
    type="firebreak.ticket.opened.v1",
    time=WHEN,
    data='{"subject":"着火了"}'.encode(),
    subject="7f",
    partitionkey="7f",
    sequence="00000000000000065536",
    traceparent="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    correlationid="first",
    causationid="cause",
)

words = st.text(st.characters(codec="utf-8"), min_size=1)
optional_words = st.none() | words
times = st.datetimes(
    min_value=datetime(1970, 1, 1),  # noqa: DTZ001 - the zone is added below
    timezones=st.integers(-23 * 60, 23 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes))),
)
events = st.builds(
    Event,
    id=words,
    source=words,
    type=words,
    time=times,
    data=st.binary(),
    subject=optional_words,
    partitionkey=optional_words,
    sequence=optional_words,
    traceparent=optional_words,
    correlationid=optional_words,
    causationid=optional_words,
)


@given(events)
def test_every_event_comes_back_from_its_headers_as_it_was(event: Event) -> None:
    assert read_event(event.headers(), event.data) == event


def test_an_independent_reader_understands_our_record() -> None:
    read = from_binary(KafkaMessage(dict(EVENT.headers()), b"7f", EVENT.data), JSONFormat())

    assert (read.get_id(), read.get_source(), read.get_type()) == (EVENT.id, EVENT.source, EVENT.type)
    assert (read.get_time(), read.get_subject()) == (WHEN, "7f")
    assert read.get_data() == {"subject": "着火了"}
    for name in ("partitionkey", "sequence", "traceparent", "correlationid", "causationid"):
        assert read.get_extension(name) == getattr(EVENT, name)


def foreign_event() -> CloudEvent:
    attributes = {
        "id": "7f-1",
        "source": EVENT.source,
        "type": EVENT.type,
        "specversion": "1.0",
        "datacontenttype": "application/json",
        "subject": "7f",
        "time": WHEN,
        **{
            name: getattr(EVENT, name)
            for name in ("partitionkey", "sequence", "traceparent", "correlationid", "causationid")
        },
    }
    return CloudEvent(attributes, json.loads(EVENT.data))


def test_we_understand_the_binary_record_of_an_independent_writer() -> None:
    message = to_binary(foreign_event(), JSONFormat())

    read = read_event(list(message.headers.items()), message.value)

    assert json.loads(read.data) == json.loads(EVENT.data)
    assert read == replace(EVENT, data=read.data)


def test_we_understand_the_structured_record_of_an_independent_writer() -> None:
    message = to_structured(foreign_event(), JSONFormat())

    read = read_event(list(message.headers.items()), message.value)

    assert json.loads(read.data) == json.loads(EVENT.data)
    assert read == replace(EVENT, data=read.data)


def test_structured_mode_is_known_by_the_beginning_of_its_content_type_in_any_case() -> None:
    envelope = json.dumps(
        {"specversion": "1.0", "id": "1", "source": "/s", "type": "t", "time": WHEN.isoformat(), "data": {"a": 1}}
    ).encode()

    read = read_event([("Content-Type", b"Application/CloudEvents+JSON; charset=UTF-8")], envelope)

    assert (read.id, json.loads(read.data)) == ("1", {"a": 1})


def without(name: str) -> list[tuple[str, bytes]]:
    return [header for header in EVENT.headers() if header[0] != name]


@pytest.mark.parametrize("name", ["ce_specversion", "ce_id", "ce_source", "ce_type", "ce_time"])
def test_a_record_without_a_required_attribute_is_no_event_and_the_attribute_is_named(name: str) -> None:
    with pytest.raises(NotAnEvent, match=name):
        read_event(without(name), EVENT.data)


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("ce_specversion", b"0.3"),
        ("ce_time", b"yesterday"),
        ("ce_time", b"2026-11-23T10:00:00"),  # no offset
        ("ce_subject", b"\xff\xfe"),
    ],
)
def test_a_malformed_attribute_is_no_event(header: str, value: bytes) -> None:
    with pytest.raises(NotAnEvent):
        read_event([*without(header), (header, value)], EVENT.data)


def test_a_tombstone_is_no_event() -> None:
    with pytest.raises(NotAnEvent, match="absent"):
        read_event(EVENT.headers(), None)


STRUCTURED = [("content-type", b"application/cloudevents+json")]


@pytest.mark.parametrize(
    "value",
    [
        None,
        b"",
        b"[]",
        b"{",
        b"\xff",
        b'{"data": 1}',
        b"[" * 100_000,  # deeper than the reader can go
        b'{"specversion":"1.0","id":"1","source":"/s","type":"t","time":"2026-11-23T10:00:00Z","data":"\\ud800"}',
        b'{"specversion":"1.0","id":"\\ud800","source":"/s","type":"t","time":"2026-11-23T10:00:00Z","data":1}',
    ],
)
def test_a_malformed_envelope_is_no_event_and_nothing_worse(value: bytes | None) -> None:
    with pytest.raises(NotAnEvent):
        read_event(STRUCTURED, value)


@given(st.lists(st.tuples(st.sampled_from([name for name, _ in EVENT.headers()]), st.binary())), st.binary())
def test_no_record_makes_the_reader_fail_in_another_way(headers: list[tuple[str, bytes]], value: bytes) -> None:
    for mode in (headers, [*EVENT.headers(), *headers], STRUCTURED):
        try:
            read_event(mode, value)
        except NotAnEvent as error:
            assert str(error)  # noqa: PT017 - both outcomes are allowed, a third is not
