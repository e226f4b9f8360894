"""Which words of a mail are shown, which are its quotation, and what becomes of its page and its files."""

from base64 import b64encode
from dataclasses import replace

import pytest

from ingest_email.cpu_limit import cpu_limit
from ingest_email.domain.quotes import may_quote, split_quote
from ingest_email.reading_limits import LIMITS
from tests.unit.ingest_email.mails import multipart, raw_mail, read

_PLAIN = b"Content-Type: text/plain; charset=utf-8\r\n\r\n"
_PAGE = b"Content-Type: text/html; charset=utf-8\r\n\r\n"


def test_of_alternatives_the_plain_one_is_the_text_and_the_page_is_kept() -> None:
    kind, body = multipart(_PLAIN + b"plain words", _PAGE + b"<p>page words</p>", kind="alternative")
    mail = read(raw_mail(kind, body=body))
    assert mail.body.text == "plain words"
    assert mail.body.html == "<p>page words</p>"
    assert mail.body.files == []


def test_an_empty_plain_alternative_gives_way_to_the_page() -> None:
    kind, body = multipart(_PLAIN + b" \r\n", _PAGE + b"<p>page words</p>", kind="alternative")
    assert read(raw_mail(kind, body=body)).body.text == "page words"


def test_a_footer_beside_a_page_does_not_replace_its_words() -> None:
    kind, body = multipart(_PAGE + b"<p>page words</p>", _PLAIN + b"list footer")
    assert read(raw_mail(kind, body=body)).body.text == "page words\n\nlist footer"


def test_a_page_becomes_lines() -> None:
    page = "<style>p{}</style><h1>水泵</h1><p>It&nbsp;leaks\n &amp; drips</p><ul><li>one<li>two</ul>a<br>b"
    page += "<pre>x\n  y</pre>"
    mail = read(raw_mail("Content-Type: text/html; charset=utf-8", body=page))
    lines = [line for line in mail.body.text.replace("\u00a0", " ").split("\n") if line]
    assert lines == ["水泵", "It leaks & drips", "- one", "- two", "a", "b", "x", "  y"]


@pytest.mark.parametrize(
    ("page", "kept"),
    [
        ("<script>steal()</script>safe", "safe"),
        ('<p onclick="steal()" style="position:fixed">x</p>', "<p>x</p>"),
        ('<img src="https://spy.example/pixel.gif" alt="logo">', '<img alt="logo">'),
        ('<img src="cid:logo@acme">', '<img src="cid:logo@acme">'),
        ('<img src="data:image/svg+xml,x">', "<img>"),
        ("<svg><script>x</script></svg><math><mi>x</mi></math>y", "y"),
        ('<form action="https://bad.example"><input name=a>x</form><base href="//bad.example">', "x"),
        ('<a href="javascript:steal()">x</a>', '<a rel="noopener noreferrer nofollow">x</a>'),
        ('<table background="https://spy.example/x"><tr><td>x</td></tr></table>', None),
    ],
)
def test_a_page_is_shown_without_anything_that_acts_or_reports(page: str, kept: str | None) -> None:
    shown = read(raw_mail("Content-Type: text/html", body=page)).body.html
    assert not any(word in shown for word in ("steal", "spy.example", "bad.example", "script", "style="))
    assert kept is None or shown == kept


def test_pictures_of_the_text_keep_the_name_it_calls_them_by() -> None:
    picture = b"Content-Type: image/png\r\nContent-ID: <logo@acme>\r\nContent-Disposition: inline\r\n\r\nPNG"
    kind, body = multipart(_PAGE + b'<img src="cid:logo@acme">', picture, kind="related")
    (file,) = read(raw_mail(kind, body=body)).body.files
    assert (file.inline_id, file.name, file.media_type) == ("logo@acme", "part-2.png", "image/png")


def test_only_a_picture_that_the_page_shows_is_in_place_whatever_its_disposition() -> None:
    shown = b"Content-Type: image/png\r\nContent-ID: <a b@x>\r\nContent-Disposition: attachment\r\n\r\nPNG"
    other = b"Content-Type: image/png\r\nContent-ID: <other@x>\r\n\r\nPNG2"
    kind, body = multipart(_PAGE + b'<img alt="1>0" src="CID:a%20b@x">', shown, other, kind="related")
    mail = read(raw_mail(kind, body=body)).body
    assert mail.html == '<img alt="1&gt;0" src="cid:a b@x">'
    assert [file.inline_id for file in mail.files] == ["a b@x", None]


def test_a_picture_that_is_written_into_the_page_is_a_file_and_stays_in_its_place() -> None:
    pasted = b64encode(b"\x89PNG pasted").decode()
    source = f"data:image/png;name=a.png;base64,{pasted[:8]}\r\n {pasted[8:]}"
    page = f"""<p>It shows <IMG alt=x SRC = "{source}"> and <img src='{source}'> again</p>"""
    body = read(raw_mail("Content-Type: text/html; charset=utf-8", body=page)).body
    (file,) = body.files
    assert (file.name, file.media_type, file.content) == ("picture-1.png", "image/png", b"\x89PNG pasted")
    place = f'src="cid:{file.inline_id}"'
    assert body.html == f'<p>It shows <img alt="x" {place}> and <img {place}> again</p>'
    assert body.text == "It shows and again"


