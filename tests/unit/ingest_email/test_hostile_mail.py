"""Each row is a mail on which Python's own parser fails or is led astray; all must become readable messages."""

import signal
import time
from base64 import b64encode
from dataclasses import replace
from weakref import WeakValueDictionary

import pytest

from ingest_email import mime_tree
from ingest_email.cpu_limit import TookTooLong, cpu_limit
from ingest_email.domain import html_pages
from ingest_email.domain.addresses import party_of, salvage_party
from ingest_email.domain.picture_places import PicturePlaces
from ingest_email.reading_limits import LIMITS
from tests.unit.ingest_email.mails import multipart, raw_mail, read


def test_a_parameter_without_value_costs_nothing_but_itself() -> None:
    mail = read(raw_mail("Content-Type: text/plain; name*", body="pump leaks"))
    assert mail.body.text == "pump leaks"


def test_a_recipient_that_is_only_a_comment_is_left_out() -> None:
    mail = read(raw_mail("To: (c):", body="pump leaks"))
    assert mail.summary.recipients == ()
    assert mail.body.text == "pump leaks"


def test_a_sender_who_is_thousands_of_characters_without_an_address_is_looked_through_once() -> None:
    with cpu_limit(LIMITS.seconds):
        sender = salvage_party("x" + "=?" * 30_000)
    assert sender is None
    assert salvage_party(f"Ann {'x' * 40_000} ann@customer.example") is None  # behind what is read of a header
    assert salvage_party("Ann: ann@customer.example") == party_of("ann@customer.example")


def test_a_message_id_with_square_brackets_is_kept_as_it_is() -> None:
    assert read(raw_mail("Message-ID: <[0a1b@microsoft.com]>")).thread.message_id == "<[0a1b@microsoft.com]>"


def test_a_line_break_inside_an_encoded_word_does_not_make_a_header() -> None:
    subject = read(raw_mail("Subject: =?utf-8?q?pump=0D=0ABcc:_thief@bad.example?=")).summary.subject
    assert "\n" not in subject
    assert "\r" not in subject
    assert subject.startswith("pump")


@pytest.mark.parametrize(
    "charset",
    ["X-UNKNOWN", '""', '"utf-8; format=flowed"', "hex", "zlib", '"utf-8\x00"', "rot13", "idna", "unicode_escape"],
)
def test_a_charset_that_is_none_is_guessed_from_the_bytes(charset: str) -> None:
    mail = read(raw_mail(f"Content-Type: text/plain; charset={charset}", body="水泵 \\u0041 leaks".encode()))
    assert mail.body.text == "水泵 \\u0041 leaks"


@pytest.mark.parametrize("label", ["gb2312", "GBK", "x-gbk", "gb18030"])
def test_chinese_labels_are_read_as_the_largest_set(label: str) -> None:
    words = "订单号是镕堃㐀€"  # beyond GB 2312, the last two beyond GBK
    mail = read(raw_mail(f"Content-Type: text/plain; charset={label}", body=words.encode("gb18030")))
    assert mail.body.text == words
    assert mail.problems == ()


@pytest.mark.parametrize(("words", "codec"), [("電話號碼碁銹", "cp950"), ("你喺邊度㗎", "big5hkscs")])
def test_big5_is_read_with_the_characters_of_taiwan_and_hong_kong(words: str, codec: str) -> None:
    mail = read(raw_mail("Content-Type: text/plain; charset=big5", body=words.encode(codec)))
    assert mail.body.text == words


def test_japanese_mail_keeps_circled_numbers_and_company_signs() -> None:
    body = b"\x1b$B-!-j\x1b(B order \x1b$BF|K\\\x1b(B"  # row 13 of NEC, then kanji
    mail = read(raw_mail("Content-Type: text/plain; charset=iso-2022-jp", body=body))
    assert mail.body.text == "①㈱ order 日本"


def test_a_character_split_over_two_encoded_words_is_put_together() -> None:
    encoded = "漏水了".encode("gb2312")
    words = [f"=?gb2312?B?{b64encode(part).decode()}?=" for part in (encoded[:3], encoded[3:])]
    assert read(raw_mail("Subject: " + "\r\n ".join(words))).summary.subject == "漏水了"


def test_raw_bytes_in_a_header_are_read_in_the_charset_of_the_body() -> None:
    subject = b"Subject: " + "電話壞了".encode("cp950")
    mail = read(raw_mail(subject, "Content-Type: text/plain; charset=big5"))
    assert mail.summary.subject == "電話壞了"


def test_raw_bytes_in_a_header_without_any_label_are_guessed() -> None:
    mail = read(raw_mail(b"Subject: " + "电话坏了".encode("gbk"), b"From: " + "李雷 <li@customer.example>".encode()))
    assert mail.summary.subject == "电话坏了"
    assert mail.summary.sender.name == "李雷"


