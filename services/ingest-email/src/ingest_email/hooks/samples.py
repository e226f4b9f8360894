"""Requests as each provider sends them, of a mail to nobody: what `firebreak sources check` sends to a hook.

The recipient's domain can be nobody's (RFC 2606), so a hook that believes the request says that it has no such mailbox.
"""

import base64
import hmac
import json
import secrets as system_random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlencode

from ingest_email.hooks.entries import HookEntry
from ingest_email.hooks.receive_hook import MIME_SUFFIX

RECIPIENT = "firebreak-check@firebreak.invalid"
MAIL = b"From: firebreak-check@firebreak.invalid\r\nSubject: firebreak-check\r\n\r\nNobody reads this.\r\n"


@dataclass(frozen=True, slots=True)
class HookSecrets:
    """One of each kind that the entry has; empty: it has none of the kind."""

    named: str
    """Which these are, for a person."""
    signing: str = field(default="", repr=False)
    basic: str = field(default="", repr=False)
    path: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class HookSample:
    """A request ready to be posted to an address below `/mail/`."""

    what: str
    address: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: bytes


def each_secret(signing: Sequence[str], basic: Sequence[str], path: Sequence[str]) -> list[HookSecrets]:
    """Return as few sets as have every secret once; a shorter list's last one stands in for what it has not."""
    lists = {"secrets": signing, "basic": basic, "path_secrets": path}
    found = []
    for number in range(max(1, *map(len, lists.values()))):
        named = [f"{name}.{number}" for name, each in lists.items() if number < len(each)]
        chosen = [each[min(number, len(each) - 1)] if each else "" for each in lists.values()]
        found.append(HookSecrets(", ".join(named), *chosen))
    return found


def mail_sample(entry: HookEntry, own: HookSecrets, now: datetime) -> HookSample:
    """A whole mail of a provider whose proof we can give as well as it can."""
    match entry.provider:
        case "mailgun":
            timestamp, token = str(int(now.timestamp())), system_random.token_hex(25)
            signature = hmac.digest(own.signing.encode(), f"{timestamp}{token}".encode(), "sha256").hex()
            proof = {"timestamp": timestamp, "token": token, "signature": signature}
            fields = {"recipient": RECIPIENT, "sender": RECIPIENT, "body-mime": MAIL.decode(), **proof}
            return _sample(entry, own, "a mail to nobody, signed", _FORM, urlencode(fields).encode())
        case "sendgrid":
            envelope = json.dumps({"to": [RECIPIENT], "from": RECIPIENT})
            body = urlencode({"email": MAIL.decode(), "envelope": envelope}).encode()
            return _sample(entry, own, "a mail to nobody", _FORM, body)
        case _:
            body = json.dumps({"OriginalRecipient": RECIPIENT, "RawEmail": MAIL.decode()}).encode()
            return _sample(entry, own, "a mail to nobody", "application/json", body)


def topic_sample(entry: HookEntry, own: HookSecrets, topic: str, now: datetime) -> HookSample:
    """A message of a topic that nobody signed; its certificate's address is not AWS's, so nothing is fetched."""
    message = {
        "Type": "Notification",
        "MessageId": "firebreak-check",
        "TopicArn": topic,
        "Message": "firebreak-check",
        "Timestamp": now.isoformat(timespec="milliseconds"),
        "SignatureVersion": "2",
        "Signature": base64.b64encode(b"none").decode(),
        "SigningCertURL": "https://firebreak.invalid/none.pem",
    }
    return _sample(
        entry, own, f"a message of the topic {topic}, not signed", "text/plain", json.dumps(message).encode()
    )


def without_proof(entry: HookEntry) -> HookSample:
    """The same address asked by somebody who knows no secret."""
    nobody = HookSecrets("")
    body = urlencode({"timestamp": "1", "token": "none", "signature": "none"}).encode()
    return _sample(entry, nobody, "a request without proof", _FORM, body)


_FORM = "application/x-www-form-urlencoded"


def _sample(entry: HookEntry, own: HookSecrets, what: str, content_type: str, body: bytes) -> HookSample:
    headers = {"content-type": content_type}
    if own.basic:
        headers["authorization"] = "Basic " + base64.b64encode(own.basic.encode()).decode()
    address = entry.name + (f"/{own.path}" if own.path else "") + (MIME_SUFFIX if entry.provider == "mailgun" else "")
    return HookSample(f"{own.named}: {what}" if own.named else what, address, headers, body)
