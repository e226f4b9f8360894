"""A Mailgun route that forwards whole mails: signs a time and a token, never the mail."""

import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from urllib.parse import quote_from_bytes

from tests.support.partners.mail_form import multipart_form
from tests.support.partners.signed_request import SignedRequest, Way

OLD_SECONDS = 10 * 3600  # the last retry comes after eight hours


@dataclass
class MailgunSender:
    """`as_form` posts `multipart/form-data`, as it does when there are attachments; else an urlencoded form."""

    key: str
    next_key: str
    now: Callable[[], float]
    as_form: bool = True
    keeps_token: bool = False
    """Whether another mail comes under the token of the one before: somebody has listened."""
    _numbers: "count[int]" = field(default_factory=lambda: count(1))
    _last: SignedRequest | None = None
    _token: str = ""

    def mail(self, raw: bytes, sender: str, recipient: str, way: Way = Way.GOOD) -> SignedRequest:
        if way is Way.REPEATED:
            assert self._last is not None, "nothing was sent that could be repeated"
            return self._last
        if not self.keeps_token:
            self._token = f"{next(self._numbers):050x}"
        timestamp = str(int(self.now()) - (OLD_SECONDS if way is Way.STALE else 0))
        key = {Way.FORGED: "guessed", Way.ROTATED: self.next_key}.get(way, self.key)
        fields = {
            "recipient": recipient.encode(),
            "sender": sender.encode(),
            "body-mime": raw,
            "timestamp": timestamp.encode(),
            "token": self._token.encode(),
            "signature": hmac.digest(key.encode(), f"{timestamp}{self._token}".encode(), "sha256").hex().encode(),
        }
        if way is Way.UNKNOWN_TYPE:  # the route's address does not end in `mime`, so mail comes parsed
            fields["body-plain"] = fields.pop("body-mime")
        if way is Way.MALFORMED:
            del fields["token"]
        self._last = self._request(fields)
        return self._last

    def _request(self, fields: dict[str, bytes]) -> SignedRequest:
        if self.as_form:
            content_type, body = multipart_form(fields)
        else:
            content_type = "application/x-www-form-urlencoded"
            body = "&".join(f"{name}={quote_from_bytes(value)}" for name, value in fields.items()).encode()
        return SignedRequest({"content-type": content_type, "user-agent": "mailgun/treq"}, body)
