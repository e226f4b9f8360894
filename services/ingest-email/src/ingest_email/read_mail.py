"""From the bytes of a mail to what a ticket shows of it. Runs in a worker process; notes problems, never fails."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace

from ingest_email.cpu_limit import TookTooLong, cpu_limit
from ingest_email.domain import calendar_words, html_pages, reports, rich_text
from ingest_email.domain.authentication import read_results
from ingest_email.domain.automation import Classification, Origin, classify
from ingest_email.domain.charsets import decode_text
from ingest_email.domain.file_names import safe_name
from ingest_email.domain.header_text import clean
from ingest_email.domain.message_ids import Thread, invented_id, place_in_thread
from ingest_email.domain.quotes import may_quote, split_quote
from ingest_email.domain.written_pictures import WrittenPicture, set_apart
from ingest_email.locate_pictures import leaves_with_places
from ingest_email.mime_tree import OutsideLimits, Part, read_tree
from ingest_email.read_headers import MailHeaders, Summary, split_headers, summarise
from ingest_email.reading_limits import ReadingLimits
from ingest_email.unpack_outlook import unpack_outlook
from ticket_contracts.messages import Authentication
from ticket_contracts.vocabulary import AuthenticationResult, Automation

MOST_PROBLEMS = 20
"""More say nothing more to the agent; each of 500 parts may have one of its own, and events are bounded."""

MOST_CALENDARS = 3
"""Invitations often come twice, in the text and as a file."""

SPOOFED = "the trusted mail server could not confirm the sender (DMARC failed): it joins no ticket by reference"


@dataclass(frozen=True, slots=True)
class File:
    """An attachment or a picture of the text."""

    name: str
    media_type: str
    content: bytes
    inline_id: str | None = None


@dataclass(slots=True)
class Body:
    """What stands below the headers. `html` is sanitised."""

    text: str = ""
    quoted_text: str = ""
    html: str = ""
    files: list[File] = field(default_factory=list)
    returned_ids: list[str] = field(default_factory=list)
    calendars: list[bytes] = field(default_factory=list)
    written_pictures: list[WrittenPicture] = field(default_factory=list)
    rich_text: bytes = b""


@dataclass(frozen=True, slots=True)
class ReadMail:
    """One mail, read."""

    summary: Summary
    thread: Thread
    classification: Classification
    body: Body
    problems: tuple[str, ...]
    authentication: Authentication | None = None


def read_mail(
    raw: bytes,
    envelope_sender: str,
    own_addresses: Collection[str],
    limits: ReadingLimits,
    *,
    headers_only: bool = False,
    trusted_server: str = "",
) -> ReadMail:
    """Read as much as can be read; `headers_only` is for a mail whose body has already brought down a worker.

    :param trusted_server: the authserv-id whose word on the sender counts.
    """
    headers = split_headers(raw, limits)
    summary = summarise(headers, envelope_sender, limits)
    body = Body()
    if headers_only or not headers.complete:
        headers.problems.append("the text could not be read; see the original mail")
    else:
        _read_body_guarded(raw, headers, summary, body, limits)
    origin = Origin(summary.sender.value, _is_null(envelope_sender), summary.report_type, own_addresses)
    classification = classify(headers.readable_values, origin)
    trusted: Authentication | None = headers.attempt(
        "Authentication-Results", lambda: read_results(headers.fields, trusted_server), None
    )
    if trusted is not None and trusted.dmarc is AuthenticationResult.FAIL:
        headers.problems.append(SPOOFED)
        classification = replace(classification, may_auto_answer=False)
        thread = place_in_thread(invented_id(summary.digest), (), ())  # its own id may be one that it has seen
    else:
        thread = place_in_thread(
            summary.message_id,
            summary.in_reply_to,
            summary.references,
            _returned(body, classification, is_report=bool(summary.report_type) or _is_null(envelope_sender)),
        )
    problems = tuple(dict.fromkeys(headers.problems))[:MOST_PROBLEMS]
    return ReadMail(summary, thread, classification, body, problems, trusted)


def _returned(body: Body, classification: Classification, *, is_report: bool) -> list[str]:
    """The mails of ours that a report or a bounce is about."""
    is_bounce = classification.automation is Automation.BOUNCE
    if body.returned_ids or not is_bounce:
        return body.returned_ids if is_bounce or is_report else []
    return reports.ids_in_text(f"{body.text}\n{body.quoted_text}")[:1]


def _is_null(envelope_sender: str) -> bool:
    return envelope_sender in ("", "<>")


def _read_body_guarded(raw: bytes, headers: MailHeaders, summary: Summary, body: Body, limits: ReadingLimits) -> None:
    """Fill `body` as far as it goes: what was read before a limit or a failure stays."""
    try:
        with cpu_limit(limits.seconds):
            tree = read_tree(raw, limits)
            body.rich_text = unpack_outlook(tree, headers.problems)
            _set_aside_complicated_pages(tree, headers)
            _read_words(tree, headers, body)
            _collect_files(tree, headers, body, limits)
    except (TookTooLong, OutsideLimits) as limit:
        headers.problems.append(f"the mail is not read to its end: {limit}; see the original mail")
    except Exception as error:  # noqa: BLE001 - a mail that no parser survives must become a ticket all the same
        headers.problems.append(f"the text could not be read ({type(error).__name__}); see the original mail")
    if body.rich_text:
        _read_rich_text(body, headers, limits)
    if may_quote(body.text) and not summary.report_type:
        _separate_quotation(body, headers, limits)
    if body.calendars:
        _tell_calendars(body, headers, limits)


def _read_rich_text(body: Body, headers: MailHeaders, limits: ReadingLimits) -> None:
    try:
        with cpu_limit(limits.rich_text_seconds):
            words = clean(rich_text.words_of(body.rich_text)).strip("\n")
            body.text = "\n\n".join(filter(None, (words, body.text)))
    except Exception as error:  # noqa: BLE001 - a stranger's text in a library that promises no kind of error
        reason = type(error).__name__
        headers.problems.append(f"Outlook's rich text could not be read ({reason}); it is kept as an attachment")


def _separate_quotation(body: Body, headers: MailHeaders, limits: ReadingLimits) -> None:
    try:
        with cpu_limit(limits.quote_seconds):
            body.text, body.quoted_text = split_quote(body.text)
    except TookTooLong:
        headers.problems.append("answer and quotation are not told apart: it took too long")


def _tell_calendars(body: Body, headers: MailHeaders, limits: ReadingLimits) -> None:
    """Say what an invitation or the answer to one means, below the mail's own words."""
    try:
        with cpu_limit(limits.calendar_seconds):
            told = dict.fromkeys(map(calendar_words.words_of, body.calendars))
        body.text = "\n\n".join(text for text in (body.text, *told) if text)
    except (calendar_words.NoCalendar, TookTooLong) as problem:
        headers.problems.append(f"the invitation is not put into words: {problem}; it is kept as an attachment")


