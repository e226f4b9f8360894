from dataclasses import replace

import pytest

from tests.unit.ticket_stream.records import event, owned, raw
from ticket_stream.owned import Previous
from ticket_stream.reading import read_records

SOURCE = "/firebreak/1/router/support.messages.v1/4"


def numbered(offset: int, sequence: int, source: str = SOURCE):  # type: ignore[no-untyped-def]
    return raw(offset, event(source, str(sequence)).headers())


def test_a_sequence_that_is_not_higher_is_a_repeat_and_the_position_moves_on() -> None:
    reading = read_records(owned(), [numbered(0, 5), numbered(1, 5), numbered(2, 4), numbered(3, 6)], {SOURCE: 4})

    assert [record.offset for record in reading.records] == [0, 3]
    assert reading.repeats == 2
    assert reading.move.next_offset == 4
    assert reading.move.seen == {SOURCE: 6}


def test_sequences_of_different_origins_are_not_compared() -> None:
    reading = read_records(owned(), [numbered(0, 9), numbered(1, 3, SOURCE[:-1] + "5")], {})

    assert len(reading.records) == 2


def test_an_event_of_an_edge_is_never_a_repeat() -> None:
    same = event("/edge", "1").headers()

    assert len(read_records(owned(), [raw(0, same), raw(1, same)], {}).records) == 2


def test_reading_stops_before_what_is_no_event_and_keeps_the_rest() -> None:
    reading = read_records(owned(), [numbered(0, 1), raw(1), numbered(2, 2)], {})

    assert reading.poison is not None
    assert (reading.poison.raw.offset, reading.poison.reason) == (1, "ce_specversion: absent")
    assert reading.move.next_offset == 1
    assert [item.offset for item in reading.rest] == [2]


def test_a_poison_record_is_not_remembered_as_seen_or_it_would_look_repeated_later() -> None:
    undecodable = raw(0, event(SOURCE, "8").headers(), key=b"\xff")

    reading = read_records(owned(), [undecodable], {})
    assert reading.poison is not None
    assert reading.move.seen == {}


def test_a_sequence_that_no_table_could_hold_is_poison() -> None:
    for sequence in ("9" * 30, "9" * 5_000, "-1", "1.5", "x"):
        assert read_records(owned(), [raw(0, event(SOURCE, sequence).headers())], {}).poison is not None


@pytest.mark.parametrize("timestamp", [-1, 10**17, -(10**17)])
def test_a_time_stamp_that_is_no_time_costs_nobody_the_partition(timestamp: int) -> None:
    strange = replace(raw(0, event().headers()), timestamp=timestamp)

    (record,) = read_records(owned(), [strange], {}).records
    assert record.appended_at.year in (1970, 9999)


def test_the_record_before_the_position_is_known_by_time_stamp_key_and_value() -> None:
    one, other_key, other_value = raw(3), raw(3, key=b"l"), raw(3, value=b"[]")

    assert len({Previous.of(one), Previous.of(other_key), Previous.of(other_value)}) == 3
    assert read_records(owned(), [numbered(3, 1)], {}).move.previous == Previous.of(numbered(3, 1))
