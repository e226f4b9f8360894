"""Recordings of calls: one table, each row with every way to be wrong."""

from collections.abc import Iterator

import httpx
import pytest
import stamina

from ingest_files.errors import TryLater
from tests.support.partners.call_recordings import (
    LOGIN_PAGE,
    AircallRecordings,
    DialpadRecordings,
    SwitchRecordings,
    TwilioRecordings,
)
from tests.support.partners.file_platforms import CONTENT, PRIVATE
from tests.unit.ingest_files.test_token_schemes import MOST_BYTES, Around, Row
from ticket_contracts.vocabulary import FileState

TWILIO = f"https://api.twilio.com{TwilioRecordings.prefix}"
ROWS = [
    Row("twilio-voice", TwilioRecordings, f"{TWILIO}{{}}", "404"),
    Row("aircall", AircallRecordings, "812/voicemail", "404"),
    Row("dialpad", DialpadRecordings, "https://dialpad.com/r/{}", "404"),
    Row("freeswitch", SwitchRecordings, "voicemail/1000/{}.wav", "404"),
]
TWILIO_ROW, AIRCALL_ROW, DIALPAD_ROW, SWITCH_ROW = ROWS
every_row = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.provider)


@pytest.fixture(autouse=True)
def _at_once() -> Iterator[None]:
    with stamina.set_testing(True, attempts=1):
        yield


@every_row
async def test_a_recording_is_fetched_with_the_credentials(row: Row) -> None:
    around = Around(row)
    file = await around.fetch()
    assert file.state is FileState.STORED, file.reason
    assert file.content is not None
    assert await around.storage.get(file.content.key) == CONTENT
    assert set(around.platform.schemes) == {"https"}


@every_row
async def test_wrong_credentials_fail_and_say_what_to_set_in_both_languages(row: Row) -> None:
    file = await Around(row, "another:s3cret").fetch()
    assert file.state is FileState.FAILED
    assert "files.tokens" in file.reason
    assert "凭证被拒绝" in file.reason
    assert "s3cret" not in file.reason


@every_row
async def test_while_credentials_are_replaced_both_are_tried(row: Row) -> None:
    assert (await Around(row, "another:s3cret", row.platform().secret).fetch()).state is FileState.STORED


@every_row
async def test_a_recording_that_is_not_ready_is_asked_for_later(row: Row) -> None:
    around = Around(row)
    around.platform.files.clear()
    with pytest.raises(TryLater, match="404"):
        await around.fetch()
    around.platform.files["one"] = CONTENT
    assert (await around.fetch()).state is FileState.STORED


@every_row
@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (httpx.Response(200, content=b"x" * (MOST_BYTES + 1)), f"larger than {MOST_BYTES} bytes"),
        (httpx.Response(302, headers={"location": PRIVATE}), "none of the provider's addresses"),
        (httpx.Response(302, headers={"location": "https://evil.example/"}), "none of the provider's addresses"),
    ],
    ids=["huge", "to a private address", "to a stranger"],
)
async def test_a_recording_that_is_too_large_or_elsewhere_is_failed(
    row: Row, answer: httpx.Response, reason: str
) -> None:
    around = Around(row)
    around.platform.file_answer = answer
    file = await around.fetch()
    assert (file.state, reason in file.reason) == (FileState.FAILED, True), file.reason
    assert not {"169.254.169.254", "evil.example"} & set(around.platform.hosts)


@every_row
async def test_a_system_that_is_away_is_asked_later(row: Row) -> None:
    around = Around(row)
    around.platform.file_answer = httpx.Response(503)
    with pytest.raises(TryLater):
        await around.fetch()


@every_row
@pytest.mark.parametrize(
    "locator",
    ["", "812", "../812/voicemail", "https://evil.example/r/1", "https://[x/", "http://10.0.0.5/812/voicemail"],
)
async def test_a_locator_that_is_none_is_failed_and_asks_nobody(row: Row, locator: str) -> None:
    around = Around(row)
    assert (await around.fetch(locator)).state is FileState.FAILED
    assert around.platform.hosts == []


async def test_twilios_credentials_do_not_go_to_its_store() -> None:
    around = Around(TWILIO_ROW)
    file = await around.fetch("https://s3-external-1.amazonaws.com/a-bucket-of-somebody/RE1")
    assert (file.state, around.platform.hosts) == (FileState.FAILED, [])


