"""Makes the message events of one mail: small enough for Kafka, the rest referred to in object storage."""

from bisect import bisect_right
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from pydantic_core import to_json

from ingest_email.delivery import Delivery, EncodedMessage, StoredFile
from ingest_email.domain.addresses import party_of, unknown_sender
from ingest_email.domain.message_ids import identity_of, invented_id
from ingest_email.read_mail import ReadMail
from ticket_contracts.messages import Attachment, Conversation, MessageReceived, StoredObject
from ticket_contracts.topics import MAX_EVENT_BYTES
from ticket_contracts.vocabulary import Automation, Channel
from ticket_intake.file_danger import danger_of

RAW_MEDIA_TYPE = "message/rfc822"

MOST_TEXT_BYTES = 48 * 1024
"""Of visible and of quoted text inside the event, each as JSON writes it: quotes and line ends take two."""

_LONGEST_CHARACTER = 4  # bytes: UTF-8, or an escape, for `clean` leaves no control character that takes six

LARGEST_EVENT = MAX_EVENT_BYTES * 3 // 4
"""The command and the ticket's fact carry the message too, together with the ticket's own state."""


class MailMessages:
    """The events of one mail, one for each delivery, and the files they refer to (the raw mail is not among them)."""

    def __init__(self) -> None:
        self.messages: list[EncodedMessage] = []
        self.files: dict[str, StoredFile] = {}

    def keep(self, content: bytes, media_type: str) -> StoredObject:
        """Note a file to store, and return how the event refers to it."""
        reference = reference_to(content, media_type)
        self.files.setdefault(reference.key, StoredFile(media_type, content))
        return reference


def reference_to(content: bytes, media_type: str) -> StoredObject:
    """Object storage names content by its hash, so the reference is known before it is stored."""
    return StoredObject(key=f"sha256/{sha256(content).hexdigest()}", size=len(content), media_type=media_type)


def compose(mail: ReadMail, raw: bytes, deliveries: Sequence[Delivery]) -> MailMessages:
    """Return one event per delivery; they differ in mailbox, identity and ids only."""
    composed = MailMessages()
    shared = _shared_fields(mail, raw, composed)
    for delivery in deliveries:
        mailbox = delivery.mailbox
        event = MessageReceived(
            **shared,
            message_id=delivery.message_id,
            conversation=Conversation(
                key=mail.thread.message_id, refers_to=mail.thread.refers_to, ticket_id=delivery.ticket_id
            ),
            identity=identity_of(mailbox.account, mail.summary.message_id, mail.summary.digest),
            source=mailbox.source,
            brand=mailbox.brand,
            account=mailbox.account,
            received_at=delivery.received_at,
            reading_problems=_problems(delivery, *mail.problems),
        )
        key = f"{mailbox.brand}/{mailbox.account}/{mail.thread.root}"
        composed.messages.append(EncodedMessage(key, _encoded_within_limit(event)))
    return composed


def compose_unread(raw: bytes, delivery: Delivery, envelope_sender: str, problem: str) -> EncodedMessage:
    """Return the event of a mail that nothing could read: its original, and the note that says so.

    Identity and conversation come from the bytes alone, so only a repeat with the same trace headers is recognised.
    """
    digest = sha256(raw).hexdigest()
    mailbox, message_id = delivery.mailbox, invented_id(digest)
    event = MessageReceived(
        message_id=delivery.message_id,
        identity=identity_of(mailbox.account, message_id, digest),
        channel=Channel.EMAIL,
        source=mailbox.source,
        brand=mailbox.brand,
        account=mailbox.account,
        provider_id="",
        conversation=Conversation(key=message_id, ticket_id=delivery.ticket_id),
        sender=party_of(envelope_sender) or unknown_sender(digest),
        raw=reference_to(raw, RAW_MEDIA_TYPE),
        received_at=delivery.received_at,
        automation=Automation.HUMAN if envelope_sender not in ("", "<>") else Automation.GENERATED,
        may_auto_answer=False,
        reading_problems=_problems(delivery, problem),
    )
    return EncodedMessage(f"{mailbox.brand}/{mailbox.account}/{message_id}", event.encode())


def _shared_fields(mail: ReadMail, raw: bytes, composed: MailMessages) -> dict[str, Any]:
    """The event's fields that are the same for all deliveries."""
    summary, body = mail.summary, mail.body
    text, quoted = _beginning(body.text), _beginning(body.quoted_text)
    is_whole = text == body.text and quoted == body.quoted_text
    whole = "\n\n".join(part for part in (body.text, body.quoted_text) if part)
    return {
        "channel": Channel.EMAIL,
        "provider_id": summary.provider_id,
        "sender": summary.sender,
        "recipients": summary.recipients,
        "subject": summary.subject,
        "text": text,
        "quoted_text": quoted,
        "text_object": None if is_whole else composed.keep(whole.encode(), "text/plain; charset=utf-8"),
        "html": composed.keep(body.html.encode(), "text/html; charset=utf-8") if body.html else None,
        "raw": reference_to(raw, RAW_MEDIA_TYPE),
        "attachments": tuple(
            Attachment(
                name=file.name,
                content=composed.keep(file.content, file.media_type),
                inline_id=file.inline_id,
                danger=danger_of(file.name, file.content),
            )
            for file in body.files
        ),
        "sent_at": summary.sent_at,
        "automation": mail.classification.automation,
        "may_auto_answer": mail.classification.may_auto_answer,
        "authentication": mail.authentication,
    }


def _problems(delivery: Delivery, *found: str) -> tuple[str, ...]:
    return (delivery.note, *found) if delivery.note else found


def _beginning(text: str) -> str:
    """As much of a text as an event carries, cut between characters."""
    if len(text) * _LONGEST_CHARACTER <= MOST_TEXT_BYTES or _json_bytes(text) <= MOST_TEXT_BYTES:
        return text
    longer = bisect_right(range(MOST_TEXT_BYTES + 1), MOST_TEXT_BYTES, key=lambda end: _json_bytes(text[:end]))
    return text[: longer - 1]


def _json_bytes(text: str) -> int:
    return len(to_json(text)) - len('""')


def _encoded_within_limit(event: MessageReceived) -> bytes:
    """Encode; a mail made of nothing but names (hundreds of them, all long) loses those that its original still has."""
    data = event.encode()
    if len(data) <= LARGEST_EVENT:
        return data
    problems = (*event.reading_problems, "not all recipients and attachments are listed; see the original mail")
    smaller = {"recipients": event.recipients[:10], "attachments": event.attachments[:10], "reading_problems": problems}
    return event.model_copy(update=smaller).encode()
