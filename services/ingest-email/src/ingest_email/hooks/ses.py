"""Amazon SES: a receipt rule that hands mail to an SNS topic, the mail in the message (up to 150 KB) or in S3.

https://docs.aws.amazon.com/ses/latest/dg/receiving-email-notifications-contents.html
"""

import base64
import binascii
import json
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any

import obstore
import structlog
from obstore.exceptions import BaseError, NotFoundError

from ingest_email.hooks.provider import HookMail, HookRejected, HookRequest, HookUnavailable, malformed
from ingest_email.hooks.sns import SnsTopics

ReadObject = Callable[[str], Awaitable[bytes]]
"""Gets the object of a key. Raises HookUnavailable."""

log = structlog.get_logger("ses")


class AmazonSes:
    """`buckets` are those that receipt rules write to, by the name they have there."""

    refused = HTTPStatus.FORBIDDEN  # SNS does not try again after a client error

    def __init__(self, topics: SnsTopics, buckets: Mapping[str, ReadObject]) -> None:
        self._topics = topics
        self._buckets = buckets

    async def read(self, request: HookRequest) -> HookMail | None:
        message = await self._topics.check(request.body, request.now)
        if message["Type"] == "SubscriptionConfirmation":
            await self._topics.confirm(message)
            log.info("subscription confirmed", topic=message["TopicArn"])
            return None
        if message["Type"] != "Notification":
            log.warning("the topic does not send here any more", topic=message["TopicArn"])
            return None
        return await self._mail(message["Message"])

    async def _mail(self, text: str) -> HookMail | None:
        try:
            stated = json.loads(text)
        except (ValueError, RecursionError):
            stated = None
        if not isinstance(stated, dict) or stated.get("notificationType") != "Received":
            log.info("notification without a mail", beginning=text[:60])  # such as AWS's own when a topic is set up
            return None
        try:
            receipt = stated["receipt"]
            sender, recipients, action = stated["mail"]["source"], receipt["recipients"], receipt["action"]
            raw = await self._content(stated, action)
        except (KeyError, TypeError, AttributeError) as error:
            raise malformed("not a notification of SES about a mail") from error
        if not isinstance(sender, str) or not isinstance(recipients, list):
            raise malformed("not a notification of SES about a mail")
        return HookMail(raw, sender, [recipient for recipient in recipients if isinstance(recipient, str)])

    async def _content(self, stated: Mapping[str, Any], action: Mapping[str, Any]) -> bytes:
        if action["type"] == "S3":
            read = self._buckets.get(action["bucketName"])
            if read is None:
                raise HookRejected(HTTPStatus.UNPROCESSABLE_ENTITY, "the bucket is not one that the hook names")
            return await read(action["objectKey"])
        content = stated.get("content")
        if not isinstance(content, str):
            raise HookRejected(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                "no content: let the rule use the action SNS, or S3 with its bucket here",
            )
        if action.get("encoding") != "BASE64":
            return content.encode("utf-8", "replace")
        try:
            return base64.b64decode(content, validate=True)
        except (binascii.Error, ValueError) as error:
            raise malformed("the content is not base64") from error


def bucket_reader(url: str, most_bytes: int) -> ReadObject:
    """Return what reads a bucket's objects. Credentials come from the cloud's own variables.

    :raises ValueError: the URL names no bucket.
    """
    try:
        store = obstore.store.from_url(url)
    except (BaseError, ValueError) as error:
        raise ValueError(f"{url!r} is not a bucket: use s3://name") from error

    async def read(key: str) -> bytes:
        try:
            found = await obstore.get_async(store, key)
            if found.meta["size"] > most_bytes:
                raise HookRejected(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "the mail in the bucket is too large")
            return bytes(await found.bytes_async())
        except (NotFoundError, FileNotFoundError) as error:
            raise HookUnavailable(f"no object {key[:100]!r} in the bucket") from error
        except (OSError, BaseError) as error:
            raise HookUnavailable(f"the bucket does not answer: {type(error).__name__}") from error

    return read
