"""Packets of the manager interface, of which a caller chooses parts."""

import asyncio

import pytest

from ingest_pull.ami_connection import ManagerConnection


@pytest.mark.parametrize("line_break", ["\u2028", "\x85", "\x0b", "\n", "\r"])
async def test_a_callers_name_cannot_add_a_field(line_break: str) -> None:
    reader = asyncio.StreamReader()
    name = f"Ann{line_break}UniqueID: forged"
    reader.feed_data(f"Event: Cdr\r\nCallerID: {name}\r\nUniqueID: 17.4\r\n\r\n".encode())
    packet = await ManagerConnection(reader, None).next_event(1.0)  # type: ignore[arg-type]  # nothing is written
    assert packet is not None
    assert packet["UniqueID"] == "17.4"
