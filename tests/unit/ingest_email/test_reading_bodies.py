"""Which words of a mail are shown, which are its quotation, and what becomes of its page and its files."""

from base64 import b64encode
from dataclasses import replace

import pytest

from ingest_email.cpu_limit import cpu_limit
from ingest_email.domain.quotation_headers import header_line
from ingest_email.domain.quotes import may_quote, split_quote
from ingest_email.read_mail import Body
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


def _picture(place: str, *more: str, media_type: str = "image/png", content: str = "PNG") -> bytes:
    headers = (f"Content-Type: {media_type}", f"Content-Location: {place}", *more)
    return "\r\n".join((*headers, "", content)).encode()


def _beside(page: str, *parts: bytes, head: str = "", kind: str = "related") -> Body:
    """The body of a mail whose page, with more headers, stands beside the parts."""
    related = multipart(f"Content-Type: text/html; charset=utf-8\r\n{head}\r\n{page}".encode(), *parts, kind=kind)
    return read(raw_mail(related[0], body=related[1])).body


@pytest.mark.parametrize(
    ("source", "place", "head"),
    [
        ("image001.png", "image001.png", ""),
        ("./image001.png", "image001.png", ""),
        ("水.png", "=?utf-8?b?5rC0LnBuZw==?=", ""),
        ("my%20pump.png", "my pump.png", ""),
        ("http://acme.example/a.png", "http://acme.example/\r\n a.png", ""),  # RFC 2557 §4.4.2: folded, and no blank
        ("files/a.png", "http://acme.example/p/files/a.png", "Content-Location: http://acme.example/p/page.html\r\n"),
        ("files/a.png", "http://acme.example/files/a.png", "Content-Base: http://acme.example/\r\n"),
        ("files/a.png", "file:///C:/p/files/a.png", "Content-Location: file:///C:/p/page.htm\r\n"),
        ("a.png", "a.png", "Content-Location: http://acme.example/page.html\r\n"),
    ],
)
def test_a_picture_that_the_page_calls_by_its_place_stays_there(source: str, place: str, head: str) -> None:
    body = _beside(f'<img src="{source}">', _picture(place), head=head)
    (file,) = body.files
    assert file.inline_id is not None
    assert body.html == f'<img src="cid:{file.inline_id}">'


def test_a_picture_that_has_an_id_and_a_place_is_called_by_its_id() -> None:
    body = _beside('<img src="a.png"><img src="cid:a@x">', _picture("a.png", "Content-ID: <a@x>"))
    assert (body.html, body.files[0].inline_id) == ('<img src="cid:a@x"><img src="cid:a@x">', "a@x")


def test_the_place_of_what_is_around_a_part_makes_its_own_absolute() -> None:
    inner = multipart(_PAGE + b'<img src="http://acme.example/p/a.png">', _picture("a.png"), kind="related")
    around = f"{inner[0]}\r\nContent-Location: http://acme.example/p/\r\n\r\n".encode() + inner[1]
    kind, body = multipart(around, boundary="outer")
    assert read(raw_mail(kind, body=body)).body.files[0].inline_id is not None


def test_of_two_pictures_at_one_place_the_first_is_shown() -> None:
    files = _beside('<img src="a.png">', _picture("a.png", content="1"), _picture("a.png", content="2")).files
    assert [(file.content, file.inline_id is None) for file in files] == [(b"1", False), (b"2", True)]


_LONG = "a" * 2001


@pytest.mark.parametrize(
    ("source", "picture", "kind"),
    [
        ("https://spy.example/a.png", _picture("https://acme.example/a.png"), "related"),
        ("//spy.example/a.png", _picture("a.png"), "related"),
        ("javascript:steal()", _picture("javascript:steal()"), "related"),
        ("data:image/png,x", _picture("data:image/png,x"), "related"),
        ("http://[::/", _picture("http://[::/"), "related"),
        ("", _picture(""), "related"),
        (_LONG, _picture(_LONG), "related"),
        (_LONG, _picture(_LONG[:2000]), "related"),
        ("invoice.pdf", _picture("invoice.pdf", media_type="application/pdf"), "related"),
        ("a.png", _picture("a.png"), "mixed"),
    ],
    ids=lambda value: value[:30] if isinstance(value, str) else "",
)
def test_what_is_no_place_of_a_picture_beside_the_page_stays_blocked(source: str, picture: bytes, kind: str) -> None:
    body = _beside(f'<img src="{source}">', picture, kind=kind)
    assert (body.html, [file.inline_id for file in body.files]) == ("<img>", [None])


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


