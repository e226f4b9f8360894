"""Recordings that contact records name: which become files of their call, and which are only named."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from tests.unit.ingest_pull.pulling import Desk
from tests.unit.ingest_pull.test_connect_records import ABANDONED, read, write

BUCKET = "amazon-connect-0123/connect/shop/CallRecordings/2026/11/26"


def recording(name: str, **changes: Any) -> dict[str, Any]:
    return {
        "DeletionReason": None, "FragmentStartNumber": None, "FragmentStopNumber": None, "Location": f"{BUCKET}/{name}",
        "MediaStreamType": "AUDIO", "ParticipantType": "IVR", "StartTimestamp": "2026-11-26T11:00:00Z",
        "Status": "AVAILABLE", "StopTimestamp": "2026-11-26T11:00:20Z", "StorageType": "S3",
    } | changes  # fmt: skip


IVR = recording("c-2.wav")


@pytest.fixture
def desk() -> Desk:
    desk = Desk()
    desk.fetches_files = True
    return desk


def one(desk: Desk, folder: Path, change: dict[str, Any], **options: Any) -> Any:
    write(folder, "1", change)
    [message] = read(desk, folder, **options)
    assert desk.unreadable() == 0
    return message


def test_what_was_recorded_of_a_call_that_reached_no_agent_is_a_file_of_it(tmp_path: Path, desk: Desk) -> None:
    message = one(desk, tmp_path, ABANDONED | {"Recordings": [IVR], "Recording": {"Location": IVR["Location"]}})
    [file] = message.files
    assert (file.name, file.media_type, file.locator) == ("recording.wav", "audio/wav", IVR["Location"])
    assert (message.call.answered, message.reading_problems) == (False, ())
    assert "voicemail" not in message.text


@pytest.mark.parametrize("flag", ["0", "1"])
def test_a_voicemail_of_voicemail_express_is_called_one(tmp_path: Path, desk: Desk, flag: str) -> None:
    message = one(desk, tmp_path, ABANDONED | {"Recordings": [IVR], "Attributes": {"vmx3_flag": flag}})
    assert [file.name for file in message.files] == ["voicemail.wav"]
    assert message.text.endswith("\n+8613800138000 left a voicemail.")


def test_a_solution_of_ones_own_names_the_voicemail_in_an_attribute(tmp_path: Path, desk: Desk) -> None:
    change = ABANDONED | {"Recordings": [IVR], "Attributes": {"message": f"s3://{BUCKET}/left.mp3"}}
    message = one(desk, tmp_path, change, recordings={"voicemail_attribute": "message"}, language="zh")
    assert [(file.name, file.locator) for file in message.files] == [("voicemail.mp3", f"{BUCKET}/left.mp3")]
    assert message.text.endswith("\n+8613800138000 留下语音留言。")


def test_a_voicemail_without_a_file_is_told_in_words(tmp_path: Path, desk: Desk) -> None:
    stream = recording("stream", StorageType="KINESIS_VIDEO_STREAM")
    message = one(desk, tmp_path, ABANDONED | {"Recordings": [stream], "Attributes": {"vmx3_flag": "1"}})
    assert message.files == ()
    assert message.reading_problems == ("The voicemail stays at Amazon Connect: the contact record names no recording",)


def test_without_files_the_recording_is_named(tmp_path: Path) -> None:
    message = one(Desk(), tmp_path, ABANDONED | {"Recordings": [IVR]})
    assert message.files == ()
    assert message.reading_problems == (f"The recording stays at Amazon Connect: {IVR['Location']}",)


def test_a_talk_is_fetched_only_where_the_source_says_so(tmp_path: Path, desk: Desk) -> None:
    talk = {"Recordings": [recording("c-1.wav", ParticipantType="ALL"), IVR]}
    (tmp_path / "no").mkdir()
    silent = one(desk, tmp_path / "no", talk)
    assert (silent.call.answered, silent.files, silent.reading_problems) == (True, (), ())
    other = Desk()
    other.fetches_files = True
    (tmp_path / "yes").mkdir()
    message = one(other, tmp_path / "yes", talk, recordings={"talks": True})
    assert [file.name for file in message.files] == ["recording.wav"] * 2


def test_recordings_of_all_legs_belong_to_the_call_and_none_twice(tmp_path: Path, desk: Desk) -> None:
    write(tmp_path, "1", ABANDONED | {"NextContactId": "c-9", "Recordings": [IVR]})
    assert read(desk, tmp_path) == []
    transferred = {
        "ContactId": "c-9", "InitialContactId": "c-2", "Agent": None, "InitiationMethod": "QUEUE_TRANSFER",
        "InitiationTimestamp": "2026-11-26T11:00:30Z", "Recordings": [recording("c-9.wav"), IVR],
    }  # fmt: skip
    write(tmp_path, "2", transferred)
    [message] = read(desk, tmp_path)
    assert [file.locator.rpartition("/")[2] for file in message.files] == ["c-2.wav", "c-9.wav"]


@pytest.mark.parametrize(
    "entry",
    [
        recording("screen.mp4", MediaStreamType="VIDEO"),
        recording("c-2.wav", Status="DELETED"),
        recording("c-2.wav", Location=None),
        recording("c-2.wav", Location=7),
        recording("c-2.wav", Location=""),
        None,
        "x",
    ],
)
def test_what_is_no_sound_to_be_had_is_left_out(tmp_path: Path, desk: Desk, entry: object) -> None:
    message = one(desk, tmp_path, ABANDONED | {"Recordings": [entry]})
    assert (message.files, message.reading_problems) == ((), ())


@pytest.mark.parametrize("wrong", ["x", 7, {}, {"Location": "x"}])
def test_recordings_that_are_no_list_cost_no_call(tmp_path: Path, desk: Desk, wrong: object) -> None:
    message = one(desk, tmp_path, ABANDONED | {"Recordings": wrong, "Recording": wrong, "Attributes": wrong})
    assert message.files == ()


@pytest.mark.parametrize(
    "location", [f"{BUCKET}/../../Reports/1.wav", f"{BUCKET}/1.json", f"{BUCKET}/1.wav?a=b", "x" * 5000, "a\nb.wav"]
)
def test_a_location_that_is_none_is_named_with_the_reason(tmp_path: Path, desk: Desk, location: str) -> None:
    message = one(desk, tmp_path, ABANDONED | {"Recordings": [recording("", Location=location)]})
    assert message.files == ()
    [named] = message.reading_problems
    assert "it is not fetched: its name" in named
    assert len(named) < 500


def test_thousands_of_recordings_are_no_calls(tmp_path: Path, desk: Desk) -> None:
    message = one(desk, tmp_path, ABANDONED | {"Recordings": [recording(f"{n}.wav") for n in range(2000)]})
    assert len(message.files) == 20


def test_an_option_that_does_not_exist_is_told() -> None:
    with pytest.raises(ValidationError, match=r"recordings\.talk\b"):
        Desk().build("connect-records", url="file:///tmp", recordings={"talk": True})
