"""The table of topics, and the partition of a key that every producer must agree on."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticket_contracts.topics import COMMANDS, MAX_EVENT_BYTES, TOPICS, partition_of


@pytest.mark.parametrize(
    ("key", "crc"),
    [
        (b"123456789", 0xCBF43926),  # the check value of CRC-32/ISO-HDLC in the catalogue of CRC algorithms
        (b"", 0),
        (b"The quick brown fox jumps over the lazy dog", 0x414FA339),
    ],
)
def test_the_partition_is_crc_32_of_the_key_as_published_vectors_have_it(key: bytes, crc: int) -> None:
    assert [partition_of(key, count) for count in (6, 48, 2**32)] == [crc % 6, crc % 48, crc]


@given(st.binary(), st.integers(1, 1000))
def test_every_key_has_a_partition(key: bytes, partitions: int) -> None:
    assert 0 <= partition_of(key, partitions) < partitions


def test_topics_leave_room_for_the_largest_event_and_its_headers() -> None:
    assert all(int(topic.configuration()["max.message.bytes"]) > MAX_EVENT_BYTES for topic in TOPICS)


def test_commands_alone_count_from_the_brokers_clock() -> None:
    by_broker = [topic for topic in TOPICS if topic.configuration()["message.timestamp.type"] == "LogAppendTime"]

    assert by_broker == [COMMANDS]


def test_every_topic_has_a_name_with_its_major_version() -> None:
    names = [topic.name for topic in TOPICS]

    assert len(set(names)) == len(names)
    assert all(name.startswith("support.") and name.endswith(".v1") for name in names)
