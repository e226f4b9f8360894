"""Mails of the corpus as Mailgun, SendGrid and Postmark post them. Amazon's certificates come from Amazon only."""

import time
from collections.abc import Iterator, Mapping
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.load.mail_corpus import corpus_folder, fresh_mails
from tests.support.deployment_files import SUPPORT_ADDRESS
from tests.support.partners.mailgun import MailgunSender
from tests.support.partners.postmark import PostmarkSender
from tests.support.partners.sendgrid import SendGridSender
from tests.support.partners.signed_request import SignedRequest

MAILGUN_KEY, POSTMARK_LOGIN = "mailgun-signing-key-of-the-load", "postmark:password-of-the-load"
CUSTOMER = "load@example.com"
HOOKS = ("mailgun", "sendgrid", "postmark")


def new_key() -> str:
    """The private key of a SendGrid security policy, as hexadecimal digits of its DER."""
    key = ec.generate_private_key(ec.SECP256R1())
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.DER, form, serialization.NoEncryption()).hex()


def sendgrid_sender(key: str) -> SendGridSender:
    """The policy with this key."""
    read = serialization.load_der_private_key(bytes.fromhex(key), None)
    assert isinstance(read, ec.EllipticCurvePrivateKey), "made by new_key"
    return SendGridSender(time.time, key=read)


def hook_entries(key: str) -> list[dict[str, object]]:
    """The `hooks` part of a mailboxes file."""
    keys = [{"value": public} for public in sendgrid_sender(key).public_keys()]
    return [
        {"name": "mailgun", "provider": "mailgun", "secrets": [{"value": MAILGUN_KEY}]},
        {"name": "sendgrid", "provider": "sendgrid", "secrets": keys},
        {"name": "postmark", "provider": "postmark", "basic": [{"value": POSTMARK_LOGIN}]},
    ]


def hook_requests(key: str) -> Mapping[str, Iterator[SignedRequest]]:
    """The requests of each hook, without an end, none twice."""
    mailgun, postmark = MailgunSender(MAILGUN_KEY, "", time.time), PostmarkSender(POSTMARK_LOGIN, "")
    return {
        "mailgun": _carried(mailgun, fresh_mails(corpus_folder())),
        "sendgrid": _carried(sendgrid_sender(key), fresh_mails(corpus_folder())),
        "postmark": _carried(postmark, map(_as_text, fresh_mails(corpus_folder()))),
    }


def _carried(partner: Any, mails: Iterator[bytes]) -> Iterator[SignedRequest]:
    return (partner.mail(raw, CUSTOMER, SUPPORT_ADDRESS) for raw in mails)


def _as_text(raw: bytes) -> bytes:
    """Postmark hands a mail over as JSON text: what is not UTF-8 has been replaced before."""
    return raw.decode("utf-8", "replace").encode()
