"""Samples of providers that sign the raw body with a shared secret."""

import base64
from collections.abc import Mapping
from datetime import datetime
from urllib.parse import urlencode
from uuid import uuid4

import msgspec
from cryptography.hazmat.primitives.hmac import HMAC

from ingest_webhook.domain.body_signatures import line_signature, meta_signature, x_signature
from ingest_webhook.domain.douyin_signature import douyin_signature
from ingest_webhook.domain.hmac_scheme import GITHUB, hmac_signature
from ingest_webhook.providers.hmac_sender import HmacOptions
from ingest_webhook.samples.sample import CHECK, Sample
from ingest_webhook.sources import ConfiguredSource
from ticket_intake.keyed_hmac import keyed_digest, signing_keys
from ticket_intake.signatures import slack_signature, standard_keys

JSON = {"content-type": "application/json"}


def meta(_: ConfiguredSource, secret: str, __: datetime) -> Sample:
    """Messenger, Instagram and WhatsApp: a notification about something none of them has."""
    body = msgspec.json.encode({"object": CHECK, "entry": []})
    return _signed("a notification without entries", body, "x-hub-signature-256", meta_signature(body, _key(secret)))


def meta_question(_: ConfiguredSource, token: str, __: datetime) -> Sample:
    """What Meta asks when the address and the verify token are saved on its page."""
    query = urlencode({"hub.mode": "subscribe", "hub.verify_token": token, "hub.challenge": "1158201444"})
    return Sample("Meta's question, with the verify token", query=query, method="GET")


def line(_: ConfiguredSource, secret: str, __: datetime) -> Sample:
    """LINE's own "Verify" button sends no events either."""
    body = msgspec.json.encode({"destination": "U" + "0" * 32, "events": []})
    return _signed("a notification without events", body, "x-line-signature", line_signature(body, _key(secret)))


def x(_: ConfiguredSource, secret: str, __: datetime) -> Sample:
    body = msgspec.json.encode({"data": {"event_type": CHECK}})
    return _signed("an unknown event", body, "x-twitter-webhooks-signature", x_signature(body, _key(secret)))


def douyin(_: ConfiguredSource, secret: str, __: datetime) -> Sample:
    body = msgspec.json.encode({"event": "verify_webhook", "content": {"challenge": 7}})
    return _signed("Douyin's challenge", body, "x-douyin-signature", douyin_signature(secret.encode(), body))


def github(_: ConfiguredSource, secret: str, __: datetime) -> Sample:
    """What GitHub sends when a webhook is made."""
    body = msgspec.json.encode({"zen": CHECK})
    signature = hmac_signature(GITHUB, secret.encode(), body)
    return _signed("a ping", body, "x-hub-signature-256", signature, {"x-github-event": "ping"})


def slack(_: ConfiguredSource, secret: str, now: datetime) -> Sample:
    body = msgspec.json.encode({"type": "url_verification", "challenge": CHECK})
    timestamp = str(int(now.timestamp()))
    signature = slack_signature(_key(secret), b":".join((b"v0", timestamp.encode(), body)))
    return _signed("a url_verification", body, "x-slack-signature", signature, {"x-slack-request-timestamp": timestamp})


def standard_webhooks(_: ConfiguredSource, secret: str, now: datetime) -> Sample:
    """:raises ValueError: a public key signs nothing."""
    keys = standard_keys([secret])
    if not keys.shared:
        raise ValueError("is a public key (whpk_…): only the sender can sign with its private half")
    body = msgspec.json.encode({"type": CHECK, "data": {}})
    message_id, timestamp = f"check_{uuid4().hex}", str(int(now.timestamp()))
    digest = keyed_digest(keys.shared[0], f"{message_id}.{timestamp}.".encode() + body)
    more = {"webhook-id": message_id, "webhook-timestamp": timestamp}
    return _signed("an unknown event", body, "webhook-signature", b"v1," + base64.b64encode(digest), more)


def generic_hmac(source: ConfiguredSource, secret: str, now: datetime) -> Sample:
    """An empty document: its signature is right, and the mapping finds no message in it."""
    options = HmacOptions.model_validate(source.options)
    signing, body, timestamp = options.signing, b"{}", str(int(now.timestamp()))
    signature = hmac_signature(signing.scheme, secret.encode(), body, timestamp.encode())
    more = {signing.timestamp_header: timestamp} if signing.timestamp_header else {}
    if options.events and options.events.header:
        more[options.events.header] = CHECK
    return _signed("an empty document", body, signing.header, signature, more)


def _signed(what: str, body: bytes, header: str, signature: bytes, more: Mapping[str, str] | None = None) -> Sample:
    return Sample(f"{what}, signed", body, {**JSON, header: signature.decode(), **(more or {})})


def _key(secret: str) -> HMAC:
    [key] = signing_keys([secret.encode()])
    return key
