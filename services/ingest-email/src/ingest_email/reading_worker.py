"""A worker process: reads mails from its standard input, one frame each, and answers with their events.

It has no network and no storage; it may be killed at any moment. It ends when its input does, so it cannot outlive the
process that started it by more than one mail.
"""

import faulthandler
import os
import resource
import signal
import sys
from contextlib import suppress
from datetime import datetime
from typing import Any, BinaryIO
from uuid import UUID

from ingest_email.compose_message import MailMessages, compose
from ingest_email.delivery import Delivery, Mailbox
from ingest_email.frames import Frame, receive_blocking
from ingest_email.read_mail import read_mail
from ingest_email.reading_limits import LIMITS, ReadingLimits

MOST_MEMORY = 1024 * 1024 * 1024
"""Bytes of address space. Reading the largest mail takes about six times its 25 MiB, the code itself 150 MiB."""


def main() -> None:
    answers = _own_standard_output()
    _confine()
    with suppress(BrokenPipeError):  # the process that asked is gone
        serve(sys.stdin.buffer, answers)
    os._exit(0)  # without another attempt to flush the pipe


def serve(questions: BinaryIO, answers: BinaryIO, limits: ReadingLimits = LIMITS) -> None:
    """Answer frame by frame until the input ends.

    An introduction says which addresses are ours, and whom to trust; it comes first, and again when that changed.
    """
    own_addresses: frozenset[str] = frozenset()
    trusted_server = ""
    while (question := receive_blocking(questions)) is not None:
        if "own_addresses" in question.head:
            own_addresses = frozenset(question.head["own_addresses"])
            trusted_server = question.head["trusted_server"]
            answers.write(Frame({"ready": True}, ()).pack())
        else:
            answers.write(answer(question, own_addresses, limits, trusted_server).pack())
        answers.flush()


def ask(raw: bytes, envelope_sender: str, deliveries: list[Delivery], *, headers_only: bool) -> Frame:
    """The frame that asks a worker to read a mail."""
    head = {
        "sender": envelope_sender,
        "headers_only": headers_only,
        "deliveries": [
            {
                "address": delivery.mailbox.address,
                "brand": delivery.mailbox.brand,
                "account": delivery.mailbox.account,
                "source": delivery.mailbox.source,
                "message_id": str(delivery.message_id),
                "received_at": delivery.received_at.isoformat(),
                "ticket_id": str(delivery.ticket_id) if delivery.ticket_id else None,
                "note": delivery.note,
            }
            for delivery in deliveries
        ],
    }
    return Frame(head, (raw,))


def answer(question: Frame, own_addresses: frozenset[str], limits: ReadingLimits, trusted_server: str = "") -> Frame:
    """Read the mail of a question; the answer holds one event per delivery, then the files they refer to."""
    raw, head = question.blobs[0], question.head
    mail = read_mail(
        raw,
        head["sender"],
        own_addresses,
        limits,
        headers_only=head["headers_only"],
        trusted_server=trusted_server,
    )
    composed = compose(mail, raw, [_delivery(stated) for stated in head["deliveries"]])
    return _answer_of(composed)


def _answer_of(composed: MailMessages) -> Frame:
    files = list(composed.files.values())
    head = {"keys": [message.key for message in composed.messages], "media_types": [file.media_type for file in files]}
    return Frame(head, [*(message.data for message in composed.messages), *(file.content for file in files)])


def _delivery(stated: dict[str, Any]) -> Delivery:
    mailbox = Mailbox(stated["address"], stated["brand"], stated["account"], stated["source"])
    ticket_id = UUID(stated["ticket_id"]) if stated["ticket_id"] else None
    received_at = datetime.fromisoformat(stated["received_at"])
    return Delivery(mailbox, UUID(stated["message_id"]), received_at, ticket_id, stated["note"])


def _own_standard_output() -> BinaryIO:
    """Keep the pipe for frames alone: whatever a library prints goes to the log instead."""
    private = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return os.fdopen(private, "wb")


def _confine() -> None:
    """Bound memory, forbid core dumps, and leave ends to the watching process (Ctrl-C reaches the whole group)."""
    faulthandler.enable()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    main()
