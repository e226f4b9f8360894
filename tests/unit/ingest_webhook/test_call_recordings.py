"""What telephone systems say of a voicemail or a recording becomes what ingest-files asks them for."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from tests.support.every_source import PUBLIC, TWILIO_TOKEN
from tests.support.partners.signed_request import SignedRequest, deliver
from tests.support.partners.twilio import TwilioSender
from tests.unit.ingest_webhook.all_providers import aircall_sender, dialpad_sender, sources_of
from tests.unit.ingest_webhook.edge import Edge, client_of
from ticket_contracts.vocabulary import FileState

TWILIO = "https://api.twilio.com/2010-04-01/Accounts/AC1/Recordings/RE1"
SIGNED = "https://production-web.s3.us-west-2.amazonaws.com/812.mp3?X-Amz-Signature=s3cret"
PAGE = "https://assets.aircall.io/calls/812/recording"
BLOB = "https://dialpad.com/secureblob/voicemail/1.mp3"
TALK = "https://dialpad.com/r/2"


class Row(NamedTuple):
    """`kind` and `locator` are those of the file on its way, `where` is what the words name without `files`."""

    source: str
    request: Callable[[], SignedRequest]
    kind: str
    locator: str
    where: str


def twilio(**fields: Any) -> SignedRequest:
    return TwilioSender(TWILIO_TOKEN, f"{PUBLIC}/twilio-voice").call(RecordingUrl=TWILIO, **fields)


ROWS = [
    Row(
        "twilio-voice",
        lambda: twilio(CallDuration="", CallStatus="completed"),
        "voicemail",
        TWILIO,
        TWILIO,
    ),
    Row("twilio-voice", lambda: twilio(CallDuration="20", CallStatus="completed"), "recording", TWILIO, TWILIO),
    Row(
        "aircall",
        lambda: aircall_sender().call(event="call.voicemail_left", id=812, voicemail=SIGNED),
        "voicemail",
        "812/voicemail",
        "call 812",
    ),
    Row(
        "aircall",
        lambda: aircall_sender().call(talked=20, id=812, recording=SIGNED, asset=PAGE),
        "recording",
        "812/recording",
        PAGE,
    ),
    Row(
        "dialpad",
        lambda: dialpad_sender().call(state="voicemail_uploaded", voicemail_link=f"{BLOB}?token=s3cret"),
        "voicemail",
        BLOB,
        BLOB,
    ),
    Row(
        "dialpad",
        lambda: dialpad_sender().call(
            state="voicemail_uploaded", recording_details=[{"recording_type": "voicemail", "url": BLOB}]
        ),
        "voicemail",
        BLOB,
        BLOB,
    ),
    Row(
        "dialpad",
        lambda: dialpad_sender().call(
            talked=20,
            recording_details=[
                {"recording_type": "voicemail", "url": BLOB},
                {"recording_type": "callrecording", "url": "https://user:s3cret@dialpad.com/r/2#s3cret"},
            ],
        ),
        "recording",
        TALK,
        TALK,
    ),
]
every_row = pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.source}-{row.kind}")


async def published(tmp_path: Path, source: str, request: SignedRequest, files: object) -> Edge:
    document = yaml.safe_load(sources_of(source))
    if files is not None:
        document["sources"][0]["files"] = files
    edge = Edge()
    async with client_of(edge.app(tmp_path, sources=yaml.safe_dump(document))) as client:
        assert (await deliver(client, f"/webhooks/{source}", request)).status_code == 200
    return edge


@every_row
async def test_with_credentials_the_recording_is_on_its_way(row: Row, tmp_path: Path) -> None:
    files = {"tokens": ["env:A_TOKEN_THAT_IS_NOT_OURS_TO_READ"]}
    edge = await published(tmp_path, row.source, row.request(), files)
    [message] = edge.messages
    [file] = message.files
    assert (file.name, file.locator) == (f"{row.kind}.mp3", row.locator)
    assert (file.media_type, file.state) == ("audio/mpeg", FileState.PENDING)
    assert message.reading_problems == ()
    assert "s3cret" not in message.encode().decode()


@every_row
async def test_without_credentials_the_words_name_it_and_no_secret(row: Row, tmp_path: Path) -> None:
    edge = await published(tmp_path, row.source, row.request(), None)
    [message] = edge.messages
    assert message.files == ()
    [words] = message.reading_problems
    assert words.startswith(f"The {row.kind} stays at ")
    assert words.endswith(f": {row.where}")
    assert "s3cret" not in message.encode().decode()


@pytest.mark.parametrize(
    ("source", "request_of"),
    [
        ("aircall", lambda: aircall_sender().call(voicemail=SIGNED)),
        ("dialpad", lambda: dialpad_sender().call(voicemail_link=BLOB)),
    ],
    ids=["aircall", "dialpad"],
)
async def test_the_voicemail_is_a_file_of_its_own_message_and_not_of_the_call(
    source: str, request_of: Callable[[], SignedRequest], tmp_path: Path
) -> None:
    [message] = (await published(tmp_path, source, request_of(), {"tokens": ["env:NONE"]})).messages
    assert message.files == ()
    assert message.reading_problems[0].startswith("The voicemail stays at ")
