"""Amazon SES behind an SNS topic, and the addresses that SNS has for who checks it: certificate and confirmation."""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache, cached_property
from itertools import count

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from tests.support.partners.signed_request import SignedRequest, Way

TOPIC = "arn:aws:sns:eu-west-1:111122223333:mail"
CERTIFICATE_URL = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-1a2b.pem"
SUBSCRIBE_URL = "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=t0k3n"
OLD_SECONDS = 2 * 86_400


@cache  # AWS has one, and making one takes a third of a second
def _aws_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65_537, key_size=2048)


@cache
def _other_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65_537, key_size=2048)


@dataclass
class AmazonSes:
    """The switches make it wrong or different; `fetch` is what one gets from its addresses."""

    now: Callable[[], float]
    signature_version: str = "2"
    topic: str = TOPIC
    certificate_url: str = CERTIFICATE_URL
    subscribe_url: str = SUBSCRIBE_URL
    bucket: str = ""
    """With one, mail is there and not in the message; `objects` are its keys and contents."""
    is_away: bool = False
    fetched: list[str] = field(default_factory=list)
    objects: dict[str, bytes] = field(default_factory=dict)
    _numbers: "count[int]" = field(default_factory=lambda: count(1))
    _last: SignedRequest | None = None

    async def fetch(self, url: str) -> bytes:
        self.fetched.append(url)
        if self.is_away:
            raise OSError("no answer")
        return self._certificate if url == CERTIFICATE_URL else b"<ConfirmSubscriptionResponse/>"

    def mail(self, raw: bytes, sender: str, recipient: str, way: Way = Way.GOOD) -> SignedRequest:
        if way is Way.REPEATED:
            assert self._last is not None, "nothing was sent that could be repeated"
            return self._last
        told = {
            "notificationType": "Received" if way is not Way.UNKNOWN_TYPE else "AMAZON_SES_SETUP_NOTIFICATION",
            "mail": {"source": sender, "destination": [recipient], "messageId": f"{next(self._numbers):040x}"},
            "receipt": {"recipients": [recipient], **self._action()},
        }
        if self.bucket:
            self.objects[told["receipt"]["action"]["objectKey"]] = raw  # type: ignore[index]
        else:
            told["content"] = base64.b64encode(raw).decode()
        if way is Way.MALFORMED:
            del told["receipt"]
        self._last = self.message("Notification", json.dumps(told), way)
        return self._last

    def subscription(self, way: Way = Way.GOOD) -> SignedRequest:
        """The question whether we want the topic's messages."""
        return self.message("SubscriptionConfirmation", "You have chosen to subscribe.", way)

    def message(self, kind: str, text: str, way: Way = Way.GOOD) -> SignedRequest:
        age = timedelta(seconds=OLD_SECONDS if way is Way.STALE else 0)
        sent_at = datetime.fromtimestamp(self.now(), UTC) - age
        fields = {
            "Type": kind,
            "MessageId": f"00000000-0000-0000-0000-{next(self._numbers):012}",
            "TopicArn": self.topic,
            "Message": text,
            "Timestamp": sent_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "SignatureVersion": self.signature_version,
            "SigningCertURL": self.certificate_url,
        }
        if kind == "SubscriptionConfirmation":
            fields |= {"SubscribeURL": self.subscribe_url, "Token": "t0k3n"}
        else:
            fields |= {"Subject": "Amazon SES Email Receipt Notification"}
        fields["Signature"] = self._signature(fields, _other_key() if way is Way.FORGED else _aws_key())
        headers = {"content-type": "text/plain; charset=UTF-8", "x-amz-sns-message-type": kind}
        return SignedRequest(headers, json.dumps(fields).encode())

    def _action(self) -> dict[str, dict[str, str]]:
        if self.bucket:
            return {"action": {"type": "S3", "bucketName": self.bucket, "objectKey": f"in/{next(self._numbers)}"}}
        return {"action": {"type": "SNS", "topicArn": self.topic, "encoding": "BASE64"}}

    def _signature(self, fields: dict[str, str], key: rsa.RSAPrivateKey) -> str:
        """In the byte order of the names, which is the order that AWS documents."""
        signed = sorted(fields.keys() - {"SignatureVersion", "SigningCertURL"})
        content = "".join(f"{name}\n{fields[name]}\n" for name in signed).encode()
        method = hashes.SHA1() if self.signature_version == "1" else hashes.SHA256()
        return base64.b64encode(key.sign(content, padding.PKCS1v15(), method)).decode()

    @cached_property
    def _certificate(self) -> bytes:
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
        now = datetime.now(UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(_aws_key().public_key())
            .serial_number(1)
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .sign(_aws_key(), hashes.SHA256())
        )
        return certificate.public_bytes(serialization.Encoding.PEM)
