"""Which recipients are ours."""

from pathlib import Path

import pytest

from ingest_email.delivery import Mailbox
from ingest_email.mailboxes import Mailboxes, load_mailboxes
from service_kit.start_error import StartError

_BOXES = Mailboxes(
    [
        Mailbox("support@acme.example", "acme", "support@acme.example", "mail-support"),
        Mailbox("vip+gold@acme.example", "acme", "vip", "mail-gold"),
        Mailbox("plain@acme.example", "acme", "plain", "mail-plain", subaddress_separator=""),
        Mailbox("a-b@acme.example", "acme", "a-b", "mail-dash", subaddress_separator="-"),
        Mailbox("*@all.example", "all", "all", "mail-all"),
    ]
)


@pytest.mark.parametrize(
    ("recipient", "source"),
    [
        ("support@acme.example", "mail-support"),
        ("SUPPORT@Acme.Example", "mail-support"),
        ("support+order-12+x@acme.example", "mail-support"),
        ("vip+gold@acme.example", "mail-gold"),
        ("plain+x@acme.example", None),
        ("a-b-c@acme.example", "mail-dash"),
        ("support-x@acme.example", None),
        ("anybody@all.example", "mail-all"),
        ("@all.example", None),
        ("nobody@acme.example", None),
        ("support@other.example", None),
        ("", None),
    ],
)
def test_a_recipient_leads_to_its_mailbox(recipient: str, source: str | None) -> None:
    found = _BOXES.find(recipient)
    assert (found.source if found else None) == source


def test_the_file_is_read_and_defaults_are_filled_in(tmp_path: Path) -> None:
    path = tmp_path / "mailboxes.yaml"
    path.write_text("mailboxes:\n  - {address: Support@Acme.Example, brand: acme, source: mail}\n")
    found = load_mailboxes(path).find("support@acme.example")
    assert found == Mailbox("support@acme.example", "acme", "support@acme.example", "mail", "+")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("mailboxes: []", "mailboxes"),
        ("mailboxes: [{address: nowhere, brand: a, source: b}]", "address"),
        ("mailboxes: [{address: a@b, brand: a, source: b, extra: c}]", "extra"),
        ("mailboxes: [{address: a@b, brand: a, source: b}, {address: A@B, brand: a, source: c}]", "a@b twice"),
        (
            "mailboxes: [{address: a@b, brand: a, source: s, account: x},"
            " {address: c@d, brand: b, source: s, account: x}]",
            "account x to two brands",
        ),
        ("mailboxes: [", "cannot be read"),
    ],
)
def test_a_wrong_file_is_refused_with_the_reason(tmp_path: Path, content: str, reason: str) -> None:
    path = tmp_path / "mailboxes.yaml"
    path.write_text(content)
    with pytest.raises(StartError, match=reason):
        load_mailboxes(path)
