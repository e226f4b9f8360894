"""Twilio's `X-Twilio-Signature`: https://www.twilio.com/docs/usage/webhooks/webhooks-security.

It covers the URL as Twilio called it, which only configuration knows: what a client says about host and scheme is what
an attacker would choose. Twilio has signed such URLs with and without the port, so both spellings are tried.
"""

import binascii
import hmac
from collections.abc import Iterable, Sequence
from hashlib import sha256
from urllib.parse import SplitResult, parse_qs, urlsplit

from ingest_webhook.domain.form_fields import FormFields, NotForm, read_form_fields
from ticket_intake.signatures import SignatureInvalid

_DEFAULT_PORTS = {"http": 80, "https": 443}
BODY_DIGEST = "bodySHA256"


def public_urls(url: str) -> tuple[str, ...]:
    """Return the spellings of our own address that may have been signed.

    :raises ValueError: it is no http or https URL, or has parts that only a request can have.
    """
    parts = urlsplit(url)
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
        raise ValueError("is no URL with https:// and a host, as it stands in Twilio's console")
    if parts.query or parts.fragment or parts.username is not None:
        raise ValueError("must end with the path: no user, no query, no fragment")
    port = parts.port or _DEFAULT_PORTS[parts.scheme]
    host = parts.netloc.removesuffix(f":{parts.port}")
    return _with_host(parts, host), _with_host(parts, f"{host}:{port}")


def signs_digest(query: bytes) -> bool:
    """Tell whether Twilio signed the body by its digest (JSON) instead of by its fields (a form)."""
    return _digest(query) is not None


def verify_twilio(body: bytes, query: bytes, *, signature: bytes, urls: Sequence[str], tokens: Sequence[bytes]) -> None:
    """Check a request.

    :param query: of the request as it came; part of what is signed.
    :param urls: from `public_urls`.
    :raises SignatureInvalid:
    """
    digest = _digest(query)
    fields: FormFields = ()
    if digest is None:
        try:
            fields = read_form_fields(body)
        except NotForm as error:
            raise SignatureInvalid from error
    elif not hmac.compare_digest(sha256(body).hexdigest().encode(), digest):
        raise SignatureInvalid
    tail = (b"?" + query if query else b"") + _joined(fields)
    for url in urls:
        signed = url.encode() + tail
        for token in tokens:
            if hmac.compare_digest(twilio_signature(token, signed), signature):
                return
    raise SignatureInvalid


def twilio_signature(token: bytes, signed: bytes) -> bytes:
    """Return base64 of HMAC-SHA1: SHA-1 is broken for collisions, not as a key's hash, and Twilio has no other."""
    return binascii.b2a_base64(hmac.digest(token, signed, "sha1"), newline=False)


def _digest(query: bytes) -> bytes | None:
    if not query:
        return None
    values = parse_qs(query.decode("latin-1")).get(BODY_DIGEST)
    return values[0].lower().encode("latin-1", "replace") if values else None


def _joined(fields: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Names in order, of a repeated name each different value once, in order; nothing stands between them."""
    return b"".join(name + value for name, value in sorted(set(fields)))


def _with_host(parts: SplitResult, host: str) -> str:
    return parts._replace(netloc=host).geturl()
