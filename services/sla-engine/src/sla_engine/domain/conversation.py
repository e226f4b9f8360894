"""What an entry of the conversation means for the clocks, and when it counts."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid5

from ticket_contracts.commands import Actor, AddNote, Command, ReceiveMessage, Reply
from ticket_contracts.messages import MessageReceived
from ticket_contracts.openings import OpenTicket
from ticket_contracts.tickets import MessageEntry
from ticket_contracts.vocabulary import ActorKind, Automation, Channel, MessageKind

BELIEVED_FOR = timedelta(days=30)
"""How long before receipt a trusted provider may date a message: longer than any provider tries to deliver one. Older
is a clock that was reset, and would give a ticket that breached years ago."""


PUNCTUAL = timedelta(seconds=1)
"""How late a timer may be (rule 43), and so how late a message may come without its facts saying so."""

EARLIEST, LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)
"""Between these all sums of times can be done; a clock that shows another time is broken."""


def message_time(message: MessageReceived) -> datetime:
    """Return the time that counts: our edge's, or a trusted provider's own, never later than receipt."""
    at, sent_at = message.received_at, message.sent_at
    if message.time_trusted and sent_at is not None and timedelta() < at - sent_at <= BELIEVED_FOR:
        at = sent_at
    return at.astimezone(UTC)


def told_late(at: datetime, seen_at: datetime) -> datetime | None:
    """Return when a message was seen, if that was so late that steps may have been taken meanwhile."""
    return seen_at if seen_at - at > PUNCTUAL else None


def speaks(entry: MessageEntry) -> bool:
    """Whether a customer has said something that wants an answer: it starts clocks and reopens.

    Not so an edit or deletion, an automatic answer or bounce (rule 24), and a call that an agent took; a missed call
    is a customer's message, whoever noted it (rule 8).
    """
    said = is_missed_call(entry) if entry.call is not None else entry.author.kind is ActorKind.CUSTOMER
    return said and entry.kind is MessageKind.CREATED and entry.automation.starts_tickets


def is_answer(entry: MessageEntry) -> bool:
    """Whether an agent has answered in public: neither a note (rule 3) nor a machine's message (rule 4) does."""
    return entry.public and entry.author.kind is ActorKind.AGENT and entry.automation is Automation.HUMAN


def is_missed_call(entry: MessageEntry) -> bool:
    """Whether the customer has called and nobody was there."""
    return entry.call is not None and entry.call.direction == "inbound" and not entry.call.answered


def is_held_call(entry: MessageEntry) -> bool:
    """Whether agent and customer have talked on the telephone (the option of rule 3)."""
    return entry.call is not None and entry.call.answered


def received_entry(command: ReceiveMessage, author: Actor, at: datetime) -> MessageEntry:
    """Return the entry of a customer's message."""
    message = command.message
    return MessageEntry(
        message_id=message.message_id,
        kind=message.kind,
        provider_id=message.provider_id,
        author=author,
        public=True,
        automation=message.automation,
        channel=message.channel,
        sender=message.sender,
        subject=message.subject,
        text=message.text,
        quoted_text=message.quoted_text,
        text_object=message.text_object,
        html=message.html,
        raw=message.raw,
        attachments=message.attachments,
        files=message.files,
        call=message.call,
        reading_problems=message.reading_problems,
        delivery=message.delivery,
        at=at,
        received_at=message.received_at,
    )


def entry_id(command: Command, command_id: str) -> UUID | None:
    """Return the id of the entry that a command would make, None when it makes none.

    That of an agent's words follows from the command's, so a repeat is the same entry.
    """
    if isinstance(command, ReceiveMessage):
        return command.message.message_id
    if isinstance(command, Reply | AddNote | OpenTicket):
        return uuid5(command.ticket_id, command_id)
    return None


def written_entry(
    command: Reply | AddNote, ticket_id: UUID, command_id: str, channel: Channel, at: datetime
) -> MessageEntry:
    """Return the entry of a reply or a note."""
    by_machine = command.actor.kind is not ActorKind.AGENT or (isinstance(command, Reply) and command.author != "agent")
    return MessageEntry(
        message_id=uuid5(ticket_id, command_id),
        provider_id=command.provider_id if isinstance(command, Reply) else "",
        author=command.actor,
        public=isinstance(command, Reply),
        automation=Automation.GENERATED if by_machine else Automation.HUMAN,
        channel=channel if isinstance(command, Reply) else None,
        text=command.text,
        at=at,
        received_at=at,
    )
