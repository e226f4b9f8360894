"""Asterisk's queue_log: who gave up waiting is a customer who was missed."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.unit.ingest_pull.pulling import Desk

ENTERED = "1795690800|1795690800.10|support|NONE|ENTERQUEUE||13800138000|1"


def read(tmp_path: Path, *lines: str) -> list[Any]:
    desk = Desk()
    (tmp_path / "queue_log").write_text("".join(f"{line}\n" for line in lines))
    options: dict[str, Any] = {"folder": tmp_path, "begin": "start", "region": "CN", "settle_seconds": 0}
    found = desk.run(desk.build("asterisk-queue-log", **options))
    assert desk.unreadable() == 0
    return found


@pytest.mark.parametrize(
    "left",
    ["ABANDON|1|1|68", "EXITWITHTIMEOUT|1|1|60", "EXITEMPTY|1|1|5", "EXITWITHKEY|9|1"],
    ids=lambda left: left.partition("|")[0],
)
def test_a_caller_who_leaves_the_queue_was_missed(tmp_path: Path, left: str) -> None:
    [message] = read(tmp_path, ENTERED, f"1795690868|1795690800.10|support|NONE|{left}")
    assert message.call is not None
    assert not message.call.answered
    assert (message.call.caller, message.call.callee) == ("+8613800138000", "support")
    assert message.call.hangup_cause == left.partition("|")[0]
    assert message.call.started_at == datetime.fromtimestamp(1795690800, UTC)


@pytest.mark.parametrize(
    ("ended", "seconds"),
    [
        ("COMPLETECALLER|10|25|1", 25),
        ("COMPLETEAGENT|10|25|1", 25),
        ("BLINDTRANSFER|300|from-internal|10|25|1", 25),
        ("TRANSFER|300|from-internal|10|25|1", 25),
        ("ATTENDEDTRANSFER|BRIDGE|c7f2", 30),  # its data differ by method: from CONNECT to now
    ],
    ids=lambda value: str(value).partition("|")[0],
)
def test_a_call_that_an_agent_took_is_logged_with_its_length(tmp_path: Path, ended: str, seconds: int) -> None:
    connected = "1795690810|1795690800.10|support|PJSIP/201|CONNECT|10|1795690801.11|3"
    [message] = read(tmp_path, ENTERED, connected, f"1795690840|1795690800.10|support|PJSIP/201|{ended}")
    assert message.call is not None
    assert (message.call.answered, message.call.seconds) == (True, seconds)


def test_a_caller_who_waits_is_no_message_yet(tmp_path: Path) -> None:
    assert read(tmp_path, ENTERED, "1795690815|1795690800.10|support|PJSIP/201|RINGNOANSWER|15000") == []


def test_who_goes_from_one_queue_to_the_next_is_one_call(tmp_path: Path) -> None:
    [message] = read(
        tmp_path,
        ENTERED,
        "1795690860|1795690800.10|support|NONE|EXITWITHTIMEOUT|1|1|60",
        "1795690861|1795690800.10|overflow|NONE|ENTERQUEUE||13800138000|1",
        "1795690870|1795690800.10|overflow|PJSIP/301|CONNECT|9|1795690865.12|3",
        "1795690900|1795690800.10|overflow|PJSIP/301|COMPLETEAGENT|9|30|1",
    )
    assert message.call is not None
    assert (message.call.answered, message.call.seconds, message.call.callee) == (True, 30, "support")


def test_lines_about_agents_and_the_queue_itself_are_no_calls(tmp_path: Path) -> None:
    assert (
        read(
            tmp_path,
            "1795690000|NONE|NONE|NONE|QUEUESTART|",
            "1795690001|CLI|support|PJSIP/201|ADDMEMBER|",
            "1795690002|MANAGER|support|PJSIP/201|PAUSE|lunch",
        )
        == []
    )


def test_a_call_that_entered_before_we_read_is_told_without_its_number(tmp_path: Path) -> None:
    [message] = read(tmp_path, "1795690868|1795690800.10|support|NONE|ABANDON|1|1|68")
    assert message.sender.value == "withheld:1795690800.10"


def test_a_line_that_is_none_is_counted(tmp_path: Path) -> None:
    desk = Desk()
    (tmp_path / "queue_log").write_text("garbage\nnow|1.1|q|NONE|ABANDON|1|1|1\n")
    assert desk.run(desk.build("asterisk-queue-log", folder=tmp_path, begin="start")) == []
    assert desk.unreadable() == 2
