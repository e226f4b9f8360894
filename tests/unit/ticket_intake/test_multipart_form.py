"""The parts of a form, as bytes and within limits."""

import pytest

from tests.support.partners.mail_form import multipart_form
from ticket_intake.multipart_form import MultipartLimits, NotMultipart, Part, read_multipart

LIMITS = MultipartLimits(parts=2, part_headers=2, header_bytes=200)


def test_parts_come_in_their_order_with_the_bytes_that_were_sent() -> None:
    content_type, body = multipart_form({"a": "水泵".encode("gb18030"), "b": b"\r\n--not the boundary\r\n"})
    parts = read_multipart(content_type.encode(), body, LIMITS)
    assert parts == [
        Part(b"a", None, b"", "水泵".encode("gb18030")),
        Part(b"b", None, b"", b"\r\n--not the boundary\r\n"),
    ]


def test_a_file_has_its_name_and_media_type_and_header_names_are_read_in_any_case() -> None:
    body = (
        b'--b\r\nCONTENT-disposition: form-data; name="f"; filename=""\r\nContent-TYPE: text/plain; a=b\r\n\r\nx'
        b"\r\n--b--\r\n"
    )
    assert read_multipart(b"multipart/form-data; boundary=b", body, LIMITS) == [
        Part(b"f", b"", b"text/plain; a=b", b"x")
    ]


def test_a_part_without_a_disposition_has_no_name_and_takes_none_from_the_part_before() -> None:
    body = b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--b\r\nX: y\r\n\r\n2\r\n--b--\r\n'
    names = [part.name for part in read_multipart(b"multipart/form-data; boundary=b", body, LIMITS)]
    assert names == [b"a", b""]


@pytest.mark.parametrize(
    ("content_type", "body", "words"),
    [
        ("multipart/form-data", b"", "no boundary"),
        (*multipart_form({"a": b"1", "b": b"2", "c": b"3"}), "more than 2 parts"),
        (multipart_form({"a": b"1"})[0], multipart_form({"a": b"1"})[1][:-6], "in the middle"),
        (multipart_form({"a" * 300: b""})[0], multipart_form({"a" * 300: b""})[1], "within our limits"),
        ("multipart/form-data; boundary=b", b"no form at all", "within our limits"),
    ],
)
def test_what_is_no_form_within_the_limits_is_refused_with_the_reason(
    content_type: str, body: bytes, words: str
) -> None:
    with pytest.raises(NotMultipart, match=words):
        read_multipart(content_type.encode(), body, LIMITS)