@pytest.mark.parametrize(
    ("stated", "shown"),
    [
        (b'filename="../../etc/passwd"', "passwd"),
        (b'filename="C:\\Windows\\evil.exe"', "evil.exe"),
        (b'filename=".."', "part-2.bin"),
        (b"filename*0*=gbk''%B6%A9; filename*1*=%B5%A5.pdf", "订单.pdf"),
        (b'filename="=?utf-8?B?6K6i5Y2VLnBkZg==?="', "订单.pdf"),
        (b'filename="\xb6\xa9\xb5\xa5.pdf"', "订单.pdf"),
        (b'filename="a\x00b\nc.pdf"', "part-2.bin"),
        (b'filename="=?utf-8?q?fdp=E2=80=AEexe.pdf?="', "fdpexe.pdf"),
    ],
)
def test_a_file_name_is_readable_and_never_a_path(stated: bytes, shown: str) -> None:
    attachment = b"Content-Type: application/octet-stream\r\nContent-Disposition: attachment; " + stated + b"\r\n\r\nx"
    kind, body = multipart(b"Content-Type: text/plain\r\n\r\nsee file", attachment)
    names = [file.name for file in read(raw_mail(kind, body=body)).body.files]
    assert len(names) == 1
    assert not set(names[0]) & set("/\\\x00\n:<>")
    if shown != "part-2.bin":
        assert names == [shown]


def test_a_very_long_file_name_keeps_its_extension() -> None:
    attachment = b'Content-Disposition: attachment; filename="' + b"a" * 400 + b'.pdf"\r\n\r\nx'
    kind, body = multipart(b"\r\ntext", attachment)
    (file,) = read(raw_mail(kind, body=body)).body.files
    assert len(file.name) == 255
    assert file.name.endswith(".pdf")


@pytest.mark.parametrize("kind", ["multipart/mixed", "multipart/mixed; boundary=elsewhere", "multipart/alternative"])
def test_a_multipart_without_its_boundary_is_read_as_text(kind: str) -> None:
    assert "pump leaks" in read(raw_mail(f"Content-Type: {kind}", body="pump leaks")).body.text


def test_broken_base64_is_read_as_far_as_it_goes() -> None:
    body = b64encode(b"pump leaks badly") + b"!!*"
    mail = read(raw_mail("Content-Transfer-Encoding: base64", body=body))
    assert mail.body.text.startswith("pump leaks")


def test_nul_and_other_control_characters_vanish_from_the_text() -> None:
    mail = read(raw_mail("Content-Type: text/plain; charset=utf-8", body=b"a\x00b\x1bc\xed\xa0\x80\td\r\ne"))
    assert "\x00" not in mail.body.text
    assert mail.body.text.encode()  # no surrogate
    assert mail.body.text.endswith("\td\ne")


def _nested(levels: int) -> bytes:
    heads = (b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(levels))
    return b"From: ann@customer.example\r\nSubject: deep\r\n" + b"".join(heads) + b"\r\nhello"


def _placed(pictures: int) -> bytes:
    """A page that calls pictures by their place, none of which is there, besides 400 that are."""
    page = b"Content-Type: text/html\r\n\r\n" + b"".join(
        b'<img src="http://a/x/../%d.png"></p>' % n for n in range(pictures)
    )
    beside = (b"Content-Type: image/png\r\nContent-Location: http://a/%d\r\n\r\nPNG" % n for n in range(400))
    kind, body = multipart(page, *beside, kind="related")
    return raw_mail(kind, body=body)


_POISON = {
    "40,000 empty parts": raw_mail(
        "Content-Type: multipart/mixed; boundary=a", body=b"--a\r\n\r\n" * 40_000 + b"--a--"
    ),
    "8,000 recipients": raw_mail(b"To: " + b"someone@customer.example, " * 8000),
    "4,000 parameters": raw_mail(b"Content-Type: text/plain; " + b"; ".join(b"a%d=b" % n for n in range(4000))),
    "950 levels": _nested(950),
    "1,500 levels": _nested(1500),
    "20,000 headers": raw_mail(*(b"X-%d: y" % number for number in range(20_000))),
    "one header of 1 MB": raw_mail(b"X-Long: " + b"y" * 1_000_000),
    "100,000 tags": raw_mail("Content-Type: text/html", body=b"<div>" * 100_000 + b"deep"),
    "tags in a row": raw_mail("Content-Type: text/html", body=b"<p>a</p>" * 200_000),
    "regular expressions": raw_mail("In-Reply-To: <a@b>", body=b"On " + b"On a wrote " * 6000 + b"\n> x"),
    "50,000 pictures by place": _placed(50_000),
    "underscores": raw_mail(body=b"From: \n> \n" + b"\n\n" + b"_" * 30_000 + b"\n" + b"- " * 15_000),
}


