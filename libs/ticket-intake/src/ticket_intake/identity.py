"""What makes two deliveries the same message (architecture §3, Reading)."""

from hashlib import sha256

from ticket_contracts.vocabulary import MessageKind


def message_identity(account: str, provider_id: str, kind: MessageKind, revision: str) -> str:
    """Return 64 hex digits, the same for each delivery of one revision of one message.

    NUL separates the parts: `clean_text` leaves none in them, so two different lists never join to one text.
    """
    return sha256("\0".join((account, provider_id, kind, revision)).encode()).hexdigest()
