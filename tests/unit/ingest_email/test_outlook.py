"""Outlook's winmail.dat, written here by hand after MS-OXTNEF: real ones belong to somebody."""

import struct
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_email.domain.rich_text import words_of
from ingest_email.domain.rtf_compression import LARGEST, decompressed
from ingest_email.domain.tnef import MOST_FILES, SIGNATURE, NotTnef, unpack
from ingest_email.reading_limits import LIMITS
from tests.unit.ingest_email.mails import multipart, raw_mail, read

Property = tuple[int, int, bytes]
UNICODE, BINARY, OBJECT, INTEGER, SHORT, STRING = 0x1F, 0x102, 0xD, 3, 2, 0x1E
IMESSAGE = bytes.fromhex("0703020000000000c000000000000046")
HELLO_RTF = bytes.fromhex(  # MS-OXRTFCP §3.1.1: "{\rtf1\ansi\ansicpg1252\pard hello world}\r\n"
    "2d0000002b0000004c5a4675f1c5c7a703000a007263706731323542320af32068656c090020627705b06c647d0a800fa0"
)
CROSSING = bytes.fromhex("1a0000001c0000004c5a4675e2d44b51410004205758595a0d6e7d010eb0")  # §3.1.2: into what it writes
# As Outlook carries a page (MS-OXRTFEX §3): tags in groups of their own, and what RTF shows in their place.
CARRIED_PAGE = rb"""{\rtf1\ansi\ansicpg936\fromhtml1 \fbidis \deff0{\fonttbl
{\f0\fswiss\fcharset0 Arial;}{\f1\fnil\fcharset134 SimSun;}{\f2\fnil\fcharset2 Symbol;}}
{\colortbl\red0\green0\blue0;\red0\green0\blue255;}
\uc1\pard\plain\deftab360 \f1\fs24
{\*\htmltag19 <html>}{\*\htmltag241 <style>}{\*\htmltag241 p \{color:red\}}{\*\htmltag249 </style>}
{\*\htmltag64 <p>}\htmlrtf {\htmlrtf0 \'cb\'ae\'b1
\'c3\'c2\'a9\'cb\'ae {\*\htmltag84 <b>}\htmlrtf {\b \htmlrtf0 \u26085?\u-10179?\u-8704?\'e9F{\*\htmltag92 </b>}
\htmlrtf }\htmlrtf0
{\*\htmltag84 &nbsp;}\htmlrtf \~\htmlrtf0 {\f0 caf\'e9t}{\*\htmltag72 </p>}\htmlrtf\par}\htmlrtf0
{\*\htmltag58 </body>}{\*\htmltag27 </html>}}"""


def uncompressed(rtf: bytes) -> bytes:
    """A stream of the other form, without compression (MS-OXRTFCP §2.1.3.1)."""
    return struct.pack("<IIII", len(rtf) + 12, len(rtf), 0x414C454D, 0) + rtf


def only_rich_text(stream: bytes) -> bytes:
    """A mail with no other words."""
    return mailed(winmail(attribute(0x9003, properties((0x1009, BINARY, stream)))), words=b"")


def attribute(tag: int, value: bytes, level: int = 1) -> bytes:
    return struct.pack("<BII", level, tag, len(value)) + value + struct.pack("<H", sum(value) & 0xFFFF)


def properties(*stated: Property) -> bytes:
    packed = struct.pack("<I", len(stated))
    for tag, kind, value in stated:
        packed += struct.pack("<HH", kind, tag)
        if tag >= 0x8000:
            packed += bytes(16) + struct.pack("<II", 0, 1)
        if kind in (UNICODE, BINARY, OBJECT, STRING):
            packed += struct.pack("<II", 1, len(value)) + value + bytes(-len(value) % 4)
        else:
            packed += value.ljust(4, b"\0")
    return packed


def winmail(*attributes: bytes) -> bytes:
    return struct.pack("<IH", SIGNATURE, 1) + b"".join(attributes)


def wide(text: str) -> bytes:
    return (text + "\0").encode("utf-16-le")


