"""Reading one request with one provider, without the app around it."""

from ingest_webhook.provider import Messages, Provider, Reading, WebhookRequest
from tests.support.partners.signed_request import SignedRequest
from tests.unit.ingest_webhook.edge import NOW
from ticket_intake.incoming import IncomingMessage


def read(provider: Provider, request: SignedRequest) -> Reading:
    """Verify and read, as the use case does."""
    headers = {name.encode(): value.encode() for name, value in request.headers.items()}
    received = WebhookRequest(headers, request.query.encode(), request.body, NOW, request.method)
    provider.verify(received)
    return provider.read(received)


def read_one(provider: Provider, request: SignedRequest) -> IncomingMessage:
    """Read a request that has to be one message."""
    reading = read(provider, request)
    assert isinstance(reading, Messages), reading
    [message] = reading.messages
    return message
