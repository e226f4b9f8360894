"""Samples of senders that show a secret instead of signing with it, or sign a token and not the request."""

import base64
from datetime import datetime
from urllib.parse import urlencode
from uuid import uuid4

import msgspec

from ingest_webhook.domain.body_tokens import jwt_signature
from ingest_webhook.domain.form_tokens import form_token
from ingest_webhook.domain.twilio_signatures import twilio_signature
from ingest_webhook.providers.twilio_request import TwilioOptions
from ingest_webhook.providers.twilio_voice import VoiceOptions
from ingest_webhook.providers.web_form import FormOptions
from ingest_webhook.samples.sample import CHECK, Sample
from ingest_webhook.samples.signed_bodies import JSON
from ingest_webhook.sources import ConfiguredSource


def telegram(_: ConfiguredSource, secret: str, __: datetime) -> Sample:
    headers = {**JSON, "x-telegram-bot-api-secret-token": secret}
    return Sample("an update that says nothing, with the secret token", b'{"update_id":1}', headers)


def aircall(_: ConfiguredSource, secret: str, __: datetime) -> Sample:
    body = msgspec.json.encode({"resource": "call", "event": CHECK, "token": secret, "data": {}})
    return Sample("an unknown event, with the token", body, JSON)


def dialpad(_: ConfiguredSource, secret: str, __: datetime) -> Sample:
    parts = (b'{"alg":"HS256","typ":"JWT"}', msgspec.json.encode({"state": CHECK}))
    signed = b".".join(base64.urlsafe_b64encode(part).rstrip(b"=") for part in parts)
    body = signed + b"." + jwt_signature(secret.encode(), signed)
    return Sample("an unknown state, as a signed token", body, {"content-type": "text/plain"})


def freeswitch(_: ConfiguredSource, secret: str, __: datetime) -> Sample:
    """The record of a call that we made: no customer spoke."""
    body = msgspec.json.encode({"variables": {"direction": "outbound", "uuid": CHECK}})
    encoded = base64.b64encode(secret.encode()).decode()
    return Sample("an outbound call, with user and password", body, {**JSON, "authorization": f"Basic {encoded}"})


def web_form(source: ConfiguredSource, secret: str, now: datetime) -> Sample:
    """A form filled by a machine: the field that no person sees is not empty."""
    options = FormOptions.model_validate(source.options)
    token = form_token(secret.encode(), options.form, int(now.timestamp()), uuid4().hex)
    headers = {"content-type": "application/x-www-form-urlencoded", "origin": options.origins[0]}
    body = urlencode({options.honeypot: CHECK, "message": CHECK}).encode()
    return Sample("a machine's form, with a token", body, headers, urlencode({"token": token}))


def twilio_sms(source: ConfiguredSource, secret: str, _: datetime) -> Sample:
    return _twilio(TwilioOptions.model_validate(source.options), secret, {"MessageStatus": CHECK})


def twilio_voice(source: ConfiguredSource, secret: str, _: datetime) -> Sample:
    return _twilio(VoiceOptions.model_validate(source.options), secret, {"CallStatus": CHECK})


def _twilio(options: TwilioOptions, secret: str, fields: dict[str, str]) -> Sample:
    """Signed for the public URL of the options, whatever address it is sent to."""
    signed = options.public_url + "".join(name + value for name, value in sorted(fields.items()))
    signature = twilio_signature(secret.encode(), signed.encode()).decode()
    headers = {"content-type": "application/x-www-form-urlencoded", "x-twilio-signature": signature}
    return Sample("an unknown status, signed", urlencode(fields).encode(), headers)
