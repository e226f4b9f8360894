"""Asterisk's Master.csv: one call is one record, whatever the number of its rows."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from tests.unit.ingest_pull.pulling import Desk

# asterisk/asterisk, cdr/cdr_csv.c: values in quotation marks, numbers without.
_ANSWERED = (
    '"","13800138000","4000","from-trunk","""Li Wei"" <13800138000>","PJSIP/trunk-0000000a","PJSIP/201-0000000b",'
    '"Queue","support,t","2026-11-26 19:00:00","2026-11-26 19:00:02","2026-11-26 19:02:02",122,120,"ANSWERED",'
    '"DOCUMENTATION","1795690800.10",""'
)
ROW: dict[str, str] = {
    "src": "13800138000", "dst": "4000", "clid": '""Li Wei"" <13800138000>', "channel": "PJSIP/trunk-0000000a",
    "dstchannel": "PJSIP/201-0000000b", "lastapp": "Dial", "lastdata": "PJSIP/201,30", "start": "2026-11-26 19:00:00",
    "answer": "2026-11-26 19:00:05", "end": "2026-11-26 19:02:05", "billsec": "120", "disposition": "ANSWERED",
    "uniqueid": "1795690800.10", "linkedid": "1795690800.10", "sequence": "7",
}  # fmt: skip


def row(**changes: str) -> str:
    """A row of all 21 columns."""
    values = ROW | changes
    order = (
        "accountcode src dst dcontext clid channel dstchannel lastapp lastdata start answer end duration billsec "
        "disposition amaflags uniqueid userfield peeraccount linkedid sequence"
    )
    return ",".join(f'"{values.get(name, "")}"' for name in order.split())


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "Master.csv"


def options(log: Path, **more: Any) -> dict[str, Any]:
    return {"folder": log.parent, "begin": "start", "zone": "Asia/Shanghai", "region": "CN", "settle_seconds": 0} | more


def read(log: Path, *rows: str, **more: Any) -> list[Any]:
    desk = Desk()
    log.write_bytes("".join(f"{line}\n" for line in rows).encode(more.pop("written_in", "utf-8")))
    return desk.run(desk.build("asterisk-cdr", **options(log, **more)))


def test_an_answered_call_is_logged_with_its_numbers_times_and_length(log: Path) -> None:
    [message] = read(log, _ANSWERED)
    assert message.call is not None
    assert (message.call.answered, message.call.seconds) == (True, 120)
    assert (message.call.caller, message.sender.value, message.sender.name) == ("+8613800138000",) * 2 + ("Li Wei",)
    assert message.call.started_at == datetime(2026, 11, 26, 11, 0, tzinfo=UTC)  # 19:00 in Shanghai
    assert message.sent_at == datetime(2026, 11, 26, 11, 2, 2, tzinfo=UTC)
    assert message.provider_id == "1795690800.10"


@pytest.mark.parametrize(
    "changes",
    [
        {"disposition": "NO ANSWER", "billsec": "0"},
        {"disposition": "BUSY", "billsec": "0"},
        {"lastapp": "Queue", "dstchannel": ""},  # hung up while the music played
        {"lastapp": "BackGround", "dstchannel": ""},  # in the menu
        {"lastapp": "VoiceMail", "lastdata": "4000@default,u", "dstchannel": ""},
    ],
    ids=lambda changes: " ".join(changes.values()),
)
def test_a_call_that_nobody_of_ours_talked_in_is_missed(log: Path, changes: dict[str, str]) -> None:
    [message] = read(log, row(**changes))
    assert message.call is not None
    assert (message.call.answered, message.call.seconds) == (False, 0)
    assert message.subject == "Missed call from +8613800138000"


def test_a_conference_is_answered_without_a_second_channel(log: Path) -> None:
    [message] = read(log, row(lastapp="ConfBridge", dstchannel=""))
    assert message.call is not None
    assert message.call.answered


def test_all_legs_of_a_call_are_one_record_in_whatever_order_they_come(log: Path) -> None:
    rang = row(
        uniqueid="1795690803.11", src="201", dst="s", channel="Local/201@agents-0001;2", dstchannel="PJSIP/201-1",
        disposition="NO ANSWER", billsec="0", start="2026-11-26 19:00:03", end="2026-11-26 19:00:18", sequence="8",
    )  # fmt: skip
    for rows in ([rang, row()], [row(), rang]):
        [message] = read(log, *rows)
        assert message.call is not None
        assert (message.call.call_id, message.call.caller) == ("1795690800.10", "+8613800138000")
        assert (message.call.answered, message.call.seconds) == (True, 120)


def test_a_call_is_told_only_when_the_callers_own_channel_has_ended(log: Path) -> None:
    desk = Desk()
    job = desk.build("asterisk-cdr", **options(log))
    log.write_text(row(uniqueid="1795690803.11", disposition="NO ANSWER", billsec="0") + "\n")
    assert desk.run(job) == []
    assert desk.run(desk.build("asterisk-cdr", **options(log))) == []  # another process has the leg from the cursor
    with log.open("a") as file:
        file.write(row() + "\n")
    [message] = desk.run(job)
    assert message.call is not None
    assert message.call.answered


