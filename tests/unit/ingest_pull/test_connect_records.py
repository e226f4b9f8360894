"""Amazon Connect's contact records, as Firehose writes them: JSON after JSON, at least once, transfers apart."""

import gzip
import json
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from ingest_pull.kinds import connect_records
from tests.unit.ingest_pull.pulling import Desk

# The fields of the data model's page, a customer's call that an agent took.
RECORD: dict[str, Any] = {
    "AWSAccountId": "123456789012", "AWSContactTraceRecordFormatVersion": "2017-03-10", "Channel": "VOICE",
    "Agent": {"AgentInteractionDuration": 95, "ConnectedToAgentTimestamp": "2026-11-26T11:00:20Z", "Username": "ann"},
    "Attributes": {}, "ContactId": "c-1", "InitialContactId": None, "PreviousContactId": None, "NextContactId": None,
    "CustomerEndpoint": {"Address": "+8613800138000", "Type": "TELEPHONE_NUMBER"},
    "SystemEndpoint": {"Address": "+864006001234", "Type": "TELEPHONE_NUMBER"},
    "InitiationMethod": "INBOUND", "InitiationTimestamp": "2026-11-26T11:00:00Z",
    "DisconnectTimestamp": "2026-11-26T11:01:55Z", "DisconnectReason": "CUSTOMER_DISCONNECT",
    "LastUpdateTimestamp": "2026-11-26T11:03:01Z", "Queue": {"Name": "support", "Duration": 18}, "Recording": None,
}  # fmt: skip
ABANDONED = {"Agent": None, "ContactId": "c-2"}


@pytest.fixture
def desk() -> Desk:
    return Desk()


def write(folder: Path, name: str, *changes: dict[str, Any], between: str = "") -> None:
    place = folder / name
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(between.join(json.dumps(RECORD | change) for change in changes))


def read(desk: Desk, folder: Path, **options: Any) -> list[Any]:
    return desk.run(desk.build("connect-records", url=folder.as_uri(), settle_seconds=0, **options))


@pytest.mark.parametrize("between", ["", "\n"])
def test_records_of_one_file_are_read_with_and_without_line_breaks(tmp_path: Path, desk: Desk, between: str) -> None:
    write(tmp_path, "2026/11/26/11/contacts-1", {}, ABANDONED, between=between)
    answered, missed = read(desk, tmp_path)
    assert (answered.call.call_id, answered.call.answered, answered.call.seconds) == ("c-1", True, 95)
    assert (answered.sender.value, answered.recipients[0].value) == ("+8613800138000", "+864006001234")
    assert (missed.call.answered, missed.call.hangup_cause) == (False, "CUSTOMER_DISCONNECT")


PACKED = gzip.compress(json.dumps(RECORD).encode())


def test_files_that_firehose_compressed_are_read_beside_others(tmp_path: Path, desk: Desk) -> None:
    write(tmp_path, "1", {})
    packed = [gzip.compress(json.dumps(RECORD | {"ContactId": name}).encode()) for name in ("c-2", "c-3")]
    (tmp_path / "2.gz").write_bytes(b"".join(packed))
    assert sorted(message.call.call_id for message in read(desk, tmp_path)) == ["c-1", "c-2", "c-3"]


@pytest.mark.parametrize(
    "content",
    [PACKED[:-9], b"\x1f\x8bnothing", gzip.compress(b" " * 100_000), PACKED + json.dumps(RECORD).encode()],
    ids=["cut off", "damaged", "too long", "then not compressed"],
)
def test_a_compressed_file_that_cannot_be_read_is_counted_and_the_next_is_read(
    tmp_path: Path, desk: Desk, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connect_records, "LARGEST_OBJECT", 50_000)
    (tmp_path / "1").write_bytes(content)
    write(tmp_path, "2", {})
    assert len(read(desk, tmp_path)) == 1
    assert desk.unreadable() == 1


