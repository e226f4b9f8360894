"""Where WeCom and WeChat put the parts of an encrypted callback."""

import re
from collections.abc import Mapping

from ticket_intake.wecom_cipher import Envelope

# Found in the raw bytes: nothing parses the XML of a sender who has proved nothing yet.
_ENCRYPTED = re.compile(rb"<Encrypt>\s*(?:<!\[CDATA\[)?([A-Za-z0-9+/=]+)(?:\]\]>)?\s*</Encrypt>")


def envelope(values: Mapping[bytes, bytes], encrypted: bytes) -> Envelope:
    signature, timestamp, nonce = (values.get(name, b"") for name in (b"msg_signature", b"timestamp", b"nonce"))
    return Envelope(signature, timestamp, nonce, encrypted)


def encrypted_part(body: bytes) -> bytes:
    """Return the content of `<Encrypt>`, empty when there is none."""
    found = _ENCRYPTED.search(body)
    return found[1] if found else b""