@pytest.mark.parametrize("name", _POISON)
def test_poison_is_read_within_its_time_and_leaves_the_headers_readable(name: str) -> None:
    began = time.process_time()
    mail = read(_POISON[name])
    assert time.process_time() - began < LIMITS.seconds + LIMITS.quote_seconds + 0.3  # reading the headers
    assert mail.summary.sender.value == "ann@customer.example"


@pytest.mark.parametrize("name", ["40,000 empty parts", "950 levels", "20,000 headers"])
def test_what_is_beyond_a_limit_is_said_and_not_silently_dropped(name: str) -> None:
    assert any("read" in problem for problem in read(_POISON[name]).problems)


def test_work_beyond_the_cpu_limit_is_given_up_and_said() -> None:
    mail = read(_POISON["tags in a row"], limits=replace(LIMITS, seconds=0.001))
    assert mail.summary.subject == "Broken pump"
    assert any("more than 0.001 s" in problem for problem in mail.problems)


class _Mortal:
    """Can be referred to weakly."""


def test_the_cpu_limit_holds_where_weak_references_die() -> None:
    def work_forever() -> None:
        known: WeakValueDictionary[int, _Mortal] = WeakValueDictionary()
        while True:
            known[0] = _Mortal()

    with pytest.raises(TookTooLong), cpu_limit(0.02):
        work_forever()


class _TimeIsUp(PicturePlaces):
    """Places that are looked for at the very moment when the time is up."""

    def picture_at(self, source: str) -> str | None:
        signal.raise_signal(signal.SIGVTALRM)
        return source


def test_the_cpu_limit_holds_where_the_parser_of_pages_asks_for_a_picture() -> None:
    def read_on() -> None:
        html_pages.sanitised('<img src="a.png">', _TimeIsUp({"a.png": "a@x"}))
        for _ in range(100_000_000):
            pass

    with pytest.raises(TookTooLong), cpu_limit(60):
        read_on()


def test_the_time_that_ends_just_as_the_block_is_left_says_so_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    set_timer = signal.setitimer

    def ended_meanwhile(which: int, seconds: float) -> None:
        set_timer(which, seconds)
        if which == signal.ITIMER_VIRTUAL and not seconds:
            signal.raise_signal(signal.SIGVTALRM)

    monkeypatch.setattr(signal, "setitimer", ended_meanwhile)
    with pytest.raises(TookTooLong, match=r"^more than 5 s of work$"), cpu_limit(5):
        pass


def test_bytes_that_are_no_mail_at_all_become_a_message() -> None:
    for raw in (b"", b"\x00\xff\xfe", b"\r\n\r\n", b"just words", bytes(range(256)) * 50):
        mail = read(raw, envelope_sender="")
        assert mail.summary.sender.value.endswith("@unknown-sender.invalid")
        assert mail.thread.message_id.endswith("@no-message-id.invalid>")


@pytest.mark.parametrize(
    ("stated", "address", "name"),
    [
        ("Ann ann@customer.example", "ann@customer.example", ""),
        ('"ann@customer.example" <ben@customer.example>', "ben@customer.example", "ann@customer.example"),
        ("=?utf-8?B?5p2O6Zu3?= <Li@Customer.Example>", "li@customer.example", "李雷"),
        ("=?utf-8?Q?Li=2C_Lei?= <li@customer.example>", "li@customer.example", "Li, Lei"),
        ("undisclosed-recipients:;", "envelope@customer.example", ""),
    ],
)
def test_the_sender_is_found(stated: str, address: str, name: str) -> None:
    sender = read(raw_mail(f"From: {stated}"), envelope_sender="envelope@customer.example").summary.sender
    assert (sender.value, sender.name) == (address, name)


@pytest.mark.parametrize("date", ["yesterday", "Pn, 29 paX 2007 21:13:00 +0100", "Mon, 99 Jan 99999 99:99:99 +9999"])
def test_an_impossible_date_is_noted_and_left_out(date: str) -> None:
    mail = read(raw_mail(f"Date: {date}"))
    assert mail.summary.sent_at is None
    assert any(problem.startswith("Date") for problem in mail.problems)


def test_a_body_that_brought_down_a_worker_is_not_touched_again() -> None:
    mail = read(raw_mail("In-Reply-To: <root@customer.example>", body="hello"), headers_only=True)
    assert mail.body.text == ""
    assert mail.thread.refers_to == ("<root@customer.example>",)
    assert mail.problems


@pytest.mark.parametrize("name", ["Subject", "X-Note", "X Note", "Subject ", "Ä", "\tSubject", ""])
def test_a_field_of_many_encoded_words_is_kept_from_the_parser_that_would_take_seconds(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def parse(_: bytes) -> None:
        pytest.fail("four times as long for twice as many words, and nothing can interrupt it")

    monkeypatch.setattr(mime_tree, "parse_email_tree", parse)
    words = " ".join(["=?utf-8?q?=E6=B0=B4?="] * 6_000)
    assert read(raw_mail(f"{name}: {words}", body="pump leaks")).body.text.endswith("pump leaks")
