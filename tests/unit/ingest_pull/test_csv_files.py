"""Any CSV by a mapping file: what its columns mean is configuration, and what is wrong is said in words."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from ingest_pull.domain.csv_mapping import MappingWrong
from tests.unit.ingest_pull.pulling import Desk
from ticket_contracts.vocabulary import IdentityKind

CALLS = {
    "kind": "call",
    "columns": {
        "id": "流水号", "caller": "主叫号码", "callee": "被叫号码", "started_at": "呼叫时间", "seconds": "通话时长",
        "outcome": "状态",
    },
    "answered": ["已接听"],
    "ignored": ["呼出"],
}  # fmt: skip
FORMS = {
    "kind": "message",
    "columns": {
        "id": "No",
        "sender": "Contact",
        "sender_name": "Name",
        "text": ["Problem", "Device"],
        "sent_at": "When",
    },
}
HEADER = "流水号,主叫号码,被叫号码,呼叫时间,通话时长,状态\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "exports").mkdir()
    return tmp_path / "exports"


def read(folder: Path, mapping: dict[str, Any], content: bytes, desk: Desk | None = None, **options: Any) -> list[Any]:
    desk = desk or Desk()
    (folder / "export.csv").write_bytes(content)
    return desk.run(desk.build("csv", **wanted(folder, mapping, **options)))


def wanted(folder: Path, mapping: object, **options: Any) -> dict[str, Any]:
    place = folder.parent / "mapping.yaml"
    place.write_text(yaml.safe_dump(mapping, allow_unicode=True), encoding="utf-8")
    return {"folder": folder, "mapping": str(place), "zone": "Asia/Shanghai", "region": "CN", **options}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk"])
def test_an_export_with_chinese_headers_is_read_in_any_usual_encoding(folder: Path, encoding: str) -> None:
    rows = "A1,13800138000,400,2026/11/26 19:00:00,0:01:15,已接听\nA2,02161234567,400,2026-11-26 19:05,0,未接听\n"
    answered, missed = read(folder, CALLS, (HEADER + rows).encode(encoding), language="zh")
    assert (answered.call.answered, answered.call.seconds) == (True, 75)
    assert answered.call.started_at == datetime(2026, 11, 26, 11, 0, tzinfo=UTC)
    assert (missed.call.answered, missed.call.caller, missed.call.hangup_cause) == (False, "+862161234567", "未接听")
    assert missed.subject == "未接来电：+862161234567"


def test_rows_of_an_outcome_to_ignore_are_no_calls(folder: Path) -> None:
    assert read(folder, CALLS, f"{HEADER}A1,13800138000,1,2026-11-26 19:00:00,5,呼出\n".encode()) == []


def test_rows_of_one_call_are_one_record(folder: Path) -> None:
    rows = "A1,13800138000,1,2026-11-26 19:00:00,0,未接听\nA1,13800138000,2,2026-11-26 19:00:20,40,已接听\n"
    [message] = read(folder, CALLS, (HEADER + rows).encode())
    assert (message.call.answered, message.call.seconds, message.call.callee) == (True, 40, "1")


def test_a_form_that_somebody_filled_in_is_a_message(folder: Path) -> None:
    row = '7,Li Wei,Li.Wei@Example.com,2026-11-26 19:00,Oven,"It smells,\nstrongly"'
    content = f"No,Name,Contact,When,Device,Problem\n{row}\n"
    [message] = read(folder, FORMS, content.encode())
    assert (message.text, message.subject) == ("It smells,\nstrongly\nOven", "It smells,")
    assert (message.sender.kind, message.sender.value, message.sender.name) == (
        IdentityKind.EMAIL,
        "li.wei@example.com",
        "Li Wei",
    )
    assert message.sent_at == datetime(2026, 11, 26, 11, 0, tzinfo=UTC)
    assert not message.may_auto_answer


@pytest.mark.parametrize(
    ("contact", "kind", "value"),
    [
        ("138 0013 8000", IdentityKind.PHONE, "+8613800138000"),
        ("客户甲", IdentityKind.EXTERNAL, "客户甲"),
        ("", IdentityKind.EXTERNAL, "unnamed:7"),
    ],
)
def test_a_sender_is_a_number_an_address_or_a_name(folder: Path, contact: str, kind: IdentityKind, value: str) -> None:
    content = f"No,Name,Contact,When,Device,Problem\n7,,{contact},,,Broken\n"
    [message] = read(folder, FORMS, content.encode())
    assert (message.sender.kind, message.sender.value) == (kind, value)


def test_a_row_without_an_id_is_known_again_by_all_it_says(folder: Path) -> None:
    mapping = {"kind": "message", "columns": {"sender": "Contact", "text": "Problem"}}
    content = b"Contact,Problem\na@b.example,Broken\na@b.example,Broken again\n"
    first = [message.identity for message in read(folder, mapping, content)]
    assert first == [message.identity for message in read(folder, mapping, content)]
    assert len(set(first)) == 2


def test_rows_that_are_added_later_are_read_by_the_header_of_the_file(folder: Path) -> None:
    desk = Desk()
    job = desk.build("csv", **wanted(folder, CALLS))
    file = folder / "export.csv"
    file.write_text(f"{HEADER}A1,13800138000,1,2026-11-26 19:00:00,0,未接听\n")
    assert len(desk.run(job)) == 1
    with file.open("a") as opened:
        opened.write("A2,13800138001,1,2026-11-26 19:01:00,0,未接听\n")
    [message] = desk.run(job)
    assert message.provider_id == "A2"


@pytest.mark.parametrize(
    "row",
    [
        "A2,13800138000,1,yesterday,0,未接听",
        "A2,13800138000,1,2026-11-26 19:00:00,soon,未接听",
        ",13800138000,1,2026-11-26 19:00:00,0,未接听",
        "A2,13800138000",
        'A2,13800138000,1,2026-11-26 19:00:00,0,"未接听"x',
    ],
)
def test_a_row_that_cannot_be_read_is_counted_and_the_next_is_read(folder: Path, row: str) -> None:
    desk = Desk()
    content = f"{HEADER}{row}\nA3,13800138000,1,2026-11-26 19:00:00,0,未接听\n"
    [message] = read(folder, CALLS, content.encode(), desk)
    assert message.provider_id == "A3"
    assert desk.unreadable() == 1


def test_a_file_that_does_not_fit_its_mapping_stays_unread_until_it_does(folder: Path) -> None:
    desk = Desk()
    with pytest.raises(MappingWrong, match="no column '通话时长', '状态' in the file; it has 流水号,"):
        read(folder, CALLS, "流水号,主叫号码,被叫号码,呼叫时间\nA1,1,1,1\n".encode(), desk)
    assert desk.cursor == {}
    assert len(read(folder, CALLS, f"{HEADER}A1,13800138000,1,2026-11-26 19:00:00,0,未接听\n".encode(), desk)) == 1


@pytest.mark.parametrize(
    ("mapping", "words"),
    [
        ({"kind": "fax"}, "does not match any of the expected tags"),
        ({"kind": "call", "columns": {"caller": "a"}}, "columns.started_at: Field required"),
        ({"kind": "call", "columns": {"caller": "a", "started_at": "b"}}, "map `outcome` or `seconds`"),
        ({"kind": "call", "columns": {"caller": "a", "started_at": "b", "outcome": "c"}}, "say under `answered`"),
        ({"kind": "message", "columns": {"sender": "a", "text": "b", "cc": "d"}}, "Extra inputs"),
        ("just words", "valid dictionary"),
    ],
)
def test_a_mapping_that_is_wrong_is_told_at_the_start(folder: Path, mapping: object, words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Desk().build("csv", **wanted(folder, mapping))


def test_a_mapping_that_is_not_there_is_told_at_the_start(folder: Path) -> None:
    with pytest.raises(ValidationError, match=r"absent\.yaml: No such file"):
        Desk().build("csv", folder=folder, mapping=str(folder / "absent.yaml"))


@pytest.mark.parametrize("never", ["0001-01-01 00:00:00", "9999-12-31 23:59:59"])
def test_a_moment_that_means_never_makes_its_row_unreadable_and_not_the_file(folder: Path, never: str) -> None:
    rows = f"A1,13800138000,400,{never},75,已接听\nA2,13800138000,400,2026-11-26 19:05,75,已接听\n"
    assert [message.call.call_id for message in read(folder, CALLS, (HEADER + rows).encode())] == ["A2"]
