"""Twilio's incoming messages: https://www.twilio.com/docs/messaging/guides/webhook-request, and what became of ours:
https://www.twilio.com/docs/messaging/guides/track-outbound-message-status.

WhatsApp arrives by the same webhook, its addresses as `whatsapp:+…`. Media stay at Twilio: the message names them,
and ingest-files fetches them where the source has the account's credentials.
"""

from collections.abc import Mapping, Sequence

from ingest_webhook.provider import Ignored, Reading, WebhookRequest, one_message
from ingest_webhook.providers.left_behind import left_behind
from ingest_webhook.providers.receipts import reason_of, receipt
from ingest_webhook.providers.twilio_request import TWIML, TwilioFields, TwilioOptions, TwilioRequests
from ingest_webhook.rejections import IgnoreReason, Undecodable
from ticket_contracts.vocabulary import Channel, DeliveryState, IdentityKind, MessageKind
from ticket_intake.clean_text import one_line
from ticket_intake.incoming import IncomingMessage
from ticket_intake.message_data import Person
from ticket_intake.phone_calls import NAME_LENGTH
from ticket_intake.phone_numbers import e164, plain_number

DOCUMENTATION = "docs/channels/twilio-sms.md"

# https://www.twilio.com/docs/messaging/api/message-resource, Status: what becomes of a message that we sent.
UNDER_WAY = frozenset({"accepted", "scheduled", "queued", "sending", "sent", "canceled", "partially_delivered"})
OUTGOING: Mapping[str, DeliveryState] = {
    "delivered": DeliveryState.DELIVERED,
    "read": DeliveryState.READ,
    "undelivered": DeliveryState.FAILED,
    "failed": DeliveryState.FAILED,
}
INCOMING = frozenset({"received", "receiving"})
MAX_MEDIA = 10  # Twilio's own limit of one message
SUBJECT_LENGTH = 120


class TwilioSms:
    """Provider `twilio-sms`. Secrets: the account's auth tokens."""

    methods = ("POST",)
    challenge = None

    def __init__(self, options: TwilioOptions, requests: TwilioRequests) -> None:
        self.time_trusted = options.time_trusted
        self._region = options.region
        self._requests = requests

    @classmethod
    def build(cls, options: Mapping[str, object], secrets: Sequence[str]) -> "TwilioSms":
        checked = TwilioOptions.model_validate(options)
        return cls(checked, TwilioRequests(checked, secrets, DOCUMENTATION))

    def verify(self, request: WebhookRequest) -> None:
        self._requests.verify(request)

    def read(self, request: WebhookRequest) -> Reading:
        fields = self._requests.fields(request)
        status = fields["MessageStatus"] or fields["SmsStatus"]
        if status in OUTGOING:
            return self._read_receipt(fields, OUTGOING[status])
        if status in UNDER_WAY:
            return Ignored(IgnoreReason.RECEIPT, TWIML)
        if status not in INCOMING:
            return Ignored(IgnoreReason.UNKNOWN_TYPE, TWIML)
        return one_message(self._message(fields), TWIML)

    def _message(self, fields: TwilioFields) -> IncomingMessage:
        origin = fields["From"]
        sender = self._person(fields, "From", origin, one_line(fields["ProfileName"], NAME_LENGTH))
        recipient = self._person(fields, "To", fields["To"])
        text = fields["Body"]
        return IncomingMessage(
            kind=MessageKind.CREATED,
            channel=_channel(origin),
            provider_id=_sid(fields),
            conversation=_conversation(recipient, sender),
            sender=sender,
            recipients=(recipient,),
            subject=one_line(text, SUBJECT_LENGTH),
            text=text,
            reading_problems=_left_at_twilio(fields),
        )

    def _read_receipt(self, fields: TwilioFields, state: DeliveryState) -> Reading:
        try:
            return one_message(self._receipt(fields, state), TWIML)
        except Undecodable:
            return Ignored(IgnoreReason.UNREADABLE_RECEIPT, TWIML)

    def _receipt(self, fields: TwilioFields, state: DeliveryState) -> IncomingMessage:
        """Here we are `From`. What failed before Twilio chose a number of its service for it, names that service."""
        ours = "From" if fields["From"] else "MessagingServiceSid"
        customer = self._person(fields, "To", fields["To"])
        failed = state is DeliveryState.FAILED
        return receipt(
            state,
            _sid(fields),
            channel=_channel(fields["To"]),
            conversation=_conversation(self._person(fields, ours, fields[ours]), customer),
            customer=customer,
            at=None,
            reason=reason_of(fields["ErrorCode"], fields["ErrorMessage"]) if failed else "",
        )

    def _person(self, fields: TwilioFields, field: str, value: str, shown: str = "") -> Person:
        """A short code or a name in place of a number is no telephone number: nobody can be called there."""
        address = value.strip()
        if not address:
            raise fields.wrong(field, "is missing")
        number = e164(plain_number(address.removeprefix("whatsapp:")), self._region)
        if number is None:
            return Person(kind=IdentityKind.EXTERNAL, value=f"sms:{one_line(address, NAME_LENGTH - 4)}", name=shown)
        return Person(kind=IdentityKind.PHONE, value=number, name=shown)


def _sid(fields: TwilioFields) -> str:
    return fields.identifier("MessageSid" if fields["MessageSid"] else "SmsSid")


def _channel(address: str) -> Channel:
    return Channel.CHAT if address.startswith("whatsapp:") else Channel.SMS


def _conversation(ours: Person, theirs: Person) -> str:
    return f"{ours.value}/{theirs.value}"[:NAME_LENGTH]


def _left_at_twilio(fields: TwilioFields) -> tuple[str, ...]:
    count = fields.count("NumMedia", MAX_MEDIA)
    if not count:
        return ()
    return tuple(_left(fields[f"MediaContentType{number}"], fields[f"MediaUrl{number}"]) for number in range(count))


def _left(media_type: str, url: str) -> str:
    kind = f"file {one_line(media_type, NAME_LENGTH) or 'of unknown type'}"
    return left_behind("Twilio", kind, url or "no link given", locator=url, media_type=media_type)