def test_an_object_that_appears_behind_later_names_is_read(tmp_path: Path, desk: Desk) -> None:
    write(tmp_path, "11/contacts-2", {})
    assert len(read(desk, tmp_path)) == 1
    write(tmp_path, "11/contacts-1", ABANDONED)
    [late] = read(desk, tmp_path)
    assert late.call.call_id == "c-2"
    assert read(desk, tmp_path) == []


def test_each_object_is_read_once_and_new_ones_are_found(tmp_path: Path, desk: Desk) -> None:
    write(tmp_path, "11/contacts-1", {})
    assert len(read(desk, tmp_path)) == 1
    assert read(desk, tmp_path) == []
    write(tmp_path, "11/contacts-2", ABANDONED)
    assert len(read(desk, tmp_path)) == 1


def test_a_transferred_call_waits_for_its_next_contact_and_is_one_record(tmp_path: Path, desk: Desk) -> None:
    write(tmp_path, "1", {"NextContactId": "c-9", "Agent": None})
    assert read(desk, tmp_path) == []
    transferred = {"ContactId": "c-9", "InitialContactId": "c-1", "PreviousContactId": "c-1",
                   "InitiationMethod": "TRANSFER", "InitiationTimestamp": "2026-11-26T11:00:30Z"}  # fmt: skip
    write(tmp_path, "2", transferred)
    [message] = read(desk, tmp_path)
    assert (message.call.call_id, message.call.answered) == ("c-1", True)


@pytest.mark.parametrize(
    "change",
    [{"Channel": "CHAT"}, {"Channel": "TASK"}, {"InitiationMethod": "OUTBOUND"}, {"InitiationMethod": "API"}],
    ids=lambda change: next(iter(change.values())),
)
def test_what_is_no_call_of_a_customer_is_ignored(tmp_path: Path, desk: Desk, change: dict[str, str]) -> None:
    write(tmp_path, "1", change)
    assert read(desk, tmp_path) == []
    assert desk.unreadable() == 0


def test_a_record_that_is_delivered_again_has_the_same_identity(tmp_path: Path, desk: Desk) -> None:
    write(tmp_path, "1", {})
    [first] = read(desk, tmp_path)
    write(tmp_path, "2", {"LastUpdateTimestamp": "2026-11-26T12:00:00Z"})
    [again] = read(desk, tmp_path)
    assert again.identity == first.identity


def test_what_cannot_be_read_is_counted_and_the_rest_is_read(tmp_path: Path, desk: Desk) -> None:
    write(tmp_path, "1", {"InitiationTimestamp": "yesterday"}, {})
    (tmp_path / "2").write_text(json.dumps(RECORD | ABANDONED) + '{"half')
    assert len(read(desk, tmp_path)) == 2
    assert desk.unreadable() == 2


def test_the_cursor_forgets_names_that_no_object_will_be_put_before(tmp_path: Path, desk: Desk) -> None:
    for number in range(3):
        write(tmp_path, f"contacts-{number}", {"ContactId": f"c-{number}"})
    assert len(read(desk, tmp_path)) == 3
    hours_ago = (desk.now - timedelta(hours=3)).isoformat()
    done = dict.fromkeys(("contacts-0", "contacts-1"), hours_ago) | {"contacts-2": desk.now.isoformat()}
    desk.set_cursor({"after": "", "done": done, "pending": []})
    write(tmp_path, "contacts-3", {"ContactId": "c-3"})
    os.utime(tmp_path / "contacts-3", (desk.now.timestamp(), desk.now.timestamp()))
    assert len(read(desk, tmp_path)) == 1
    assert desk.cursor["after"] == "contacts-1"
    assert set(desk.cursor["done"]) == {"contacts-2", "contacts-3"}


def test_an_address_that_is_none_is_told() -> None:
    with pytest.raises(ValidationError, match="url"):
        Desk().build("connect-records", url="kinesis://stream")


def test_what_the_database_could_not_keep_is_left_out_of_a_record(tmp_path: Path, desk: Desk) -> None:
    write(tmp_path, "11/contacts-1", {"Queue": {"Name": "sup\0port"}, "SystemEndpoint": None, "NextContactId": "c-2"})
    assert read(desk, tmp_path) == []
    assert desk.cursor["pending"][0]["callee"] == "support"
