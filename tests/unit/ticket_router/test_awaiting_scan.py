"""Attachments are pending as long as a scan of them is ordered."""

import json
from dataclasses import replace

from msgspec import structs

from tests.support.incoming import batch_of, mail
from ticket_contracts.messages import Attachment, MessageReceived, StoredObject
from ticket_contracts.vocabulary import FileState, MessageKind
from ticket_router.order_files import awaiting_scan
from ticket_stream.processing import Record

BILL = Attachment(name="bill.pdf", content=StoredObject(key=f"sha256/{'0' * 64}", size=3))
WITH_BILL = mail("<1@x>", attachments=(BILL,))


def record_of(message: MessageReceived) -> Record:
    return batch_of([message]).records[0]


def test_the_command_says_that_an_attachment_waits_for_the_scanner() -> None:
    marked = awaiting_scan(record_of(WITH_BILL), WITH_BILL)
    read = MessageReceived.model_validate_json(marked.event.data)
    assert [each.state for each in read.attachments] == [FileState.PENDING]
    assert read.model_copy(update={"attachments": (BILL,)}) == WITH_BILL


def test_what_a_newer_edge_wrote_stays_in_it() -> None:
    record = record_of(WITH_BILL)
    written = json.loads(record.event.data) | {"mood": "good"}
    record = replace(record, event=structs.replace(record.event, data=json.dumps(written).encode()))
    assert json.loads(awaiting_scan(record, WITH_BILL).event.data)["mood"] == "good"


def test_a_message_of_which_nothing_is_scanned_goes_on_as_it_came() -> None:
    for message in (mail("<1@x>"), mail("<1@x>", kind=MessageKind.DELETED, attachments=(BILL,))):
        record = record_of(message)
        assert awaiting_scan(record, message) is record
