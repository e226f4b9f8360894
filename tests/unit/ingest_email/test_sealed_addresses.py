"""A ticket's own address counts where a mail says to whom it goes, never in its words."""

from uuid import UUID

import pytest

from ingest_email.delivery import Mailbox
from ingest_email.sealed_addresses import SealedAddresses
from tests.unit.ingest_email.mails import OWN_ADDRESS, raw_mail
from ticket_contracts.reply_addresses import reply_address

SECRET = "the-secret-that-seals-addresses"
TICKET = UUID(int=7)
MAILBOX = Mailbox(OWN_ADDRESS, "acme", OWN_ADDRESS, "mail-support")
SEALED = reply_address(OWN_ADDRESS, "acme", TICKET, SECRET.encode())


@pytest.mark.parametrize("line_end", [b"\r\n", b"\n"])
def test_a_forwarded_mail_that_quotes_the_address_of_a_ticket_is_not_for_that_ticket(line_end: bytes) -> None:
    """Hooks pass a mail on with the line ends of their own system."""
    raw = raw_mail(f"To: {OWN_ADDRESS}", body=f"> From: Acme <{SEALED}>\r\n> It is repaired.")
    assert SealedAddresses([SECRET]).ticket_of(MAILBOX, (OWN_ADDRESS,), raw.replace(b"\r\n", line_end)) is None


@pytest.mark.parametrize("line_end", [b"\r\n", b"\n"])
def test_a_mail_without_its_envelope_is_led_by_its_headers(line_end: bytes) -> None:
    raw = raw_mail(f"To: {SEALED}").replace(b"\r\n", line_end)
    assert SealedAddresses([SECRET]).ticket_of(MAILBOX, (), raw) == TICKET
