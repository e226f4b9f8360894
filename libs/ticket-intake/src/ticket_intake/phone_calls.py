"""What all telephone systems have in common: one call is one message, and a caller is a contact.

A missed call is a customer nobody answered, so it is as much a message as an answered one.
"""

from datetime import datetime
from typing import Annotated, NamedTuple

from pydantic import AfterValidator, Field

from ticket_contracts.messages import CallRecord
from ticket_contracts.vocabulary import Channel, IdentityKind, MessageKind
from ticket_intake.call_words import Language, call_subject, call_text, voicemail_subject, voicemail_text
from ticket_intake.clean_text import one_line
from ticket_intake.incoming import IncomingMessage
from ticket_intake.message_data import Person
from ticket_intake.options import SourceOptions
from ticket_intake.phone_numbers import e164, is_number, known_region, plain_number

NAME_LENGTH = 200
# A day; a longer "call" is a channel that hung.
MAX_SECONDS = 86_400
# Unix seconds: 2286-11-20, the last with ten digits; larger ones are milliseconds in the wrong field.
MAX_EPOCH = 9_999_999_999

Region = Annotated[str, AfterValidator(known_region)]


class NumberOptions(SourceOptions):
    region: Region | None = Field(
        default=None, description="Country of numbers written without +, two letters; none: they stay as written"
    )


class CallOptions(NumberOptions):
    language: Language = Field(default="en", description="of the text written about each call")


class Voicemail(NamedTuple):
    """What a caller left after a call.

    :param provider_id: of the message that it becomes.
    :param left: where the recording is, in words; it may be more than words (`ingest_webhook.providers.left_behind`).
    """

    call_id: str
    provider_id: str
    left: str
    seconds: int | None = None


def spelled(text: str, region: str | None) -> str:
    """Return E.164 where it can be told, else the text without punctuation; empty when withheld."""
    plain = plain_number(text)
    return e164(plain, region) or plain


def caller_person(caller: str, call_id: str, name: str, address: str = "") -> Person:
    """Return the contact who called.

    :param caller: as `spelled`.
    :param address: of a caller without a telephone number, e.g. `sip:dan@example.com`.
    """
    name = one_line(name, NAME_LENGTH)
    if not caller:
        # Callers who withhold their numbers are not one person: each is a contact of their own.
        return Person(kind=IdentityKind.EXTERNAL, value=f"withheld:{call_id}"[:NAME_LENGTH])
    if is_number(caller):
        return Person(kind=IdentityKind.PHONE, value=caller, name="" if name == caller else name)
    return Person(kind=IdentityKind.EXTERNAL, value=(address or caller)[:NAME_LENGTH], name=name)


def callee_people(callee: str) -> tuple[Person, ...]:
    return (Person(kind=IdentityKind.PHONE, value=callee),) if callee else ()


def call_message(
    call: CallRecord, sender: Person, language: Language, ended_at: datetime, problems: tuple[str, ...] = ()
) -> IncomingMessage:
    return IncomingMessage(
        kind=MessageKind.CREATED,
        channel=Channel.PHONE,
        provider_id=call.call_id,
        conversation=call.call_id,
        sender=sender,
        recipients=callee_people(call.callee),
        subject=call_subject(call, language),
        text=call_text(call, language),
        sent_at=ended_at,
        call=call,
        reading_problems=problems,
    )


def voicemail_message(voicemail: Voicemail, sender: Person, callee: str, language: Language) -> IncomingMessage:
    """Return what was left after a call, as one more message of the call's conversation: the call stays one record."""
    caller = sender.value if sender.kind is IdentityKind.PHONE else sender.name
    return IncomingMessage(
        kind=MessageKind.CREATED,
        channel=Channel.PHONE,
        provider_id=voicemail.provider_id,
        conversation=voicemail.call_id,
        sender=sender,
        recipients=callee_people(callee),
        subject=voicemail_subject(caller, language),
        text=voicemail_text(caller, voicemail.seconds, language),
        reading_problems=(voicemail.left,),
    )