_HEADERS = [
    "ср, 25 нояб. 2026 г. в 10:15, Anna <a@b.example>:",
    "От: Anna <a@b.example>\nОтправлено: 25 ноября 2026 г. 10:15\nКому: Ли\nТема: Насос",
    "От: Anna <a@b.example>\nДата: четверг, 28 октября 2021 г. в 12:46\nКому: Ли\nТема: Насос",
    "Среда, 25 ноября 2026, 10:15 +03:00 от Anna <a@b.example>:",
    "Понедельник, 31 августа 2026, 22:18 +03:00 от a@b.example:",
    '25.11.2026, 10:15, "Анна" <a@b.example>:',
    "25 нояб. 2026 г., в 10:15, Anna <a@b.example> написал(а):",
    '28/10/2021, 12:46 пользователь "John Doe" <j@b.example> написал:',
    "-----Исходное сообщение-----\nОт: Анна",
    "29 марта 2023 г. 10:48:23 GMT+03:00, Anna <a@b.example> пишет:",
    "Am Mo., 23. Nov. 2026 um 10:00 Uhr schrieb Anna <a@b.example>:",
    "Am 23.11.2026 um 10:00 schrieb Anna <a@b.example>:",
    "Von: Anna <a@b.example>\nGesendet: Montag, 23. November 2026 10:00\nAn: Li\nBetreff: Pumpe",
    "Am Montag, 23. November 2026 um 10:00:00 MEZ hat Anna <a@b.example> Folgendes geschrieben:",
    "-----Ursprüngliche Nachricht-----\nVon: Anna",
    "Le lun. 23 nov. 2026 à 10:00, Anna <a@b.example> a écrit :",
    "Le 23 nov. 2026 à 10:00, Anna <a@b.example> a écrit :",
    "De : Anna <a@b.example>\nEnvoyé : lundi 23 novembre 2026 10:00\nÀ : Li\nObjet : Pompe",
    "De\u00a0: Anna <a@b.example>\nEnvoyé\u00a0: lundi 23 novembre 2026 10:00\nÀ\u00a0: Li\nObjet\u00a0: Pompe",
    "De: Anna <a@b.example>\nEnvoyé: lundi 23 novembre 2026 10:00\nÀ: Li\nObjet: Pompe",
    "*De :* Anna <a@b.example>\n*Envoyé :* lundi 23 novembre 2026 10:00\n*À :* Li\n*Objet :* Pompe",
    "El lun, 23 nov 2026 a las 10:00, Anna (<a@b.example>) escribió:",
    "El 23 nov 2026, a las 10:00, Anna <a@b.example> escribió:",
    "En lunes, 23 de noviembre de 2026, 10:00:00 CET, Anna <a@b.example> escribió:",
    "De: Anna <a@b.example>\nEnviado: lunes, 23 de noviembre de 2026 10:00\nPara: Li\nAsunto: Bomba",
    "De: Anna <a@b.example>\nEnviado el: lunes, 23 de noviembre de 2026 10:00\nPara: Li\nAsunto: Bomba",
    "Em seg., 23 de nov. de 2026 às 10:00, Anna <a@b.example> escreveu:",
    "Em seg., 23 de nov. de 2026 às 10:00, Anna <\na@b.example> escreveu:",
    "No dia 23/11/2026, às 10:00, Anna <a@b.example> escreveu:",
    "Em 23 de nov. de 2026, à(s) 10:00, Anna <a@b.example> escreveu:",
    "De: Anna <a@b.example>\nEnviada em: segunda-feira, 23 de novembro de 2026 10:00\nPara: Li\nAssunto: Bomba",
    "Em 10 de julho de 2017 às 16:32:35, John Doe - Stripe (\ncontact@stripe.example) escreveu:",
    "Il giorno lun 23 nov 2026 alle ore 10:00 Anna <a@b.example> ha scritto:",
    "Il giorno 23 nov 2026, alle ore 10:00, Anna <a@b.example> ha scritto:",
    "Da: Anna <a@b.example>\nInviato: lunedì 23 novembre 2026 10:00\nA: Li\nOggetto: Pompa",
    "Op ma 23 nov 2026 om 10:00 schreef Anna <a@b.example>:",
    "Op 23 nov. 2026, om 10:00 heeft Anna <a@b.example> het volgende geschreven:",
    "Anna <a@b.example> schreef op 5 september 2024 14:38:53 CEST:",
    "Van: Anna <a@b.example>\nVerzonden: maandag 23 november 2026 10:00\nAan: Li\nOnderwerp: Pomp",
    "pon., 23 lis 2026 o 10:00 Anna <a@b.example> napisał(a):",
    "Wiadomość napisana przez Anna <a@b.example> w dniu 23.11.2026, o godz. 10:00:",
    "Dnia 28/10/2021, 12:46 użytkownik „John Doe” <j@b.example> napisał:",
    "Od: Anna <a@b.example>\nWysłano: poniedziałek, 23 listopada 2026 10:00\nDo: Li\nTemat: Pompa",
    "2026年11月23日(月) 10:00 Anna <a@b.example>:",
    "2026/11/23 10:00、Anna <a@b.example>のメール:",
    "差出人: Anna <a@b.example>\n送信日時: 2026年11月23日 10:00\n宛先: Li\n件名: ポンプ",
    "2026년 11월 23일 (월) 오전 10:00, Anna <a@b.example>님이 작성:",
    "2026. 11. 23. 오전 10:00, Anna <a@b.example> 작성:",
    "보낸 사람: Anna <a@b.example>\n보낸 날짜: 2026년 11월 23일 월요일 오전 10:00\n받는 사람: Li\n제목: 펌프",
    "Anna <a@b.example>, 23 Kas 2026 Pzt, 10:00 tarihinde şunu yazdı:",
    "Anna Uzun Bir Ad <\na@b.example>, 23 Kas 2026 Pzt, 10:00\ntarihinde şunu yazdı:",
    "Anna <a@b.example> şunları yazdı (16.7.2026 00:52):",
    "Kimden: Anna <a@b.example>\nGönderilme: 23 Kasım 2026 Pazartesi 10:00\nKime: Li\nKonu: Pompa",
    "Vào Th 2, 23 thg 11, 2026 vào lúc 10:00 Anna <a@b.example> đã viết:",
    "Vào 14:24 8 tháng 6, 2017, Anna <a@b.example> đã viết:",
    "Từ: Anna <a@b.example>\nĐã gửi: Thứ Hai, 23 tháng 11, 2026 10:00\nTới: Li\nChủ đề: Bơm",
    "пн, 23 лист. 2026 р. о 10:00 Anna <a@b.example> пише:",
    "9 лист. 2026 р. о 12:25 Anna <a@b.example> написав(ла):",
    "В Fri, 19 Jul 2026 10:36:30 +0900\nAnna <a@b.example> пишет:",
    "Від: Anna <a@b.example>\nНадіслано: 23 листопада 2026 р. 10:00\nКому: Лі\nТема: Насос",
]
"""As Gmail, Outlook, Apple Mail, Yahoo, Mail.ru, Yandex, K-9 and Claws write them."""

