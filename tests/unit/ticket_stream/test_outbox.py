from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.ticket_stream.records import NOW, owned
from ticket_contracts.envelope import read_event
from ticket_contracts.topics import MAX_EVENT_BYTES, partition_of
from ticket_stream.failures import PoisonRecord
from ticket_stream.outbox import number_events, pack_headers, unpack_headers
from ticket_stream.owned import Move
from ticket_stream.processing import NewEvent, Partition

COUNTS = {"out.v1": 6}


def new_event(number: int = 0, *, topic: str = "out.v1", key: str = "k", data: bytes = b"{}") -> NewEvent:
    return NewEvent(Partition("in.v1", number), topic, key, f"id of {key}", "test.v1", NOW, data, causation_id="cause")


def test_each_origin_counts_on_its_own_from_its_transactions_revision() -> None:
    moves = [Move.stay(owned(0)), Move.stay(owned(1))]

    rows = number_events([new_event(0), new_event(1), new_event(0, key="l")], moves, COUNTS, 1234)

    assert [row.sequence for row in rows[1]] == [8 * 65_536, 8 * 65_536 + 1]
    assert [row.sequence for row in rows[2]] == [8 * 65_536]


def test_a_row_is_the_whole_record() -> None:
    ((row,),) = number_events([new_event(key="ticket")], [Move.stay(owned())], COUNTS, 1234).values()

    event = read_event(row.headers, row.value)
    assert (row.topic, row.partition, row.timestamp) == ("out.v1", partition_of(b"ticket", 6), 1234)
    assert (event.source, event.sequence) == ("/firebreak/1/tests/in.v1/0", f"{8 * 65_536:019d}")
    assert (event.partitionkey, event.causationid, row.key) == ("ticket", "cause", b"ticket")


def test_an_event_must_fit_before_the_commit() -> None:
    with pytest.raises(PoisonRecord, match="at most"):
        number_events([new_event(data=b"x" * (MAX_EVENT_BYTES + 1))], [Move.stay(owned())], COUNTS, 0)


def test_attributes_must_fit_too_or_kafka_would_refuse_the_record_for_ever() -> None:
    with pytest.raises(PoisonRecord, match="attributes"):
        number_events([replace(new_event(), causation_id="x" * 300_000)], [Move.stay(owned())], COUNTS, 0)


@pytest.mark.parametrize("event", [new_event(1), new_event(topic="elsewhere.v1")])
def test_an_event_from_or_to_somewhere_else_is_a_bug(event: NewEvent) -> None:
    with pytest.raises(ValueError, match=r"origin outside|does not write"):
        number_events([event], [Move.stay(owned(0))], COUNTS, 0)


names = st.text(st.characters(codec="ascii", exclude_characters="\0"))


@given(st.lists(st.tuples(names, st.binary().filter(lambda value: b"\0" not in value)), min_size=1))
def test_headers_come_back_as_they_were(headers: list[tuple[str, bytes]]) -> None:
    assert unpack_headers(pack_headers(headers)) == headers


def test_an_attribute_with_a_nul_is_refused_rather_than_torn_apart() -> None:
    with pytest.raises(PoisonRecord):
        pack_headers([("ce_subject", b"a\0b")])
