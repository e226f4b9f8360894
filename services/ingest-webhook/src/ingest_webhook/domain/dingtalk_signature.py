"""How DingTalk signs what people say to a robot: open.dingtalk.com/document/isvapp/receive-message.

The body is not signed: whoever has seen one request of the last hour can send another body with its headers.
"""

import binascii
import hmac
import re
from collections.abc import Sequence

from ticket_intake.signatures import SecretMalformed, check_signature
from ticket_intake.signed_time import check_signed_time

_APP_SECRET = re.compile(r"[A-Za-z0-9_-]{16,128}")


def app_secret(secret: str) -> bytes:
    """Read a robot's AppSecret.

    :raises SecretMalformed:
    """
    if not _APP_SECRET.fullmatch(secret):
        raise SecretMalformed(
            "is neither TOKEN:ENCODING_AES_KEY of an event subscription nor the AppSecret (Client Secret) of a robot"
        )
    return secret.encode()


def robot_signature(secret: bytes, timestamp: bytes) -> bytes:
    return binascii.b2a_base64(hmac.digest(secret, timestamp + b"\n" + secret, "sha256"), newline=False)


def verify_robot(
    *, timestamp: bytes, signature: bytes, secrets: Sequence[bytes], now: float, tolerance_seconds: float
) -> None:
    """Check the headers `timestamp` and `sign`.

    :raises SignatureInvalid: or SignatureStale.
    """
    check_signature(signature, [robot_signature(secret, timestamp) for secret in secrets])
    check_signed_time(timestamp, now, tolerance_seconds)