_UNADDRESSED = [
    "25.11.2026 10:15, Анна пишет:",
    "W dniu 23.11.2026 o 10:00, Anna pisze:",
    "24. 9. 5. 00:24에 Anna 이(가) 쓴 글:",
]
"""Of Thunderbird."""


@pytest.mark.parametrize("below", ["> Try again\n> Bye", "\nTry again\nBye"])
@pytest.mark.parametrize("header", _HEADERS)
def test_headers_of_other_languages_begin_the_quotation(header: str, below: str) -> None:
    text = f"Still leaks.\n\n{header}\n{below}"
    assert may_quote(text)
    assert split_quote(text) == ("Still leaks.", f"{header}\n{below}")


@pytest.mark.parametrize("header", _UNADDRESSED)
def test_a_header_without_an_address_is_one_above_marked_lines_only(header: str) -> None:
    marked, bare = f"Still leaks.\n\n{header}\n> Try again", f"Still leaks.\n\n{header}\nTry again"
    assert split_quote(marked) == ("Still leaks.", f"{header}\n> Try again")
    assert split_quote(bare) == (bare, "")


@pytest.mark.parametrize(
    "words",
    [
        "От: склада до магазина\nДоставка стоит 300 р.",
        "От: Москва\nКому: Казань\nТема: доставка\nКогда приедет?",
        "От: Иванов И. И.\nДата: 25.11.2026\nКому: ООО Насос\nТема: претензия\nНасос течёт.",
        "Я писал вам 25.11.2026 в 10:15 на адрес support@acme.example:\nнасос течёт.",
        "25.11.2026 в 10:15 я написал:\nнасос течёт.",
        "25.11.2026 10:15:\nнасос включён\n25.11.2026 10:20:\nнасос течёт",
        "Von: Berlin\nBetreff: Lieferung\nWann kommt sie?",
        "De : Paris\nÀ : Lyon\nObjet : livraison\nQuand ?",
        "De: Madrid\nPara: Sevilla\nAsunto: envío\n¿Cuándo?",
        "Da: Roma\nA: Milano\nOggetto: pompa\nQuando?",
        "Od: poniedziałku\nDo: piątku\nTemat: pompa\nKiedy?",
        "From: Beijing\nTo: Shanghai\nWhen can you?",
        "On Sunday my wife wrote:\nit leaks. She is right.",
        "제목: 펌프\n날짜: 2026. 11. 23.\n보낸 사람: 김\n언제?",
        "差出人: 李\n件名: ポンプ\nいつ?",
        "Kimden: Ali\nKonu: Pompa\nTarih: 23.11.2026\nNe zaman?",
    ],
)
def test_what_a_person_writes_like_a_header_stays_in_sight(words: str) -> None:
    text = f"Hello!\n{words}"
    assert split_quote(text) == (text, "")


