"""WeChat 公众号 (official account) in safe mode: developers.weixin.qq.com/doc/offiaccount.

In plain mode nobody signs the body, so it is refused; of compatible mode only the encrypted part is read. WeChat sends
a message up to three times, five seconds apart, with the same MsgId.
"""

from collections.abc import Mapping, Sequence

from ingest_webhook.provider import Ignored, Messages, Reading, WebhookRequest
from ingest_webhook.providers.callback_options import ReceiverOptions
from ingest_webhook.providers.echostr import echo
from ingest_webhook.providers.receipts import reason_of, receipt
from ingest_webhook.providers.tencent_document import WECHAT, TencentDocument, read_document, word
from ingest_webhook.rejections import IgnoreReason, Undecodable
from service_kit.problems import FieldProblem
from ticket_contracts.vocabulary import Channel, DeliveryState, IdentityKind, MessageKind
from ticket_intake.clean_text import one_line
from ticket_intake.incoming import IncomingMessage
from ticket_intake.message_data import Person
from ticket_intake.query_strings import query_values
from ticket_intake.signatures import SignatureInvalid
from ticket_intake.signed_time import check_signed_time
from ticket_intake.sorted_digest import matches_sorted_digest
from ticket_intake.tencent_callback import encrypted_part, envelope
from ticket_intake.wecom_cipher import CallbackKey, Opened, callback_keys, open_envelope

DOCUMENTATION = "docs/channels/wechat-official.md"
SUBJECT_LENGTH = 120

# A template message has arrived or not (doc/offiaccount/Message_Management/Template_Message_Interface.html); a mass
# message is about no follower: it tells how many of them it reached.
TEMPLATE_SENT, MASS_SENT = "TEMPLATESENDJOBFINISH", "MASSSENDJOBFINISH"

_PLAIN_MODE = FieldProblem(
    field="query.msg_signature",
    message="is missing: the account sends in plain mode (明文模式), whose body nobody signs",
    fix=f"Choose safe mode (安全模式) in the account's server configuration; see {DOCUMENTATION}",
)


class WechatOfficial:
    """Provider `wechat-official`. Secrets: `TOKEN:ENCODING_AES_KEY` of the account's server configuration."""

    methods = ("GET", "POST")
    challenge = None

    def __init__(self, options: ReceiverOptions, keys: Sequence[CallbackKey]) -> None:
        self.time_trusted = options.time_trusted
        self._app_id = options.receiver_id
        self._receiver_id = options.receiver_id.encode()
        self._tolerance = options.tolerance_seconds
        self._keys = keys

    @classmethod
    def build(cls, options: Mapping[str, object], secrets: Sequence[str]) -> "WechatOfficial":
        return cls(ReceiverOptions.model_validate(options), callback_keys(secrets))

    def verify(self, request: WebhookRequest) -> None:
        """As every provider; what comes in plain mode is told so, once it has proved to know the token.

        :raises Undecodable: rightly signed in plain mode.
        """
        values = query_values(request.query)
        if request.method == "POST" and b"msg_signature" in values:
            self._open(request)
            return
        self._verify_token(values, request.received_at.timestamp())
        if request.method == "POST":
            raise Undecodable(_PLAIN_MODE)

    def read(self, request: WebhookRequest) -> Reading:
        if request.method == "GET":
            return echo(query_values(request.query).get(b"echostr", b""), DOCUMENTATION)
        document = read_document(self._open(request).content, DOCUMENTATION)
        if document.is_event:
            return self._read_event(document)
        return Messages((self._message(document),))

    def _read_event(self, document: TencentDocument) -> Reading:
        if document.event == TEMPLATE_SENT and document.job_id:
            if document.status == "success":
                return Messages((self._receipt(document, DeliveryState.DELIVERED),))
            if document.status.startswith("failed"):  # `failed:user block`, `failed: system failed`
                return Messages((self._receipt(document, DeliveryState.FAILED, reason_of(document.status)),))
        is_receipt = document.event in (TEMPLATE_SENT, MASS_SENT)
        return Ignored(IgnoreReason.RECEIPT if is_receipt else IgnoreReason.UNKNOWN_TYPE)

    def _verify_token(self, values: Mapping[bytes, bytes], now: float) -> None:
        signature, timestamp, nonce = (values.get(name, b"") for name in (b"signature", b"timestamp", b"nonce"))
        if not any(matches_sorted_digest(signature, key.token, timestamp, nonce) for key in self._keys):
            raise SignatureInvalid
        check_signed_time(timestamp, now, self._tolerance)

    def _open(self, request: WebhookRequest) -> Opened:
        return open_envelope(
            envelope(query_values(request.query), encrypted_part(request.body)),
            self._keys,
            receiver_id=self._receiver_id,
            now=request.received_at.timestamp(),
            tolerance_seconds=self._tolerance,
        )

    def _message(self, document: TencentDocument) -> IncomingMessage:
        wording = word(document, WECHAT)
        return IncomingMessage(
            kind=MessageKind.CREATED,
            channel=Channel.SOCIAL,
            provider_id=document.provider_id,
            conversation=_conversation(document),
            sender=self._follower(document),
            subject=one_line(wording.text, SUBJECT_LENGTH),
            text=wording.text,
            sent_at=document.sent_at,
            reading_problems=wording.problems,
        )

    def _receipt(self, document: TencentDocument, state: DeliveryState, reason: str = "") -> IncomingMessage:
        return receipt(
            state,
            document.job_id,
            channel=Channel.SOCIAL,
            conversation=_conversation(document),
            customer=self._follower(document),
            at=document.sent_at,
            reason=reason,
        )

    def _follower(self, document: TencentDocument) -> Person:
        """An open id is one person's name for one account only."""
        return Person(kind=IdentityKind.WECHAT, value=f"{self._app_id}/{document.sender}")


def _conversation(document: TencentDocument) -> str:
    return f"{document.receiver}/{document.sender}"
