"""The SMTP dialogue: which recipients we take, and what the sender hears at the end. Codes: RFC 5321 §4.2, RFC 3463."""

import time

import structlog
from aiosmtpd.smtp import SMTP, Envelope, Session, TLSSetupException

from ingest_email.accept_mail import AcceptMail
from ingest_email.mailboxes import FindMailbox
from ingest_email.metrics import MailMetrics
from ticket_store.object_storage import StorageUnavailable
from ticket_stream.edge_publisher import KafkaAway

UNKNOWN_RECIPIENT = "550 5.1.1 No such mailbox here"
TOO_MANY_RECIPIENTS = "452 4.5.3 Too many recipients, send the rest as another mail"
ACCEPTED = "250 2.0.0 Accepted"
MAILBOX_GONE = "451 4.2.1 A mailbox was removed here meanwhile, try again"
LOG_AWAY = "451 4.3.0 Cannot record the mail now, try again later"
STORAGE_FULL = "452 4.3.1 Cannot store the mail now, try again later"
OUR_FAULT = "451 4.3.0 Something went wrong here, try again later"
STOPPING = "421 4.3.2 Going down, try again later"

log = structlog.get_logger("receive_mail")


class ReceiveMail:
    """aiosmtpd's handler; one serves all connections. Method names are aiosmtpd's."""

    def __init__(self, accept: AcceptMail, find: FindMailbox, most_recipients: int, metrics: MailMetrics) -> None:
        self._accept = accept
        self._find = find
        self._most_recipients = most_recipients
        self._metrics = metrics

    async def handle_EHLO(  # noqa: N802 - aiosmtpd calls it so
        self, _: SMTP, session: Session, __: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        """Nobody logs in here, so AUTH is not offered; pipelining works (RFC 2920), answers have status codes."""
        session.host_name = hostname
        offered = [line for line in responses if not line.startswith("250-AUTH")]
        return [offered[0], "250-PIPELINING", "250-ENHANCEDSTATUSCODES", *offered[1:]]

    async def handle_RCPT(  # noqa: N802 - aiosmtpd calls it so
        self, _: SMTP, __: Session, envelope: Envelope, address: str, ___: list[str]
    ) -> str:
        if self._find(address) is None:
            self._metrics.refused.labels("unknown recipient").inc()
            return UNKNOWN_RECIPIENT
        if len(envelope.rcpt_tos) >= self._most_recipients:
            self._metrics.refused.labels("too many recipients").inc()
            return TOO_MANY_RECIPIENTS
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, _: SMTP, __: Session, envelope: Envelope) -> str:  # noqa: N802 - as above
        began = time.perf_counter()
        try:
            answer = await self._answer(envelope)
        except Exception as error:  # noqa: BLE001 - logged; by LMTP each recipient has to get its answer here
            answer = await self.handle_exception(error)
        self._metrics.seconds.observe(time.perf_counter() - began)
        self._metrics.mails.labels(answer[:3]).inc()
        return answer

    async def handle_exception(self, error: Exception) -> str:
        """A defect, or syntax that aiosmtpd trips over; the sender learns nothing about which."""
        if isinstance(error, TLSSetupException):  # whoever tries the port; not a line of ours is at fault
            log.info("no encryption was agreed on")
        else:
            log.error("smtp command failed", exc_info=error)
        return OUR_FAULT

    async def _answer(self, envelope: Envelope) -> str:
        boxes = [self._find(to) for to in envelope.rcpt_tos]
        if None in boxes:  # the file changed since RCPT took it; it is refused when the sender comes again
            return MAILBOX_GONE
        found = {box.address: box for box in boxes if box is not None}  # once, however many recipients lead to it
        content = envelope.original_content or b""
        try:
            await self._accept.accept(bytes(content), envelope.mail_from or "", list(found.values()), envelope.rcpt_tos)
        except KafkaAway:
            return LOG_AWAY
        except StorageUnavailable as error:
            log.warning("object storage unavailable", reason=str(error))
            return STORAGE_FULL
        return ACCEPTED
