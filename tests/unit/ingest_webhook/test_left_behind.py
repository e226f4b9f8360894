"""Files that stay with the provider: words for the agent, or files on their way where the source can fetch them."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.partners.signed_request import deliver
from tests.unit.ingest_webhook.edge import SOURCES, Edge, client_of, slack_sender
from ticket_contracts.messages import MessageReceived
from ticket_contracts.vocabulary import FileState
from ticket_intake.source_file import SourcesInvalid

PHOTO = {
    "name": "one.png",
    "size": 17,
    "mimetype": "image/png",
    "permalink": "https://acme.slack.com/files/one",
    "url_private_download": "https://files.slack.com/f/one",
}
NO_LINK = {"name": "two.png", "permalink": "https://acme.slack.com/files/two"}


def sources(files: object) -> str:
    document = yaml.safe_load(SOURCES)
    next(each for each in document["sources"] if each["name"] == "slack")["files"] = files
    return yaml.safe_dump(document)


async def said(tmp_path: Path, sources: str, *files: dict[str, Any]) -> MessageReceived:
    edge = Edge()
    async with client_of(edge.app(tmp_path, sources=sources)) as client:
        request = slack_sender().message("look", subtype="file_share", files=list(files))
        assert (await deliver(client, "/webhooks/slack", request)).status_code == 200
    [message] = edge.messages
    return message


async def test_without_a_token_the_message_names_the_file_in_words(tmp_path: Path) -> None:
    message = await said(tmp_path, SOURCES, PHOTO)
    assert message.files == ()
    assert message.reading_problems == ("The file one.png, 17 bytes stays at Slack: https://acme.slack.com/files/one",)


async def test_with_a_token_the_file_is_on_its_way(tmp_path: Path) -> None:
    message = await said(tmp_path, sources({"tokens": ["env:A_TOKEN_THAT_IS_NOT_OURS_TO_READ"]}), PHOTO, NO_LINK)
    [file] = message.files
    assert (file.number, file.name, file.state) == (0, "one.png", FileState.PENDING)
    assert (file.locator, file.media_type, file.size) == ("https://files.slack.com/f/one", "image/png", 17)
    assert message.reading_problems == ("The file two.png stays at Slack: https://acme.slack.com/files/two",)


async def test_of_very_many_files_the_rest_is_named(tmp_path: Path) -> None:
    message = await said(tmp_path, sources({}), *[PHOTO] * 25)
    assert [file.number for file in message.files] == list(range(20))
    assert len(message.reading_problems) == 5


def test_a_wrong_word_under_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourcesInvalid, match=r"files\.token"):
        Edge().app(tmp_path, sources=sources({"token": "xoxb"}))
