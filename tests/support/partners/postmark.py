"""Postmark's inbound webhook: JSON with the whole mail, and the user and password of its address."""

import base64
import json
from dataclasses import dataclass

from tests.support.partners.signed_request import SignedRequest, Way


@dataclass
class PostmarkSender:
    """`login` and `next_login` are user:password."""

    login: str
    next_login: str
    _last: SignedRequest | None = None

    def mail(self, raw: bytes, sender: str, recipient: str, way: Way = Way.GOOD) -> SignedRequest:
        if way is Way.REPEATED:
            assert self._last is not None, "nothing was sent that could be repeated"
            return self._last
        document = {
            "FromName": "",
            "From": sender,
            "OriginalRecipient": recipient,
            "MailboxHash": "",
            "MessageID": "00000000-0000-0000-0000-000000000000",
            "TextBody": "It leaks.",
            "RawEmail": f"Return-Path: <{sender}>\r\n" + raw.decode(),
        }
        if way is Way.UNKNOWN_TYPE:  # "Include raw email content in JSON payload" is off
            del document["RawEmail"]
        if way is Way.MALFORMED:
            del document["OriginalRecipient"]
        login = {Way.FORGED: "postmark:guessed", Way.ROTATED: self.next_login}.get(way, self.login)
        headers = {
            "content-type": "application/json; charset=utf-8",
            "user-agent": "Postmark",
            "authorization": "Basic " + base64.b64encode(login.encode()).decode(),
        }
        self._last = SignedRequest(headers, json.dumps(document).encode())
        return self._last
