"""The event that tells what became of the files of a message."""

from datetime import UTC, datetime

from ingest_files.compose_result import compose_result
from ingest_files.leased_orders import SCAN, Order
from tests.support.incoming import mail
from ticket_contracts.messages import Attachment, Party, RemoteFile, StoredObject
from ticket_contracts.topics import MAX_EVENT_BYTES
from ticket_contracts.vocabulary import FileState, IdentityKind, Scan

ID = "018f0000-0000-7000-8000-000000000001"


def test_a_hundred_files_fit_one_event_whoever_the_message_went_to() -> None:
    party = Party(kind=IdentityKind.EMAIL, value="\u00fc" * 200, name="\U0001f525" * 200)
    kept = [StoredObject(key=f"sha256/{number:064x}", size=50_000_000) for number in range(100)]
    attachments = tuple(Attachment(name="\U0001f525" * 255, content=each) for each in kept)
    message = mail("<1@x>", recipients=(party,) * 100, attachments=attachments)
    assert len(message.encode()) <= MAX_EVENT_BYTES
    files = tuple(
        RemoteFile(
            number=number,
            name="\U0001f525" * 255,
            size=50_000_000,
            state=FileState.INFECTED,
            scan=Scan.INFECTED,
            reason="Win.Trojan." * 18,
            attachment_key=each.key,
        )
        for number, each in enumerate(kept)
    )
    ordered = message.model_copy(update={"attachments": ()})  # as the router leaves them out
    order = Order(bytes(32), 0, message.source, SCAN, ordered, files, ID, 1)
    _, event = compose_result(order, files, ID, datetime.now(UTC))
    assert len(event.data) <= MAX_EVENT_BYTES
