"""Addresses that lead back to one ticket."""

from uuid import UUID

import pytest

from ticket_contracts.reply_addresses import reply_address, ticket_of

TICKET = UUID("01920000-0000-7000-8000-0000000000ff")
OLD, NEW = b"old secret", b"new secret"
ADDRESS = reply_address("support@acme.example", "aurora", TICKET, OLD)


def test_an_address_leads_to_its_ticket_however_it_is_written() -> None:
    for text in (ADDRESS, ADDRESS.upper(), f"To: Support <{ADDRESS}>, x@y", f"a+t-b@c {ADDRESS}"):
        assert ticket_of(text, "aurora", [NEW, OLD]) == TICKET
    assert len(ADDRESS.partition("@")[0]) <= 64  # RFC 5321 §4.5.3.1.1


@pytest.mark.parametrize("separator", ["+", "-", "="])
def test_it_uses_the_mailbox_s_own_separator(separator: str) -> None:
    address = reply_address("support@acme.example", "aurora", TICKET, OLD, separator)
    assert address.startswith(f"support{separator}t-")
    assert ticket_of(address, "aurora", [OLD]) == TICKET


def test_nobody_without_the_secret_can_make_one() -> None:
    other = reply_address("support@acme.example", "aurora", UUID(int=TICKET.int + 1), OLD)
    spliced = other[:36] + ADDRESS[36:]
    assert ticket_of(ADDRESS, "aurora", [NEW]) is None
    assert ticket_of(ADDRESS, "another brand", [OLD]) is None
    assert ticket_of(spliced, "aurora", [OLD]) is None
    assert ticket_of(ADDRESS, "aurora", []) is None


def test_the_first_genuine_address_counts() -> None:
    forged = reply_address("support@acme.example", "aurora", UUID(int=1), NEW)
    assert ticket_of(f"{forged}, {ADDRESS}", "aurora", [OLD]) == TICKET
