"""An attachment is referred to only when nothing is known or awaited that speaks against opening it."""

from typing import Any
from uuid import UUID

import pytest

from crm_api.file_states import verdicts_of
from crm_api.read_ticket import view_message
from crm_api.responses import MessageView
from tests.unit.crm_api.test_newest_files import entry
from ticket_contracts.messages import Attachment, RemoteFile, StoredObject
from ticket_contracts.tickets import MessageEntry
from ticket_contracts.vocabulary import FileState, MessageKind, Scan

CONTENT = StoredObject(key=f"sha256/{'a' * 64}", size=68, media_type="application/zip")
RAW = StoredObject(key=f"sha256/{'b' * 64}", size=900)


def mailed(state: FileState) -> MessageEntry:
    attachment = Attachment(name="bill.zip", content=CONTENT, state=state)
    return entry(MessageKind.CREATED, "<1@x>").model_copy(update={"attachments": (attachment,), "raw": RAW})


def shown(state: FileState, told: dict[str, Any]) -> MessageView:
    results = []
    if told:
        file = RemoteFile(number=0, name="bill.zip", attachment_key=CONTENT.key, **told)
        results.append(entry(MessageKind.ATTACHMENT, "<1@x>", file))
    return view_message(1, mailed(state), verdicts_of(results), {})


@pytest.mark.parametrize(
    ("state", "told", "content", "raw"),
    [
        (FileState.STORED, {}, CONTENT, RAW),
        (FileState.PENDING, {}, None, None),
        (FileState.PENDING, {"state": FileState.STORED, "scan": Scan.CLEAN}, CONTENT, RAW),
        (FileState.PENDING, {"state": FileState.FAILED, "reason": "too large"}, None, None),
        (FileState.PENDING, {"state": FileState.INFECTED, "scan": Scan.INFECTED, "reason": "Eicar"}, None, None),
    ],
)
def test_content_and_original_are_given_when_every_attachment_is_stored(
    state: FileState, told: dict[str, Any], content: StoredObject | None, raw: StoredObject | None
) -> None:
    view = shown(state, told)
    [attachment] = view.attachments
    assert (attachment.content, view.raw) == (content, raw)
    assert attachment.state is told.get("state", state)
    assert (attachment.name, attachment.size, attachment.reason) == ("bill.zip", 68, told.get("reason", ""))
    assert attachment.scan is told.get("scan")
    assert view.message_id == UUID(int=1)