def attachment(name: str, content: bytes, *more: Property) -> Sequence[bytes]:
    listed = properties((0x3707, UNICODE, wide(name)), (0x8001, SHORT, b"\1\0"), *more)
    return [
        attribute(0x9002, bytes(14), level=2),
        attribute(0x8010, b"SHORT~1.PDF\0", level=2),
        attribute(0x800F, content, level=2),
        attribute(0x9005, listed, level=2),
    ]


def mailed(packed: bytes, words: bytes = b"see file") -> bytes:
    kind, body = multipart(b"\r\n" + words, b"Content-Type: application/ms-tnef; name=winmail.dat\r\n\r\n" + packed)
    return raw_mail(kind, "Content-Transfer-Encoding: binary", body=body)


def test_files_in_winmail_dat_are_files_of_the_mail_with_their_long_names() -> None:
    packed = winmail(*attachment("报价单.pdf", b"%PDF"), *attachment("b.txt", b"b", (0x370E, STRING, b"text/csv\0")))
    mail = read(mailed(packed))
    assert mail.body.text.strip() == "see file"
    found = [(file.name, file.media_type, file.content) for file in mail.body.files]
    assert found == [("报价单.pdf", "application/octet-stream", b"%PDF"), ("b.txt", "text/csv", b"b")]
    assert mail.problems == ()


def test_the_text_in_winmail_dat_is_read_where_the_mail_itself_says_nothing() -> None:
    html = (0x1013, BINARY, "<p>水泵漏水 <img src='cid:a@x'></p>".encode("gb18030"))
    packed = winmail(
        attribute(0x9003, properties((0x3FDE, INTEGER, struct.pack("<I", 936)), html)),
        *attachment("a.png", b"PNG", (0x3712, UNICODE, wide("a@x"))),
    )
    mail = read(mailed(packed, words=b" "))
    assert mail.body.text == "水泵漏水"
    assert mail.body.html == '<p>水泵漏水 <img src="cid:a@x"></p>'
    assert [file.inline_id for file in mail.body.files] == ["a@x"]


def test_text_of_an_old_outlook_is_read_in_its_code_page() -> None:
    packed = winmail(
        attribute(0x9007, struct.pack("<II", 1251, 0)), attribute(0x800C, "Насос течёт\0".encode("cp1251"))
    )
    assert read(mailed(packed, words=b"")).body.text == "Насос течёт"


def test_a_forwarded_message_is_a_file_and_its_own_files_follow() -> None:
    inner = winmail(attribute(0x800C, b"the first words\0"), *attachment("deep.txt", b"deep"))
    listed = properties((0x3001, UNICODE, wide("Re: pump")), (0x3701, OBJECT, IMESSAGE + inner))
    packed = winmail(attribute(0x9002, bytes(14), level=2), attribute(0x9005, listed, level=2))
    found = [(file.name, file.media_type, file.content) for file in unpack(packed).files]
    assert found == [("Re: pump", "text/plain", b"the first words"), ("deep.txt", "", b"deep")]


def test_a_stream_of_nothing_but_attachments_gives_some_of_them() -> None:
    found = unpack(winmail(*[attribute(0x9002, b"", level=2)] * 2000))
    assert len(found.files) == MOST_FILES
    assert not found.complete


def test_messages_within_messages_end_somewhere() -> None:
    packed = winmail(attribute(0x800C, b"core"))
    for _ in range(12):
        listed = properties((0x3701, OBJECT, IMESSAGE + packed))
        packed = winmail(attribute(0x9002, bytes(14), level=2), attribute(0x9005, listed, level=2))
    files = unpack(packed).files
    assert files[-1].media_type == "application/ms-tnef"
    assert len(files) < 12


def test_the_published_examples_of_compressed_rich_text_are_undone() -> None:
    assert decompressed(HELLO_RTF) == b"{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n"
    assert decompressed(CROSSING) == b"{\\rtf1 WXYZWXYZWXYZWXYZWXYZ}"
    assert decompressed(uncompressed(b"{\\rtf1 plain}")) == b"{\\rtf1 plain}"


