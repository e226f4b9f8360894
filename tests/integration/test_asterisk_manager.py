"""The exchange's manager interface over a real connection."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ingest_pull.ami_connection import ManagerAway, ManagerRefused
from ingest_pull.check_sources import attempts
from ingest_pull.kinds.parts import SecretsWrong
from tests.support.partners.asterisk_manager import SECRET, USER, AsteriskManager, asterisk_manager
from tests.support.stream_world import eventually
from tests.unit.ingest_pull.pulling import Desk
from ticket_intake.source_checks import Asked, Outcome
from ticket_stream.leased_jobs import Job

ASKED = Asked(Path(), None, {}, datetime.now(UTC))

# A record as cdr_manager.c writes it.
CDR = {
    "AccountCode": "", "Source": "13800138000", "Destination": "4000", "DestinationContext": "from-trunk",
    "CallerID": '"Li Wei" <13800138000>', "Channel": "PJSIP/trunk-0000000a", "DestinationChannel": "PJSIP/201-0000000b",
    "LastApplication": "Dial", "LastData": "PJSIP/201,30", "StartTime": "2026-11-26 19:00:00",
    "AnswerTime": "2026-11-26 19:00:05", "EndTime": "2026-11-26 19:02:05", "Duration": "125", "BillableSeconds": "120",
    "Disposition": "ANSWERED", "AMAFlags": "DOCUMENTATION", "UniqueID": "1795690800.10", "UserField": "",
}  # fmt: skip


def build(desk: Desk, manager: AsteriskManager, secret: str = f"{USER}:{SECRET}", **options: Any) -> Job:
    usual = {"host": "127.0.0.1", "port": manager.port, "region": "CN", "zone": "Asia/Shanghai", "settle_seconds": 0}
    return desk.build("asterisk-ami", [secret], [], **(usual | options))


@asynccontextmanager
async def listening(desk: Desk, manager: AsteriskManager, **options: Any) -> AsyncIterator["asyncio.Task[None]"]:
    task = asyncio.create_task(desk.listen(build(desk, manager, **options)))
    await manager.logged_in.wait()
    try:
        yield task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError, ManagerAway):
            await task


async def has(desk: Desk, count: int) -> bool:
    return len(desk.messages) >= count


@pytest.mark.parametrize("login", ["md5", "plain"])
async def test_a_call_record_becomes_a_message_by_either_login(login: str) -> None:
    desk = Desk()
    async with asterisk_manager() as manager, listening(desk, manager, login=login):
        manager.tell("Newchannel", Channel="PJSIP/trunk-0000000a")
        manager.tell("Cdr", **CDR)
        await eventually(lambda: has(desk, 1))
    [message] = desk.messages
    assert message.call is not None
    assert (message.call.answered, message.call.seconds, message.sender.name) == (True, 120, "Li Wei")
    assert message.call.started_at.isoformat() == "2026-11-26T11:00:00+00:00"
    assert ("Secret" in manager.logins[0]) == (login == "plain")


async def test_who_gives_up_waiting_is_missed_and_its_record_makes_no_second_call() -> None:
    desk = Desk()
    async with asterisk_manager() as manager, listening(desk, manager, settle_seconds=3600):
        manager.tell("QueueCallerAbandon", Queue="support", Uniqueid="1795690800.10", Linkedid="1795690800.10",
                     CallerIDNum="13800138000", CallerIDName="<unknown>", HoldTime="68")  # fmt: skip
        record = {"DestinationChannel": "", "LastApplication": "Queue", "LinkedID": "1795690800.10"}
        manager.tell("Cdr", **(CDR | record))
        await eventually(lambda: pending(desk, "2026-11-26T11:02:05Z"))
    assert desk.messages == []
    [waiting] = desk.cursor["pending"]
    assert (waiting["caller"], waiting.get("answered")) == ("13800138000", None)


async def pending(desk: Desk, ended_at: str) -> bool:
    return any(call["started_at"] == "2026-11-26T11:00:00Z" for call in desk.cursor.get("pending", []))


async def test_calls_that_are_told_together_are_handed_over_together() -> None:
    desk = Desk()
    async with asterisk_manager() as manager, listening(desk, manager):
        for number in range(200):
            manager.tell("Cdr", **(CDR | {"UniqueID": f"1795690800.{number}"}))
        await eventually(lambda: has(desk, 200))
    assert desk.moves < 20  # the operating system says how many come at once
    assert [message.provider_id for message in desk.messages] == [f"1795690800.{number}" for number in range(200)]


async def test_a_connection_that_is_lost_ends_the_run_and_the_next_one_connects_again() -> None:
    desk = Desk()
    async with asterisk_manager() as manager:
        async with listening(desk, manager) as task:
            manager.hang_up()
            with pytest.raises(ManagerAway, match="closed the connection"):
                await task
        async with listening(desk, manager):
            manager.tell("Cdr", **CDR)
            await eventually(lambda: has(desk, 1))


async def test_a_wrong_secret_is_told_without_it() -> None:
    desk = Desk()
    async with asterisk_manager() as manager:
        with pytest.raises(ManagerRefused) as caught:
            await desk.listen(build(desk, manager, f"{USER}:wrong-secret"))
    assert str(caught.value) == "login of firebreak: Authentication failed"


async def test_an_exchange_that_is_not_there_is_told() -> None:
    desk = Desk()
    async with asterisk_manager() as manager:
        job = build(desk, manager)
    with pytest.raises(ManagerAway, match="cannot be reached"):
        await desk.listen(job)


@pytest.mark.parametrize("secret", ["no-colon", ":secret", "user:"])
async def test_a_login_that_is_incomplete_is_told(secret: str) -> None:
    with pytest.raises(SecretsWrong, match="user:secret"):
        build(Desk(), AsteriskManager(), secret, port=5038)


async def test_a_record_that_cannot_be_read_is_counted_and_the_next_is_read() -> None:
    desk = Desk()
    async with asterisk_manager() as manager, listening(desk, manager):
        manager.tell("Cdr", **(CDR | {"StartTime": "yesterday"}))
        manager.tell("Cdr", **CDR)
        await eventually(lambda: has(desk, 1))
    assert desk.unreadable() == 1


async def test_a_check_logs_in_and_off_and_takes_no_call_from_who_listens() -> None:
    desk = Desk()
    async with asterisk_manager() as manager, listening(desk, manager):
        [attempt] = [each async for each in attempts(build(Desk(), manager), ASKED)]
        assert (attempt.outcome, attempt.answer) == (Outcome.PASSED, "let in")
        assert (len(manager.logins), manager.logoffs) == (2, 1)
        manager.tell("Cdr", **CDR)
        await eventually(lambda: has(desk, 1))


async def test_a_check_says_what_is_wrong_with_the_login_or_the_way_there() -> None:
    async with asterisk_manager() as manager:
        refused, away = build(Desk(), manager, f"{USER}:wrong"), build(Desk(), manager)
        [attempt] = [each async for each in attempts(refused, ASKED)]
        assert (attempt.outcome, attempt.answer) == (Outcome.FAILED, f"login of {USER}: Authentication failed")
    [attempt] = [each async for each in attempts(away, ASKED)]
    assert (attempt.outcome, "cannot be reached" in attempt.answer) == (Outcome.FAILED, True)