async def test_a_link_of_twilio_that_names_a_format_stays_as_it_is() -> None:
    assert (await Around(TWILIO_ROW).fetch(f"{TWILIO}one.mp3")).state is FileState.STORED


async def test_each_attempt_asks_aircall_for_another_link() -> None:
    around = Around(AIRCALL_ROW)
    for _ in range(2):
        assert (await around.fetch()).state is FileState.STORED
    assert around.platform.hosts == [AircallRecordings.host, AircallRecordings.store] * 2


@pytest.mark.parametrize("status", [403, 404])
async def test_aircalls_link_that_is_over_is_asked_for_again_later(status: int) -> None:
    around = Around(AIRCALL_ROW)
    around.platform.file_answer = httpx.Response(status, text="<Error/>")
    with pytest.raises(TryLater, match=str(status)):
        await around.fetch()


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, json={"call": {"voicemail": None}}),
        httpx.Response(200, json={"call": {"voicemail": 7}}),
        httpx.Response(200, json={"call": "x"}),
        httpx.Response(200, text="<html>"),
        httpx.Response(200, content=b" " * 70_000),
        httpx.Response(302, headers={"location": PRIVATE}),
        httpx.Response(429),
    ],
)
async def test_without_a_link_from_aircall_the_file_waits(answer: httpx.Response) -> None:
    around = Around(AIRCALL_ROW)
    around.platform.token_answer = answer
    with pytest.raises(TryLater) as caught:
        await around.fetch()
    assert "s3cret" not in str(caught.value)
    assert set(around.platform.hosts) == {AircallRecordings.host}


@pytest.mark.parametrize(
    "link", ["https://evil.example/1", "http://169.254.169.254/", "file:///etc/passwd", "https://[x"]
)
async def test_a_link_of_aircall_that_leads_elsewhere_is_not_followed(link: str) -> None:
    around = Around(AIRCALL_ROW)
    around.platform.token_answer = httpx.Response(200, json={"call": {"voicemail": link}})
    assert (await around.fetch()).state is FileState.FAILED
    assert set(around.platform.hosts) == {AircallRecordings.host}


async def test_a_call_that_aircall_does_not_have_is_failed() -> None:
    file = await Around(AIRCALL_ROW).fetch("813/voicemail")
    assert (file.state, file.reason) == (FileState.FAILED, "Aircall does not give out the call (404)")


@pytest.mark.parametrize(
    "answer",
    [
        LOGIN_PAGE,
        httpx.Response(200, text="<!-- a --><html>", headers={"content-type": "text/html"}),
        httpx.Response(200, content=b" <HTML><body>Log in"),
    ],
)
async def test_a_login_page_of_dialpad_is_not_taken_for_the_recording(answer: httpx.Response) -> None:
    around = Around(DIALPAD_ROW)
    around.platform.file_answer = answer
    file = await around.fetch()
    assert (file.state, "recordings_export" in file.reason) == (FileState.FAILED, True)


async def test_a_recording_of_a_switch_is_a_sound_by_its_name_and_asked_for_letter_by_letter() -> None:
    around = Around(SWITCH_ROW)
    around.platform.files["+86 王芳: 1"] = CONTENT
    file = await around.fetch("voicemail/1000/+86 王芳: 1.wav")
    assert (file.state, file.media_type) == (FileState.STORED, "audio/wav"), file.reason


@pytest.mark.parametrize(
    "locator",
    [
        "voicemail/../../one.wav",
        "voicemail/%2e%2e/one.wav",
        "voicemail\\..\\one.wav",
        "/voicemail/1000/one.wav",
        "voicemail//1000/one.wav",
        "voicemail/1000/one.wav?as=page",
        "voicemail/1000/one.wav#page",
        "voicemail/1000/one",
        "voicemail/1000/.htpasswd",
        "db/core.db",
        "@evil.example/one.wav/..",
    ],
)
async def test_a_place_that_is_no_recording_of_the_switch_is_asked_nobody(locator: str) -> None:
    around = Around(SWITCH_ROW)
    file = await around.fetch(locator)
    assert (file.state, around.platform.hosts) == (FileState.FAILED, []), file.reason
    assert "not asked for" in file.reason


async def test_a_place_that_looks_like_a_host_is_still_below_the_switchs_address() -> None:
    around = Around(SWITCH_ROW)
    with pytest.raises(TryLater):
        await around.fetch("@evil.example/one.wav")
    assert set(around.platform.hosts) == {SwitchRecordings.host}