@pytest.mark.parametrize(
    "page",
    [
        '<img src="data:image/png;base64,A">',
        '<img src="data:image/svg+xml;base64,PHN2Zy8+">',
        '<template><img src="data:image/png;base64,UE5H"></template>',
    ],
)
def test_a_written_picture_that_nobody_could_see_is_no_file(page: str) -> None:
    body = read(raw_mail("Content-Type: text/html", body=page)).body
    assert (body.files, body.html) == ([], "" if "template" in page else "<img>")


def test_written_pictures_count_as_attachments_after_the_others() -> None:
    pages = "".join(f'<img src="data:image/gif;base64,{b64encode(bytes([n])).decode()}">' for n in range(3))
    kind, body = multipart(_PAGE + pages.encode(), b"Content-Type: application/pdf\r\n\r\npdf")
    mail = read(raw_mail(kind, body=body), limits=replace(LIMITS, attachments=2))
    assert [file.name for file in mail.body.files] == ["part-2.pdf", "picture-1.gif"]
    assert mail.problems == ("more than 2 attachments; see the original mail",)


@pytest.mark.parametrize(
    "media_type", ["text/calendar", "application/ms-tnef", "text/csv", "application/pgp-signature"]
)
def test_what_is_no_text_is_kept_as_a_file(media_type: str) -> None:
    kind, body = multipart(_PLAIN + b"see file", f"Content-Type: {media_type}\r\n\r\ncontent".encode())
    mail = read(raw_mail(kind, body=body))
    assert mail.body.text == "see file"
    assert [(file.media_type, file.content) for file in mail.body.files] == [(media_type, b"content")]


@pytest.mark.parametrize(
    ("text", "visible"),
    [
        (
            "It still leaks.\n\nOn Mon, Nov 23, 2026 at 10:00 AM Support <s@acme.example> wrote:\n> Try again\n> Bye",
            "It still leaks.",
        ),
        ("还是漏水。\n\n2026年11月23日 10:00，客服写道：\n> 请重试", "还是漏水。"),
        ("还是漏水。\n\n------------------ 原始邮件 ------------------\n发件人: 客服\n请重试", "还是漏水。"),
        ('还是漏水。\n在 2026-11-23 10:00:00，"客服" <s@acme.example> 写道：\n请重试', "还是漏水。"),
        ("Noch undicht.\n\nAm 23.11.2026 um 10:00 schrieb Support <s@acme.example>:\n> Nochmal", "Noch undicht."),
        ("Still leaks.\n\n> Try again\n> Bye", "Still leaks."),
        ("还是漏水。\n\n发件人： 客服\n发送时间： 11月23日 10:00\n收件人： 李\n\n请重试", "还是漏水。"),
        ("还是漏水。\n\n寄件者: 客服 <s@acme.example>\n寄件日期: 2026年11月23日\n\n請重試", "还是漏水。"),
        ("还是漏水。\n\n-------------\n发件人：客服\n主　题：Re: 水泵\n\n请重试", "还是漏水。"),
        ("还是漏水。\n\n---- 回复的原邮件 ----\n发件人 客服\n请重试", "还是漏水。"),
        ("Still leaks.\n\n________\nFrom: S <s@acme.example>\nSent: Mon\nTo: Li\nSubject: x\n\na", "Still leaks."),
        ("Still leaks.\n\n-- \nLi Wei\nShop", "Still leaks."),
        ("Still leaks.\n--\nLi Wei\n\nOn Mon, Nov 23, 2026 at 10:00 AM S <s@acme.example> wrote:\n> a", "Still leaks."),
        ("> Which?\nThe blue one.\n\n-- \nLi Wei", "> Which?\nThe blue one."),
        ("还是漏水。\n\n发自我的 iPhone", "还是漏水。"),
        ("Still leaks.\n\nSent from my iPhone\n\n> Try again", "Still leaks."),
        (
            "  indented\n    list\n\nOn Mon, Nov 23, 2026 at 10:00 AM S <s@acme.example> wrote:\n> a",
            "  indented\n    list",
        ),
    ],
)
def test_the_answer_is_told_from_its_quotation_and_nothing_is_lost(text: str, visible: str) -> None:
    shown, quoted = split_quote(text)
    assert shown == visible
    assert [line for line in f"{shown}\n{quoted}".split("\n") if line] == [line for line in text.split("\n") if line]


@pytest.mark.parametrize(
    "text",
    [
        "No quotation at all.",
        "> Only a quotation",
        "On Mon, Nov 23, 2026 at 10:00 AM S <s@acme.example> wrote:\n> Which pump?\n\nThe blue one.",
        "See below.\n\nOn Mon, Nov 23, 2026 at 10:00 AM S <s@acme.example> wrote:\n> Which?\nBlue.\n> When?\nMonday.",
        "发件人：我自己\n水泵还是漏水。",
        "Still leaks.\n\nSent from my desk, which is wet.",
        "Sent from my phone\nIt still leaks.",
        "-- \nLi Wei",
        "First:\n--\n" + "a word to say\n" * 13,
    ],
)
def test_an_answer_below_or_within_the_quotation_stays_in_sight(text: str) -> None:
    assert split_quote(text) == (text, "")


def test_thousands_of_blank_lines_are_looked_at_once() -> None:
    """That all others were searched again from each of them took half a minute of a worker."""
    with cpu_limit(LIMITS.seconds):
        assert not may_quote(f"Still{chr(10) * 60_000}leaks")


def test_halves_of_characters_cost_a_page_nothing_but_themselves() -> None:
    mail = read(raw_mail("Content-Type: text/html; charset=utf-7", body=b"<p>Still +2AA-leaking</p>"))
    assert (mail.body.text, mail.body.html) == ("Still leaking", "<p>Still leaking</p>")
