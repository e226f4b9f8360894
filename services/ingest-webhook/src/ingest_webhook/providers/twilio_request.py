"""What Twilio's messages and calls have in common: the signature, the fields, the TwiML that we answer."""

from collections.abc import Mapping, Sequence
from typing import Annotated

from pydantic import AfterValidator, Field

from ingest_webhook.domain.form_fields import read_form_fields
from ingest_webhook.domain.twilio_signatures import public_urls, signs_digest, verify_twilio
from ingest_webhook.provider import Answer, WebhookRequest
from ingest_webhook.providers.decode_model import decode_object
from ingest_webhook.rejections import Undecodable, wrong_field
from ticket_intake.clean_text import clean_text
from ticket_intake.phone_calls import NumberOptions
from ticket_intake.signatures import SecretMalformed

# An empty list of instructions: neither a reply to the writer nor a word to the caller.
TWIML = Answer("text/xml; charset=utf-8", b'<?xml version="1.0" encoding="UTF-8"?><Response/>')
_ID_LENGTH = 64  # an SID has 34 characters


def _checked(url: str) -> str:
    public_urls(url)
    return url


class TwilioOptions(NumberOptions):
    public_url: Annotated[str, AfterValidator(_checked)] = Field(
        description="The address as it stands in Twilio's console, without query: Twilio signs it"
    )


class TwilioRequests:
    """Verifies and decodes the requests of one source. Secrets: auth tokens."""

    def __init__(self, options: TwilioOptions, tokens: Sequence[str], documentation: str) -> None:
        if not all(token.isascii() and token.isalnum() for token in tokens):
            raise SecretMalformed("is no Twilio auth token: copy it from the console, Account Info")
        self._urls = public_urls(options.public_url)
        self._tokens = [token.encode() for token in tokens]
        self._documentation = documentation

    def verify(self, request: WebhookRequest) -> None:
        signature = request.header(b"x-twilio-signature")
        verify_twilio(request.body, request.query, signature=signature, urls=self._urls, tokens=self._tokens)

    def fields(self, request: WebhookRequest) -> "TwilioFields":
        """Return the fields of a verified request, whose format is the one that was signed.

        :raises Undecodable:
        """
        if not signs_digest(request.query):
            # Of a repeated name the first value counts, as in Twilio's own libraries.
            return TwilioFields(dict(reversed(read_form_fields(request.body))), self._documentation)
        document = decode_object(request.body, self._documentation)
        texts = {name.encode(): str(value).encode() for name, value in document.items() if isinstance(value, str | int)}
        return TwilioFields(texts, self._documentation)


class TwilioFields:
    """Fields of one request as clean text; what is absent is an empty one.

    Twilio sends about twenty and we ask for some ten of them: only those are decoded.
    """

    def __init__(self, values: Mapping[bytes, bytes], documentation: str) -> None:
        self._values = values
        self._documentation = documentation

    def __getitem__(self, name: str) -> str:
        value = self._values.get(name.encode())
        return clean_text(value.decode("utf-8", "replace")) if value else ""

    def identifier(self, name: str) -> str:
        """Return an SID.

        :raises Undecodable: it is missing, or cannot be one.
        """
        value = self[name]
        if not (value.isascii() and value.isalnum() and len(value) <= _ID_LENGTH):
            raise self.wrong(name, "is missing or no SID")
        return value

    def count(self, name: str, most: int) -> int | None:
        """Return a whole number, at most `most`; None when absent or no number."""
        text = self[name]
        valid = text.isascii() and text.isdigit() and len(text) <= len(str(most))
        return min(int(text), most) if valid else None

    def wrong(self, name: str, message: str) -> Undecodable:
        return wrong_field(f"body.{name}", message, self._documentation)
