"""Finds the ticket whose own address a mail was sent to (`ticket_contracts.reply_addresses`).

In this process, and not where mail is read: the secrets stay away from code that a stranger's mail may bring down.
"""

from collections.abc import Sequence
from uuid import UUID

from ingest_email.delivery import Mailbox
from ingest_email.domain.envelopes import header_block
from ticket_contracts.reply_addresses import ticket_of

MOST_BYTES = 64 * 1024
"""Of the header block; `To` and `Delivered-To` stand far before its end."""


class SealedAddresses:
    """With no secrets it finds nothing. Of several the first seals; older ones count while mails still carry them."""

    def __init__(self, secrets: Sequence[str]) -> None:
        self._secrets = [secret.encode() for secret in secrets]

    def ticket_of(self, mailbox: Mailbox, recipients: Sequence[str], raw: bytes) -> UUID | None:
        """Look at the envelope, then at the headers, where a mail came without its envelope or is a copy."""
        if not self._secrets:
            return None
        envelope = " ".join(recipients)
        headers = header_block(raw[:MOST_BYTES]).decode("ascii", "replace")  # a forwarded mail quotes others below them
        return ticket_of(f"{envelope} {headers}", mailbox.brand, self._secrets)