@pytest.mark.parametrize(
    "hostile",
    [
        "<\n" * 30_000,
        "1\n" * 30_000,
        "От:\n" * 16_000,
        "От:\nДата: 2026 10:00\n" * 3_000,
        ("Am 1.1.2026 10:00 " + "<aaaaaaaa" * 40 + ":\n") * 160,
        ("<" + "a" * 300 + "> x tarihinde 2026 10:00:\n") * 190,
        ("Wiadomość napisana przez" + " w dniu " * 30 + "2026 10:00 " + "x" * 70 + ":\n") * 180,
        "Vào Am " * 9_000,
        "1.1." * 16_000,
        "a" * 64_000 + ":",
    ],
    ids=lambda text: text[:20],
)
def test_what_nearly_is_a_header_thousands_of_times_is_looked_at_once(hostile: str) -> None:
    with cpu_limit(LIMITS.seconds):
        assert header_line(hostile.split("\n")) is None


def test_thousands_of_blank_lines_are_looked_at_once() -> None:
    """That all others were searched again from each of them took half a minute of a worker."""
    with cpu_limit(LIMITS.seconds):
        assert not may_quote(f"Still{chr(10) * 60_000}leaks")


def test_halves_of_characters_cost_a_page_nothing_but_themselves() -> None:
    mail = read(raw_mail("Content-Type: text/html; charset=utf-7", body=b"<p>Still +2AA-leaking</p>"))
    assert (mail.body.text, mail.body.html) == ("Still leaking", "<p>Still leaking</p>")
