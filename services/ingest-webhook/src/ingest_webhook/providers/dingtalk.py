"""DingTalk (钉钉): encrypted events of a subscription, and what people say to a robot.

Events are open.dingtalk.com/document/orgapp/configure-event-subcription; DingTalk counts one as delivered only when
the answer, within 1.5 seconds, is `success`, encrypted and signed as the request was. Robots have a scheme of their
own, see `domain.dingtalk_signature`; their messages want no answer.
"""

import re
import secrets as system_random
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

import msgspec
from pydantic import Field

from ingest_webhook.domain.dingtalk_signature import app_secret, verify_robot
from ingest_webhook.provider import Answer, Ignored, Messages, Reading, WebhookRequest
from ingest_webhook.providers.callback_options import MAX_TOLERANCE_SECONDS, ReceiverOptions
from ingest_webhook.providers.decode_model import decode_object
from ingest_webhook.providers.dingtalk_message import RobotMessage, is_robot_message, read_robot_message, word
from ingest_webhook.rejections import IgnoreReason
from ticket_contracts.vocabulary import Channel, IdentityKind, MessageKind
from ticket_intake.clean_text import one_line, shorten
from ticket_intake.incoming import IncomingMessage
from ticket_intake.message_data import Person
from ticket_intake.query_strings import query_values
from ticket_intake.sorted_digest import sorted_digest
from ticket_intake.wecom_cipher import (
    RANDOM_BYTES,
    CallbackKey,
    Envelope,
    Opened,
    callback_keys,
    encrypt,
    open_envelope,
)

DOCUMENTATION = "docs/channels/dingtalk.md"
SUBJECT_LENGTH = 120
NAME_LENGTH = 200

# DingTalk's page on robots: a time more than an hour away is not legitimate.
ROBOT_TOLERANCE_SECONDS = 3600
_NONCE_BYTES = 8
_SUCCESS = b"success"

# Found in the raw bytes: nothing parses the JSON of a sender who has proved nothing yet. JSON may escape a slash.
_ENCRYPTED = re.compile(rb'"encrypt"\s*:\s*"([A-Za-z0-9+/=\\]+)"')

RandomBytes = Callable[[int], bytes]


class DingtalkOptions(ReceiverOptions):
    """`tolerance_seconds` is for events; robots have DingTalk's own window."""

    robot_tolerance_seconds: int = Field(default=ROBOT_TOLERANCE_SECONDS, ge=1, le=MAX_TOLERANCE_SECONDS)


class Dingtalk:
    """Provider `dingtalk`. Secrets: `TOKEN:ENCODING_AES_KEY` of the events, the AppSecret of the robot, or both."""

    methods = ("POST",)
    challenge = None

    def __init__(
        self,
        options: DingtalkOptions,
        keys: Sequence[CallbackKey],
        robot_secrets: Sequence[bytes],
        random_bytes: RandomBytes,
    ) -> None:
        self.time_trusted = options.time_trusted
        self._options = options
        self._receiver_id = options.receiver_id.encode()
        self._keys = keys
        self._robot_secrets = robot_secrets
        self._random_bytes = random_bytes

    @classmethod
    def build(
        cls,
        options: Mapping[str, object],
        secrets: Sequence[str],
        random_bytes: RandomBytes = system_random.token_bytes,
    ) -> "Dingtalk":
        of_events = [secret for secret in secrets if ":" in secret]
        of_robots = [secret for secret in secrets if ":" not in secret]
        robot_secrets = [app_secret(secret) for secret in of_robots]
        return cls(DingtalkOptions.model_validate(options), callback_keys(of_events), robot_secrets, random_bytes)

    def verify(self, request: WebhookRequest) -> None:
        if not _from_robot(request):
            self._open(request)
            return
        verify_robot(
            timestamp=request.header(b"timestamp"),
            signature=request.header(b"sign"),
            secrets=self._robot_secrets,
            now=request.received_at.timestamp(),
            tolerance_seconds=self._options.robot_tolerance_seconds,
        )

    def read(self, request: WebhookRequest) -> Reading:
        if _from_robot(request):
            document = decode_object(request.body, DOCUMENTATION)
            if not is_robot_message(document):
                return Ignored(IgnoreReason.UNKNOWN_TYPE)
            return self._read_message(read_robot_message(document, DOCUMENTATION))
        opened = self._open(request)
        decode_object(opened.content, DOCUMENTATION)
        # `check_url` and everything that may be subscribed to (members, departments, approvals): no customer speaks.
        return Ignored(IgnoreReason.UNKNOWN_TYPE, self._success(opened.key, request.received_at))

    def _open(self, request: WebhookRequest) -> Opened:
        values = query_values(request.query)
        # Both names are in use; where both come, they have the same value.
        signature = values.get(b"msg_signature") or values.get(b"signature", b"")
        return open_envelope(
            Envelope(signature, values.get(b"timestamp", b""), values.get(b"nonce", b""), _encrypted(request.body)),
            self._keys,
            receiver_id=self._receiver_id,
            now=request.received_at.timestamp(),
            tolerance_seconds=self._options.tolerance_seconds,
        )

    def _success(self, key: CallbackKey, now: datetime) -> Answer:
        timestamp = str(int(now.timestamp() * 1000))
        nonce = self._random_bytes(_NONCE_BYTES).hex()
        encrypted = encrypt(_SUCCESS, key.aes_key, self._receiver_id, self._random_bytes(RANDOM_BYTES))
        answer = {
            "msg_signature": sorted_digest(key.token, timestamp.encode(), nonce.encode(), encrypted).decode(),
            "timeStamp": timestamp,
            "nonce": nonce,
            "encrypt": encrypted.decode(),
        }
        return Answer("application/json", msgspec.json.encode(answer))

    def _read_message(self, message: RobotMessage) -> Reading:
        sender = message.staff_id or message.sender_id
        if not sender:
            return Ignored(IgnoreReason.NO_SENDER)
        wording = word(message)
        incoming = IncomingMessage(
            kind=MessageKind.CREATED,
            channel=Channel.CHAT,
            provider_id=message.message_id,
            conversation=message.conversation_id,
            # DingTalk: a staff id is unique within its organisation, and the robot is that organisation's.
            sender=Person(
                kind=IdentityKind.DINGTALK,
                value=f"{self._options.receiver_id}/{sender}",
                name=shorten(message.nick or "", NAME_LENGTH),
            ),
            subject=one_line(wording.text, SUBJECT_LENGTH),
            text=wording.text,
            sent_at=datetime.fromtimestamp(message.created / 1000, UTC),
            reading_problems=wording.problems,
        )
        return Messages((incoming,))


def _from_robot(request: WebhookRequest) -> bool:
    return b"sign" in request.headers


def _encrypted(body: bytes) -> bytes:
    """Return what is to be opened, empty when there is none."""
    found = _ENCRYPTED.search(body)
    return found[1].replace(b"\\/", b"/") if found else b""
