"""Packets of the manager interface, of which a caller chooses parts."""

import asyncio

import pytest

from ingest_pull.ami_connection import ManagerAway, ManagerConnection


@pytest.mark.parametrize("line_break", ["\u2028", "\x85", "\x0b", "\n", "\r"])
async def test_a_callers_name_cannot_add_a_field(line_break: str) -> None:
    reader = asyncio.StreamReader()
    name = f"Ann{line_break}UniqueID: forged"
    reader.feed_data(f"Event: Cdr\r\nCallerID: {name}\r\nUniqueID: 17.4\r\n\r\n".encode())
    [packet] = await ManagerConnection(reader, None).next_events(1.0)  # type: ignore[arg-type]  # nothing is written
    assert packet["UniqueID"] == "17.4"


async def test_what_came_together_is_had_together_and_a_half_packet_waits_for_its_rest() -> None:
    reader = asyncio.StreamReader()
    connection = ManagerConnection(reader, None)  # type: ignore[arg-type]  # nothing is written
    reader.feed_data(b"Event: A\r\n\r\nEvent: B\r\n\r\nEvent: C\r\n\r")
    assert [packet["Event"] for packet in await connection.next_events(1.0)] == ["A", "B"]
    reader.feed_data(b"\n")
    assert [packet["Event"] for packet in await connection.next_events(1.0)] == ["C"]


async def test_a_packet_without_an_end_is_not_kept() -> None:
    reader = asyncio.StreamReader()
    reader.feed_data(b"x" * 300_000)
    with pytest.raises(ManagerAway, match="longer than"):
        await ManagerConnection(reader, None).next_events(1.0)  # type: ignore[arg-type]  # nothing is written
