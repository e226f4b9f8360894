"""Amazon SNS messages over HTTP: which are genuine, and whose topic they are of.

https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html. A signature alone says that some
customer of AWS sent it, for anybody may point a topic here: the topic must be one of ours as well. Both addresses that
a message names are fetched only when they are AWS's own. AWS's own published messages are in test_sns_vectors.
"""

import base64
import binascii
import json
import re
from collections.abc import Awaitable, Callable, Collection, Mapping
from datetime import UTC, datetime
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from ingest_email.hooks.provider import SIGNATURE_WRONG, HookUnavailable, malformed, unauthorised

OLDEST_SECONDS, NEWEST_SECONDS = 24 * 3600, 300
"""SNS tries for an hour at most."""

OTHER_TOPIC = "the topic is not one of ours"
NOT_AWS = "an address in the message is not AWS's"

Fetch = Callable[[str], Awaitable[bytes]]
"""Gets an https address, follows nothing, takes little. Raises OSError."""

_HOST = re.compile(r"sns\.[a-z0-9-]{3,30}\.amazonaws\.com(\.cn)?", re.ASCII)
_ALWAYS = ("Message", "MessageId", "Timestamp", "TopicArn", "Type", "SignatureVersion", "Signature", "SigningCertURL")
_SIGNED = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
    "UnsubscribeConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
}
_OPTIONAL = {"Subject"}
_HASHES: Mapping[str, type[hashes.SHA1] | type[hashes.SHA256]] = {"1": hashes.SHA1, "2": hashes.SHA256}


class SnsTopics:
    """Checks messages of these topics; keeps the certificates, of which AWS has few."""

    def __init__(self, topics: Collection[str], fetch: Fetch) -> None:
        self._topics = frozenset(topics)
        self._fetch = fetch
        self._keys: dict[str, rsa.RSAPublicKey] = {}

    async def check(self, body: bytes, now: datetime) -> dict[str, str]:
        """Return a genuine message's fields.

        :raises HookRejected: it is not one, or of another topic.
        :raises HookUnavailable: AWS's certificate cannot be had now.
        """
        message = _read(body)
        if message["TopicArn"] not in self._topics:
            raise unauthorised(OTHER_TOPIC)
        key = await self._key(message["SigningCertURL"])
        if not is_signed(message, key):
            raise unauthorised(SIGNATURE_WRONG)
        age = (now - _moment(message["Timestamp"])).total_seconds()
        if not -NEWEST_SECONDS <= age <= OLDEST_SECONDS:
            raise unauthorised("the message is too old, or our clock is wrong")
        return message

    async def confirm(self, message: Mapping[str, str]) -> None:
        """Say yes to a subscription to a topic of ours.

        :raises HookUnavailable: AWS does not answer.
        """
        address = _own_address(message["SubscribeURL"])
        try:
            await self._fetch(address)
        except OSError as error:
            raise HookUnavailable(f"the subscription cannot be confirmed: {error}") from error

    async def _key(self, stated: str) -> rsa.RSAPublicKey:
        address = _own_address(stated)
        if not urlsplit(address).path.endswith(".pem"):
            raise unauthorised("the certificate's address is not AWS's")
        if address not in self._keys:
            try:
                content = await self._fetch(address)
                key = x509.load_pem_x509_certificate(content).public_key()
            except (OSError, ValueError) as error:
                raise HookUnavailable(f"the certificate cannot be had: {error}") from error
            if not isinstance(key, rsa.RSAPublicKey):
                raise unauthorised("the certificate has no RSA key")
            self._keys[address] = key
        return self._keys[address]


def is_signed(message: Mapping[str, str], key: rsa.RSAPublicKey) -> bool:
    """Whether the key signed the fields that a message of its type has to sign."""
    method = _HASHES.get(message["SignatureVersion"])
    try:
        signature = base64.b64decode(message["Signature"], validate=True)
    except (binascii.Error, ValueError):
        return False
    if method is None:
        return False
    try:
        key.verify(signature, signed_content(message), padding.PKCS1v15(), method())
    except InvalidSignature:
        return False
    return True


def signed_content(message: Mapping[str, str]) -> bytes:
    """Each signed field's name and value, a line each; an absent subject is left out."""
    names = [name for name in _SIGNED[message["Type"]] if name in message]
    return "".join(f"{name}\n{message[name]}\n" for name in names).encode("utf-8", "replace")


def _read(body: bytes) -> dict[str, str]:
    try:
        stated = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise malformed("not JSON") from error
    if not isinstance(stated, dict) or stated.get("Type") not in _SIGNED:
        raise malformed("not a message of SNS")
    message = {name: value for name, value in stated.items() if isinstance(value, str)}
    needed = {*_ALWAYS, *_SIGNED[message["Type"]]} - _OPTIONAL
    if missing := sorted(needed - message.keys()):
        raise malformed(f"not a message of SNS: no {missing[0]}")
    return message


def _own_address(address: str) -> str:
    """An address of SNS itself: nothing that a stranger could let us ask in his place (SSRF)."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port, parts = "", None, urlsplit("")
    is_own = parts.scheme == "https" and _HOST.fullmatch(host) and parts.netloc == host and port is None
    if not is_own or not address.isascii() or any(character in address for character in "\\\r\n\t #"):
        raise unauthorised(NOT_AWS)
    return address


def _moment(stated: str) -> datetime:
    try:
        moment = datetime.fromisoformat(stated)
    except ValueError as error:
        raise malformed("the timestamp is none") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
