"""Telephone systems that only write files: what happened at the telephone is on the agents' desk all the same."""

import time
from uuid import uuid4

from tests.support.agent_desk import AgentDesk, wait_for
from tests.support.stack import Stack


def call_row(unique_id: str, caller: str, disposition: str, channel: str = "PJSIP/201-1") -> str:
    """A row of Asterisk's cdr_csv, times in UTC."""
    moment = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime())
    seconds = 30 if disposition == "ANSWERED" else 0
    answered = moment if seconds else ""
    return (
        f'"","{caller}","4000","from-trunk","{caller}","PJSIP/trunk-{unique_id}","{channel}","Dial","PJSIP/201,30",'
        f'"{moment}","{answered}","{moment}",{seconds},{seconds},"{disposition}","DOCUMENTATION","{unique_id}",""\n'
    )


async def test_a_missed_call_in_a_growing_log_becomes_a_timed_ticket_and_rotation_loses_none(
    stack: Stack, desk: AgentDesk
) -> None:
    log = stack.layout.call_logs / "Master.csv"
    callers = [f"139{uuid4().int % 10**8:08}" for _ in range(3)]
    with log.open("a") as file:
        file.write(call_row(f"{uuid4().hex}.1", callers[0], "NO ANSWER"))
        file.write(call_row(f"{uuid4().hex}.2", callers[1], "NO ANSWER")[:40])  # a row that is being written
    first = await desk.find_ticket(f"Missed call from +86{callers[0]}")
    assert (first["channel"], first["status"]) == ("phone", "new")
    assert first["first_response_due_at"] is not None
    rest = call_row(f"{uuid4().hex}.2", callers[1], "NO ANSWER")[40:]
    with log.open("a") as file:
        file.write(rest)
    log.rename(log.with_name("Master.csv.1"))
    log.write_text(call_row(f"{uuid4().hex}.3", callers[2], "ANSWERED"))
    await desk.find_ticket(f"Missed call from +86{callers[1]}")
    await desk.find_ticket(f"Call from +86{callers[2]}")


async def test_a_killed_reader_goes_on_where_its_cursor_stood(stack: Stack, desk: AgentDesk) -> None:
    log = stack.layout.call_logs / "Master.csv"
    callers = [f"138{uuid4().int % 10**8:08}" for _ in range(2)]
    with log.open("a") as file:
        file.write(call_row(f"{uuid4().hex}.1", callers[0], "BUSY"))
    await desk.find_ticket(f"Missed call from +86{callers[0]}")
    await stack.parts["ingest-pull"].kill()
    with log.open("a") as file:
        file.write(call_row(f"{uuid4().hex}.2", callers[1], "BUSY"))
    await stack.parts["ingest-pull"].start()
    await desk.find_ticket(f"Missed call from +86{callers[1]}")  # and find_ticket fails when there are two of one call

    async def only_one() -> bool:
        found = [ticket["subject"] for ticket in await desk.tickets(limit=200)]
        return found.count(f"Missed call from +86{callers[0]}") == 1

    await wait_for(only_one, "one ticket of the first call")
