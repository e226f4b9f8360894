"""Mailgun routes: `forward("https://…/mail/NAME/mime")`, whose address ends in `mime` so that the mail comes as it is.

https://documentation.mailgun.com/docs/mailgun/user-manual/receive-forward-store/receive-http: 200 is taken, 406 is
given up, anything else is tried again for 8 hours. What is signed is a time and a token, not the mail: so a token that
brought one mail is refused with another.
"""

import hmac
from collections import OrderedDict
from collections.abc import Sequence
from hashlib import sha256
from http import HTTPStatus

from ingest_email.hooks.form import form_fields
from ingest_email.hooks.provider import SIGNATURE_WRONG, HookMail, HookRejected, HookRequest, malformed, unauthorised

OLDEST_SECONDS, NEWEST_SECONDS = 9 * 3600, 300
"""Whether a retry is signed anew is not documented: the oldest is the last retry's, and an hour."""

MOST_TOKENS = 50_000
"""Remembered of one hook by one process: nine hours of more than a mail a second."""


class UsedTokens:
    """Which token has brought which mail. It outlives the hook that asks it: an edit of the file makes another one."""

    def __init__(self) -> None:
        self._used: OrderedDict[str, bytes] = OrderedDict()

    def may_bring(self, token: str, raw: bytes) -> bool:
        """Whether the token is fresh, or has brought this very mail before."""
        digest = sha256(raw).digest()
        if self._used.setdefault(token, digest) != digest:
            return False
        if len(self._used) > MOST_TOKENS:
            self._used.popitem(last=False)
        return True


class Mailgun:
    """`keys` are HTTP webhook signing keys; all are active."""

    refused = HTTPStatus.NOT_ACCEPTABLE

    def __init__(self, keys: Sequence[str], used: UsedTokens) -> None:
        self._keys = [key.encode() for key in keys]
        self._used = used

    async def read(self, request: HookRequest) -> HookMail | None:
        fields = form_fields(request)
        words = {name: fields.get(name, b"").decode("utf-8", "replace") for name in _SMALL_FIELDS}
        self._check(words["timestamp"], words["token"], words["signature"], request.now.timestamp())
        raw = fields.get("body-mime")
        if raw is None:
            raise HookRejected(
                HTTPStatus.UNPROCESSABLE_ENTITY, "no body-mime: let the route's address end in /mime, or mail is parsed"
            )
        if not self._used.may_bring(words["token"], raw):
            raise unauthorised("the token has brought another mail before")
        recipients = [word.strip() for word in words["recipient"].split(",")]
        return HookMail(raw, words["sender"], recipients)

    def _check(self, timestamp: str, token: str, signature: str, now: float) -> None:
        if not token or not timestamp.isascii() or not timestamp.isdecimal():
            raise malformed("no timestamp and token")
        if not is_signed(self._keys, timestamp, token, signature):
            raise unauthorised(SIGNATURE_WRONG)
        if not -NEWEST_SECONDS <= now - int(timestamp[:12]) <= OLDEST_SECONDS:
            raise unauthorised("the signature is too old, or our clock is wrong")


_SMALL_FIELDS = ("timestamp", "token", "signature", "recipient", "sender")


def is_signed(keys: Sequence[bytes], timestamp: str, token: str, signature: str) -> bool:
    """Hex HMAC-SHA256 of time and token, by any of the keys."""
    stated = signature.encode("utf-8", "replace")
    content = f"{timestamp}{token}".encode()
    return any(hmac.compare_digest(hmac.new(key, content, sha256).hexdigest().encode(), stated) for key in keys)
