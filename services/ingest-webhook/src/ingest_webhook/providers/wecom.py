"""WeCom (企业微信), messages to an application: developer.work.weixin.qq.com/document/path/90238.

A repeat (WeCom sends three) carries the same MsgId. Files stay at WeCom, which keeps them for three days; the message
names them.
"""

from collections.abc import Mapping, Sequence

from ingest_webhook.provider import Ignored, Messages, Reading, WebhookRequest
from ingest_webhook.providers.callback_options import ReceiverOptions
from ingest_webhook.providers.echostr import echo
from ingest_webhook.providers.tencent_document import WECOM, TencentDocument, read_document, word
from ingest_webhook.rejections import IgnoreReason
from ticket_contracts.vocabulary import Channel, IdentityKind, MessageKind
from ticket_intake.clean_text import one_line
from ticket_intake.incoming import IncomingMessage
from ticket_intake.message_data import Person
from ticket_intake.query_strings import query_values
from ticket_intake.tencent_callback import encrypted_part, envelope
from ticket_intake.wecom_cipher import CallbackKey, Opened, callback_keys, open_envelope

DOCUMENTATION = "docs/channels/wecom.md"
SUBJECT_LENGTH = 120


class Wecom:
    """Provider `wecom`. Secrets: `TOKEN:ENCODING_AES_KEY` of the application's message receiver."""

    methods = ("GET", "POST")
    challenge = None

    def __init__(self, options: ReceiverOptions, keys: Sequence[CallbackKey]) -> None:
        self.time_trusted = options.time_trusted
        self._corporation = options.receiver_id
        self._receiver_id = options.receiver_id.encode()
        self._tolerance = options.tolerance_seconds
        self._keys = keys

    @classmethod
    def build(cls, options: Mapping[str, object], secrets: Sequence[str]) -> "Wecom":
        return cls(ReceiverOptions.model_validate(options), callback_keys(secrets))

    def verify(self, request: WebhookRequest) -> None:
        self._open(request)

    def read(self, request: WebhookRequest) -> Reading:
        content = self._open(request).content
        if request.method == "GET":
            return echo(content, DOCUMENTATION)
        document = read_document(content, DOCUMENTATION)
        if document.is_event:  # subscribe, enter_agent, LOCATION, a menu: nobody said anything
            return Ignored(IgnoreReason.UNKNOWN_TYPE)
        return Messages((self._message(document),))

    def _open(self, request: WebhookRequest) -> Opened:
        values = query_values(request.query)
        encrypted = values.get(b"echostr", b"") if request.method == "GET" else encrypted_part(request.body)
        return open_envelope(
            envelope(values, encrypted),
            self._keys,
            receiver_id=self._receiver_id,
            now=request.received_at.timestamp(),
            tolerance_seconds=self._tolerance,
        )

    def _message(self, document: TencentDocument) -> IncomingMessage:
        wording = word(document, WECOM)
        return IncomingMessage(
            kind=MessageKind.CREATED,
            channel=Channel.CHAT,
            provider_id=document.provider_id,
            conversation=f"{document.receiver}/{document.agent}/{document.sender}",
            # WeCom: a user id is unique within its corporation.
            sender=Person(kind=IdentityKind.WECOM, value=f"{self._corporation}/{document.sender}"),
            subject=one_line(wording.text, SUBJECT_LENGTH),
            text=wording.text,
            sent_at=document.sent_at,
            reading_problems=wording.problems,
        )
