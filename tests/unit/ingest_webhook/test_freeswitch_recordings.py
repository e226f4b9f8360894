"""Voicemails and recordings of FreeSWITCH: which paths of a call record become files, and which are only named."""

from typing import Any

import pytest
from pydantic import ValidationError

from ingest_webhook.providers.freeswitch_cdr import FreeswitchCdr
from ingest_webhook.providers.left_behind import with_files
from tests.support.partners.freeswitch import Encoding
from tests.unit.ingest_webhook.edge import SWITCH_SECRET, switch_sender
from tests.unit.ingest_webhook.readings import read_one
from ticket_intake.incoming import IncomingMessage

FOLDER = "/var/lib/freeswitch"
LEFT: dict[str, Any] = {
    "voicemail_file_path": f"{FOLDER}/storage/voicemail/default/acme.example/1000/msg_1f.wav",
    "voicemail_message_len": "00:00:12",
    "voicemail_account": "1000",
}
TALKS = {"recordings": {"talks": True}}


def received(
    options: dict[str, Any] | None = None, applications: list[dict[str, str]] | None = None, **variables: Any
) -> IncomingMessage:
    """Return the message of a call in which something was said for twenty seconds, as it is published with `files`."""
    sender = switch_sender()
    sender.encoding = Encoding.JSON
    request = sender.call(talked=20, app_log={"applications": applications or []}, **variables)
    return with_files(read_one(FreeswitchCdr.build(options or {}, [SWITCH_SECRET]), request))


def recorded(*paths: str) -> list[dict[str, str]]:
    return [{"app_name": "answer", "app_data": ""}, *({"app_name": "record_session", "app_data": p} for p in paths)]


def test_a_voicemail_is_a_file_of_a_call_that_nobody_answered() -> None:
    message = received(**LEFT)
    [file] = message.remote_files
    assert (file.name, file.media_type) == ("voicemail.wav", "audio/wav")
    assert file.locator == "storage/voicemail/default/acme.example/1000/msg_1f.wav"
    assert message.call is not None
    assert (message.call.answered, message.call.seconds) == (False, 0)
    assert message.text.endswith("\n+8613800138000 left a voicemail of 0:12.")
    assert message.reading_problems == ()


def test_without_files_the_voicemail_is_named() -> None:
    provider = FreeswitchCdr.build({"language": "zh"}, [SWITCH_SECRET])
    message = read_one(provider, switch_sender().call(**(LEFT | {"voicemail_message_len": "?"})))
    assert message.text.endswith("\n+8613800138000 留下语音留言。")
    assert message.reading_problems == (f"The voicemail stays at the switch: {LEFT['voicemail_file_path']}",)


def test_who_listens_to_a_mailbox_from_outside_leaves_nothing() -> None:
    message = received(voicemail_current_folder="inbox", **LEFT)
    assert message.call is not None
    assert (message.call.answered, message.remote_files, message.reading_problems) == (True, (), ())


@pytest.mark.parametrize("options", [{}, {"recordings": {"talks": False}}])
def test_a_talk_is_not_fetched_unless_the_source_says_so(options: dict[str, Any]) -> None:
    path = f"{FOLDER}/recordings/1.wav"
    message = received(options, recorded(path), cc_record_filename=path)
    assert (message.remote_files, message.reading_problems) == ((), ())


def test_a_talk_is_fetched_once_whichever_module_recorded_it() -> None:
    path = f"{FOLDER}/recordings"
    applications = recorded(f"{path}//2026-11-26-10:00:00.wav +600", f"{path}/queue.MP3", f"{path}/100%41.wav")
    message = received(TALKS, applications, cc_record_filename=f"{path}/queue.MP3", sofia_record_file=f"{path}/s.ogg")
    assert [(file.name, file.locator) for file in message.remote_files] == [
        ("recording.mp3", "recordings/queue.MP3"),
        ("recording.ogg", "recordings/s.ogg"),
        ("recording.wav", "recordings/2026-11-26-10:00:00.wav"),
    ]
    [refused] = message.reading_problems
    assert f"{path}/100%41.wav (it is not fetched: its name" in refused


def test_what_was_recorded_of_a_call_that_nobody_answered_is_no_talk() -> None:
    message = received(TALKS, recorded(f"{FOLDER}/recordings/1.wav"), hangup_cause="NO_ANSWER")
    assert (message.remote_files, message.reading_problems) == ((), ())


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/etc/passwd", "outside of the folder"),
        (f"{FOLDER}-other/1.wav", "outside of the folder"),
        ("1.wav", "outside of the folder"),
        ("http://169.254.169.254/1.wav", "outside of the folder"),
        ("shout://user:word@radio/1.mp3", "outside of the folder"),
        (f"{{force_channels=1}}{FOLDER}/1.wav", "outside of the folder"),
        (f"{FOLDER}/../../../etc/1.wav", "leads elsewhere"),
        (f"{FOLDER}/storage/./1.wav", "leads elsewhere"),
        (f"{FOLDER}/a\\..\\1.wav", "leads elsewhere"),
        (f"{FOLDER}/1.wav?x=", "leads elsewhere"),
        (f"{FOLDER}/{'x' * 300}.wav", "leads elsewhere"),
        (f"{FOLDER}/{'d/' * 600}1.wav", "leads elsewhere"),
        (f"{FOLDER}/db/core.db", "does not end as that of a sound"),
        (f"{FOLDER}/storage/.htpasswd", "leads elsewhere"),
        (f"{FOLDER}/video.mp4", "does not end as that of a sound"),
    ],
)
def test_a_path_that_is_no_sound_below_the_folder_is_named_with_the_reason(path: str, reason: str) -> None:
    message = received(**(LEFT | {"voicemail_file_path": path}))
    assert message.remote_files == ()
    [named] = message.reading_problems
    assert named.startswith("The voicemail stays at the switch: ")
    assert reason in named.partition("(it is not fetched: ")[2]
    assert message.call is not None
    assert not message.call.answered


@pytest.mark.parametrize("log", [None, "x", {"applications": {}}, {"applications": [1, {"app_name": 1}]}])
def test_a_log_of_applications_that_is_none_costs_no_call(log: object) -> None:
    sender = switch_sender()
    sender.encoding = Encoding.JSON
    message = read_one(FreeswitchCdr.build(TALKS, [SWITCH_SECRET]), sender.call(talked=20, app_log=log))
    assert message.reading_problems == ()


@pytest.mark.parametrize(
    "folder", ["", "/", "recordings", "/var/lib/", "/var/../etc", "https://x/y", "C:\\rec", "/a\n"]
)
def test_a_folder_that_is_none_is_told(folder: str) -> None:
    with pytest.raises(ValidationError, match=r"recordings\.folder"):
        FreeswitchCdr.build({"recordings": {"folder": folder}}, [SWITCH_SECRET])