def test_a_leg_whose_call_never_ends_is_told_after_some_hours(log: Path) -> None:
    desk = Desk()
    job = desk.build("asterisk-cdr", **options(log))
    log.write_text(row(uniqueid="1795690803.11", disposition="NO ANSWER", billsec="0") + "\n")
    assert desk.run(job) == []
    desk.now += timedelta(hours=5)
    assert len(desk.run(job)) == 1
    assert desk.cursor["pending"] == []


def test_a_call_waits_for_more_rows_as_long_as_the_setting_says(log: Path) -> None:
    desk = Desk()
    job = desk.build("asterisk-cdr", **options(log, settle_seconds=10))
    log.write_text(row() + "\n")
    assert desk.run(job) == []
    desk.now += timedelta(seconds=10)
    assert len(desk.run(job)) == 1
    assert desk.run(job) == []


def test_a_call_from_an_extension_is_nobodys_message(log: Path) -> None:
    assert read(log, row(src="201", clid='""Ann"" <201>')) == []
    assert len(read(log, row(src="201"), internal_numbers=r"1\d\d")) == 1


@pytest.mark.parametrize("written_in", ["utf-8", "gbk"])
def test_chinese_names_are_read_in_either_encoding(log: Path, written_in: str) -> None:
    [message] = read(log, row(clid='""王芳"" <13800138000>'), written_in=written_in, language="zh")
    assert message.sender.name == "王芳"
    assert message.subject == "来电：+8613800138000"


def test_who_withholds_the_number_is_a_contact_of_their_own(log: Path) -> None:
    [message] = read(log, row(src="anonymous", clid="anonymous"))
    assert message.sender.value == "withheld:1795690800.10"


def test_a_row_that_is_no_record_is_counted_and_the_next_is_read(log: Path) -> None:
    desk = Desk()
    log.write_text(f'"half","a row"\n{row(start="yesterday")}\n{row()}\n')
    assert len(desk.run(desk.build("asterisk-cdr", **options(log)))) == 1
    assert desk.unreadable() == 2


def test_the_order_of_columns_can_be_named_for_cdr_custom(log: Path) -> None:
    line = '"2026-11-26 19:00:00","ignored","13800138000","4000","NO ANSWER","1795690800.10"'
    [message] = read(log, line, columns=["start", "", "src", "dst", "disposition", "uniqueid"])
    assert (message.provider_id, message.recipients[0].value) == ("1795690800.10", "4000")


def test_the_same_row_has_the_same_identity_whoever_reads_it(log: Path) -> None:
    assert read(log, row())[0].identity == read(log, row())[0].identity


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"zone": "Beijing"}, "no time zone"),
        ({"folder": "relative"}, "absolute path"),
        ({"encoding": "utf-16"}, "one byte"),
        ({"encoding": "gkb"}, "no encoding"),
        ({"columns": ["start", "caller"]}, "knows no column caller"),
        ({"columns": ["src"]}, "needs a column `start`"),
        ({"region": "China"}, "two capital letters"),
        ({"polling": 1}, "Extra inputs"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_an_option_that_is_wrong_is_told(log: Path, wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Desk().build("asterisk-cdr", **options(log, **wrong))


def test_a_voicemail_comes_with_its_call(tmp_path: Path, log: Path) -> None:
    inbox = tmp_path / "voicemail" / "default" / "4000" / "INBOX"
    inbox.mkdir(parents=True)
    left_at = int(datetime(2026, 11, 26, 11, 0, 20, tzinfo=UTC).timestamp())
    for number, channel in enumerate(["PJSIP/other-00000001", ROW["channel"]]):
        fields = f"[message]\norigmailbox=4000\ncallerchan={channel}\norigtime={left_at}\nduration=9\n"
        (inbox / f"msg000{number}.txt").write_text(f";\n; Message Information file\n;\n{fields}")
        (inbox / f"msg000{number}.wav").write_bytes(b"RIFF %d" % number)
    desk = Desk()
    log.write_text(row(lastapp="VoiceMail", lastdata="4000@default,u", dstchannel="") + "\n")
    job = desk.build("asterisk-cdr", **options(log, voicemail_folder=tmp_path / "voicemail"))
    [message] = desk.run(job)
    assert "left a voicemail of 0:09" in message.text
    [attachment] = message.attachments
    assert (attachment.name, attachment.content.media_type) == ("voicemail.wav", "audio/wav")
    assert desk.stored[attachment.content.key] == b"RIFF 1"


@pytest.mark.parametrize("mailbox", ["4000@default", "../../etc@default", "4000@../.."])
def test_a_voicemail_that_is_not_found_is_named_for_the_agent(tmp_path: Path, log: Path, mailbox: str) -> None:
    (tmp_path / "voicemail").mkdir()
    voicemail_row = row(lastapp="VoiceMail", lastdata=mailbox, dstchannel="")
    [message] = read(log, voicemail_row, voicemail_folder=tmp_path / "voicemail")
    assert message.attachments == ()
    assert f"voicemail box {mailbox}" in message.reading_problems[0]


def test_the_calls_of_a_long_backlog_do_not_all_wait_in_the_cursor(log: Path) -> None:
    desk = Desk()
    log.write_text("".join(row(uniqueid=f"1.{n}", linkedid=f"1.{n}") + "\n" for n in range(1500)))
    assert len(desk.run(desk.build("asterisk-cdr", **options(log, settle_seconds=10)))) == 500
    assert len(desk.cursor["pending"]) == 1000