def _read_words(tree: Part, headers: MailHeaders, body: Body) -> None:
    body.text = "\n\n".join(text for text in _words(tree, headers.problems) if text.strip()).strip("\n")
    pages = []
    written: dict[str, WrittenPicture] = {}
    for part, places in leaves_with_places(tree):
        if _is_page(part):
            page, pictures = set_apart(clean(decode_text(part.content, part.charset).text))
            written.update((picture.inline_id, picture) for picture in pictures)
            pages.append(html_pages.sanitised(page, places))
    body.html = clean("<hr>".join(pages))
    body.written_pictures = list(written.values())


def _set_aside_complicated_pages(tree: Part, headers: MailHeaders) -> None:
    for part in _leaves(tree):
        if _is_page(part) and html_pages.is_too_complicated(part.content):
            part.disposition = "attachment"
            headers.problems.append("the page is too large or too complicated to be shown; it is kept as an attachment")


def _words(part: Part, problems: list[str]) -> Iterator[str]:
    """The text of a part and of what is below it; of alternatives the plain one when it says anything."""
    if part.media_type == "multipart/alternative":
        choices = ["\n\n".join(_words(child, [])) for child in part.children if not _is_page(child)]
        if any(choice.strip() for choice in choices):
            for child in part.children:
                if not _is_page(child):
                    yield from _words(child, problems)
            return
    if part.children:
        for child in part.children:
            yield from _words(child, problems)
    elif _is_body_text(part):
        decoded = decode_text(part.content, part.charset)
        if decoded.problem:
            problems.append(f"text: {decoded.problem}")
        yield clean(decoded.text)
    elif _is_page(part):
        decoded = decode_text(part.content, part.charset)
        if decoded.problem:
            problems.append(f"text: {decoded.problem}")
        yield clean(html_pages.words_of(clean(decoded.text)))  # before, for UTF-7 can spell halves of characters


def _is_body_text(part: Part) -> bool:
    return part.media_type in ("text/plain", "text/enriched") and _is_shown(part)


def _is_page(part: Part) -> bool:
    return part.media_type == "text/html" and _is_shown(part)


def _is_shown(part: Part) -> bool:
    """Part of the text, not a file that came with it."""
    return part.disposition != "attachment" and not part.file_name and not part.children


def _leaves(part: Part) -> Iterator[Part]:
    if not part.children:
        yield part
    for child in part.children:
        yield from _leaves(child)


def _collect_files(tree: Part, headers: MailHeaders, body: Body, limits: ReadingLimits) -> None:
    shown = html_pages.pictures_in(body.html)
    for number, part in enumerate(_leaves(tree), start=1):
        _note_special(part, body, limits)
        if _is_body_text(part) or _is_page(part) or not part.content:
            continue
        if len(body.files) == limits.attachments:
            headers.problems.append(f"more than {limits.attachments} attachments; see the original mail")
            break
        stated = part.file_name[: limits.header_value]
        name = safe_name(stated, part.media_type, number, part.charset or headers.body_charset)
        inline = clean(part.content_id)[: html_pages.LONGEST_PICTURE_ID]
        body.files.append(
            File(name, clean(part.media_type)[:100], part.content, inline if inline and inline in shown else None)
        )
    _collect_written_pictures(shown, headers, body, limits)


def _collect_written_pictures(shown: Collection[str], headers: MailHeaders, body: Body, limits: ReadingLimits) -> None:
    """After the files: a page of smileys shall not push out an invoice."""
    room = limits.attachments - len(body.files)
    written = [picture for picture in body.written_pictures if picture.inline_id in shown]
    if len(written) > room:
        headers.problems.append(f"more than {limits.attachments} attachments; see the original mail")
    for number, picture in enumerate(written[:room], start=1):
        name = f"picture-{number}.{picture.media_type.removeprefix('image/')}"
        body.files.append(File(name, picture.media_type, picture.content, picture.inline_id))


def _note_special(part: Part, body: Body, limits: ReadingLimits) -> None:
    """What reports and calendars have to say besides being files."""
    if part.media_type in reports.RETURNED_TYPES:
        returned = split_headers(part.content, limits)
        body.returned_ids.extend(reports.ids_in_returned(returned.raw))
    elif part.media_type in reports.STATUS_TYPES:
        body.returned_ids.extend(reports.ids_in_status(part.content))
    elif part.media_type == "text/calendar" and len(body.calendars) < MOST_CALENDARS:
        body.calendars.append(part.content)