def test_rich_text_is_read_where_there_is_no_other_text_and_stays_a_file() -> None:
    mail = read(only_rich_text(HELLO_RTF))
    assert mail.body.text == "hello world"
    assert [(file.name, file.content) for file in mail.body.files] == [("message.rtf", decompressed(HELLO_RTF))]
    assert mail.problems == ()


def test_rich_text_beside_words_of_the_mail_is_neither_read_nor_kept() -> None:
    mail = read(mailed(winmail(attribute(0x9003, properties((0x1009, BINARY, HELLO_RTF))))))
    assert (mail.body.text.strip(), mail.body.files) == ("see file", [])


def test_the_words_of_a_page_that_rich_text_carries_are_read_without_its_tags() -> None:
    text = read(only_rich_text(uncompressed(CARRIED_PAGE))).body.text
    assert text == "水泵漏水 日😀" + b"\xe9F".decode("gbk") + "\xa0café" + "t"


def test_answer_and_quotation_of_rich_text_are_told_apart() -> None:
    rtf = rb"{\rtf1\ansi It leaks.\par\par On Mon, 1 Jan 2026 Ann wrote:\par > did it help?\par}"
    body = read(only_rich_text(uncompressed(rtf))).body
    assert body.text.strip() == "It leaks."
    assert "did it help?" in body.quoted_text


@pytest.mark.parametrize(
    "rtf",
    [b"{\\fonttbl" + b"\\f1\\fcharset" * 20_000, b"{\\rtf1\\ansicpg936 \\u99999999 x}"],
    ids=["a library's square", "no character"],
)
def test_rich_text_that_nothing_can_read_is_a_file_and_the_mail_is_taken(rtf: bytes) -> None:
    mail = read(only_rich_text(uncompressed(rtf)), limits=replace(LIMITS, rich_text_seconds=0.05))
    assert mail.body.text == ""
    assert [file.content for file in mail.body.files] == [rtf]
    assert "could not be read" in mail.problems[0]


def test_rich_text_that_is_too_long_is_told() -> None:
    mail = read(only_rich_text(uncompressed(b"x" * (LARGEST + 1))))
    assert (mail.body.text, mail.body.files) == ("", [])
    assert "too long" in mail.problems[0]


def test_a_long_text_of_two_bytes_a_character_is_read_in_its_time() -> None:
    text = "水泵漏水" * 20_000
    written = b"".join(b"\\'%02x" % byte for byte in text.encode("gbk"))
    assert read(only_rich_text(uncompressed(rb"{\rtf1\ansi\ansicpg936 " + written + b"\\par}"))).body.text == text


@given(st.binary(max_size=200))
def test_any_rich_text_gives_words_that_can_be_stored_or_is_refused(noise: bytes) -> None:
    try:
        words_of(CARRIED_PAGE[:200] + noise).encode()
    except (ValueError, LookupError, TypeError):
        return


def test_a_damaged_winmail_dat_gives_what_is_whole_and_says_so() -> None:
    packed = winmail(*attachment("a.txt", b"whole"), *attachment("b.txt", b"cut off"))[:-150]
    mail = read(mailed(packed))
    assert [file.content for file in mail.body.files][:1] == [b"whole"]
    assert any("damaged" in problem for problem in mail.problems)


def test_what_is_only_called_winmail_dat_stays_a_file() -> None:
    mail = read(mailed(b"something else"))
    assert [(file.name, file.content) for file in mail.body.files] == [("winmail.dat", b"something else")]
    assert "kept as an attachment" in mail.problems[0]


@given(st.binary(max_size=300), st.integers(0, 400))
def test_no_bytes_make_the_reader_fail(noise: bytes, at: int) -> None:
    good = winmail(*attachment("a.txt", b"whole"), attribute(0x9003, properties((0x1009, BINARY, HELLO_RTF))))
    unpack(good[:at] + noise if at > 4 else good[:6] + noise)


def test_bytes_without_the_signature_are_refused() -> None:
    for content in (b"", b"\x78", b"PK\3\4 not tnef"):
        with pytest.raises(NotTnef):
            unpack(content)
