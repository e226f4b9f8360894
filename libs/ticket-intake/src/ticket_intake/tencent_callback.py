"""Where WeCom and WeChat put the parts of an encrypted callback."""

import re
import secrets as system_random
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from urllib.parse import urlencode

from ticket_intake.sorted_digest import sorted_digest
from ticket_intake.wecom_cipher import RANDOM_BYTES, CallbackKey, Envelope, encrypt

ECHO = b"20261123"
"""What is to be echoed is a number."""

# Found in the raw bytes: nothing parses the XML of a sender who has proved nothing yet.
_ENCRYPTED = re.compile(rb"<Encrypt>\s*(?:<!\[CDATA\[)?([A-Za-z0-9+/=]+)(?:\]\]>)?\s*</Encrypt>")


def envelope(values: Mapping[bytes, bytes], encrypted: bytes) -> Envelope:
    return Envelope(
        values.get(b"msg_signature", b""), values.get(b"timestamp", b""), values.get(b"nonce", b""), encrypted
    )


@lru_cache(1)  # looked for once to be verified, once to be understood
def encrypted_part(body: bytes) -> bytes:
    """Return the content of `<Encrypt>`, empty when there is none."""
    found = _ENCRYPTED.search(body)
    return found[1] if found else b""


def signed_question(key: CallbackKey, receiver: str, now: datetime) -> str:
    """The query of WeCom's question whether an address is ours; right is who answers with ECHO."""
    encrypted = seal(ECHO, key, receiver)
    return urlencode({**signed_by(key.token, encrypted, str(int(now.timestamp()))), "echostr": encrypted.decode()})


def seal(content: bytes, key: CallbackKey, receiver: str) -> bytes:
    return encrypt(content, key.aes_key, receiver.encode(), system_random.token_bytes(RANDOM_BYTES))


def signed_by(token: bytes, encrypted: bytes, timestamp: str) -> dict[str, str]:
    """The parameters with which the platforms sign an encrypted text."""
    nonce = system_random.token_hex(8)
    signature = sorted_digest(token, timestamp.encode(), nonce.encode(), encrypted).decode()
    return {"msg_signature": signature, "timestamp": timestamp, "nonce": nonce}
