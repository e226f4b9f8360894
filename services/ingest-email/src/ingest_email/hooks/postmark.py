"""Postmark's inbound webhook with "Include raw email content in JSON payload".

https://postmarkapp.com/developer/webhooks/inbound-webhook: nothing is signed, so the address must hold a user and a
password, or a secret. 403 is given up, any other error is tried again ten times over ten hours.
"""

import json
from http import HTTPStatus

from ingest_email.domain.envelopes import stated_envelope_sender
from ingest_email.hooks.provider import HookMail, HookRejected, HookRequest, malformed


class Postmark:
    """Has no secrets of its own."""

    refused = HTTPStatus.FORBIDDEN

    async def read(self, request: HookRequest) -> HookMail | None:
        try:
            stated = json.loads(request.body)
            recipient, text = stated["OriginalRecipient"], stated.get("RawEmail")
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise malformed("not a mail of Postmark's") from error
        if not isinstance(recipient, str):
            raise malformed("not a mail of Postmark's")
        if not isinstance(text, str) or not text:
            raise HookRejected(
                HTTPStatus.UNPROCESSABLE_ENTITY, 'no RawEmail: switch on "Include raw email content in JSON payload"'
            )
        raw = text.encode("utf-8", "replace")  # half a character of JSON is none of a mail
        return HookMail(raw, stated_envelope_sender(raw), [recipient])
