"""The lines above a quoted mail, in languages that the library of `quotes` does not know, or knows in part.

Forms: the fixtures of crisp-oss/email-forward-parser and email-reply-parser, and of mailgun/talon; Apple Mail's in
Japanese, some labels of Outlook and some rules above an original are from knowledge of them only. A person writes such
words as well, so a header needs what only a program writes: a date with a time of day, and an address in brackets or
`>` below. Each expression looks at one line from its beginning, or at a few hundred characters.
"""

import re
from collections.abc import Sequence

LONGEST = 400
"""Characters of one header; a name and an address that fill it are nobody's."""

MOST_LINES = 3
"""Of one header: programs wrap it at 72 to 80 characters."""

BLOCK_LINES = 8
"""Where the subject stands below the sender; a list of recipients may take some of them."""

_WROTE = (
    r"написал(?:а|\(а\))?|писал(?:а|\(а\))?|пишет|пише|написа(?:ла|в(?:\(-?ла\))?)|schrieb|geschrieben|écrit|escribió"
    r"|escreveu|scritto|schreef|geschreven|napisał(?:a|\(a\))?|pisze|のメール|のメッセージ|작성|쓴 글|yazdı|đã viết"
)
_FROM = re.compile(
    r"\s*\*?(?:От(?: кого)?|Отправитель|Від(?: кого)?|Von|De|Da|Van|Od|Nadawca|差出人|보낸 ?사람|Kimden|Gönderen|Từ)"
    r"\s?[:：]"
)
_SENT = re.compile(
    r"\s*\*?(?:Отправлено|Дата|Надіслано|Відправлено|Gesendet(?: am)?|Datum|Envoyé(?: le)?|Date|Enviad[ao](?: e[lm])?"
    r"|Fecha|Data|Inviato|Verzonden|Wysłano|送信日時|日付|日時|보낸 ?날짜|날짜|Gönderil(?:me(?: Tarihi)?|di|en)|Tarih"
    r"|Đã gửi|Ngày(?: gửi)?|Sent)\s?[:：]"
)
_SUBJECTS = "Тема|Betreff|Objet|Asunto|Assunto|Oggetto|Onderwerp|Temat|件名|제목|Konu|Chủ đề"
_SUBJECT = re.compile(rf"\s*\*?(?:{_SUBJECTS})\s?[:：]")
_ORIGINAL = re.compile(
    r"\s*-{2,}\s*(?:Исходное сообщение|Ursprüngliche Nachricht|Message d['’]origine|Mensaje original"
    r"|Mensagem original|Messaggio originale|Oorspronkelijk bericht|Oryginalna wiadomość|元のメッセージ"
    r"|원본 메시지|Orijinal Mesaj)\s*-{2,}\s*$"
)
_DATE = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)|(?<!\d)\d{1,2}[./-] ?\d{1,2}[./-] ?\d{1,2}(?!\d)")
_CLOCK = re.compile(r"(?<![\d.])\d{1,2}[:.：h]\d\d(?![\d.])")
_ADDRESS = re.compile(r"[<(\[]\s?(?:mailto:)?[^\s<>()\[\]@]{1,64}@[^\s<>()\[\]@]{1,255}")
_WORD = r"[^\W\d_][\w'’-]{0,14}"  # a day of the week
_BEGINS = re.compile(
    r"\s*(?:(?:Am|Le|El|En|Il(?: giorno)?|In data|Em|No dia|Op|В|У|W dniu|Dnia|Vào(?: lúc| ngày)?)\s+"
    rf"(?:Th \d,\s+|(?:{_WORD}[.,]{{0,2}}\s+){{1,2}})?|{_WORD}[.,]{{1,2}}\s+)?\d"
)
_NAME_FIRST = re.compile(
    r"\s*Wiadomość napisana przez .{1,300}\sw dniu\s.{1,60}[:：]$"
    r"|[^<]{0,150}<[^<>]{1,300}>,?\s[^<>]{1,60}\starihinde şunu yazdı\s?:$"
    r"|[^<]{0,150}<[^<>]{1,300}>\s(?:şunları yazdı|schreef op|schrieb am)\s[^<>]{1,60}:$"
)
_ENDS = re.compile(rf"(?:>|(?:{_WROTE}))\s?[:：]$")
_SAYS = re.compile(_WROTE)
_MAIL_RU = re.compile(r"\d\d:\d\d [+-]\d\d:\d\d от \S")

_SIGNS = (
    f"{_SUBJECTS}|напис|писал|пише|schr|écrit|escri|escreveu|scritto|napisa|pisze|のメ|작성|쓴 글|yazd|đã viết"
    "|>:|> :|>：| от |riginal|essage d|Исходное|Ursprüngliche|Oorspronkelijk|Oryginalna|元の|원본"
).split("|")


def may_hold_header(text: str) -> bool:
    """A cheap look: what has none of these words has no header that is known here."""
    return any(sign in text for sign in _SIGNS)


def header_line(lines: Sequence[str]) -> int | None:
    """Return the number of the line where the first quoted mail's header begins."""
    return next((number for number, line in enumerate(lines) if _is_header(line, lines, number)), None)


def _is_header(line: str, lines: Sequence[str], number: int) -> bool:
    if _FROM.match(line):
        return _is_block(lines[number + 1 : number + 1 + BLOCK_LINES])
    return _ORIGINAL.match(line) is not None or _introduces(lines, number)


def _is_block(below: Sequence[str]) -> bool:
    """Whether Outlook's lines follow the sender. Who heads a letter by hand may give a day, but hardly the minute."""
    dated = any(_SENT.match(line) and _DATE.search(line) and _CLOCK.search(line) for line in below)
    return dated and any(map(_SUBJECT.match, below))


def _introduces(lines: Sequence[str], number: int) -> bool:
    """Whether a sentence such as "On … somebody wrote:" begins on the line."""
    sentence = ""
    for last in range(number, min(number + MOST_LINES, len(lines))):
        piece = lines[last].strip()
        sentence = f"{sentence} {piece}".lstrip()
        if not piece or len(sentence) > LONGEST:
            return False
        if last == number and not _may_begin(sentence):
            return False
        if sentence.endswith((":", "：")):
            return _is_introduction(sentence, is_marked_below=_is_marked(lines, last + 1))
    return False


def _may_begin(line: str) -> bool:
    return _BEGINS.match(line) is not None or "<" in line or line.startswith("Wiadomość napisana")


def _is_introduction(sentence: str, *, is_marked_below: bool) -> bool:
    if not (_DATE.search(sentence) and _CLOCK.search(sentence)):
        return False
    if _NAME_FIRST.match(sentence):
        return True
    if not _BEGINS.match(sentence):
        return False
    if _ADDRESS.search(sentence) and _ENDS.search(sentence):
        return True
    return _MAIL_RU.search(sentence) is not None or (is_marked_below and _SAYS.search(sentence) is not None)


def _is_marked(lines: Sequence[str], number: int) -> bool:
    """Whether the next words are marked `>`."""
    below = lines[number : number + 3]
    return next((line.lstrip().startswith(">") for line in below if line.strip()), False)
