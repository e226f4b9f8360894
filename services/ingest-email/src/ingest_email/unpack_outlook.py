"""Puts what is in a `winmail.dat` in its place in the tree, as if Outlook had sent MIME."""

from collections.abc import Iterator

from ingest_email.domain.tnef import NotTnef, PackedFile, Unpacked, unpack
from ingest_email.mime_tree import Part

_TYPES = ("application/ms-tnef", "application/vnd.ms-tnef")
_NAME = "winmail.dat"


def unpack_outlook(tree: Part, problems: list[str]) -> bytes:
    """Replace each packed part by its files, and by its text where the mail says nothing itself.

    Return that text as RTF where there is no other; it is a file, too, for its pictures and its looks.
    """
    rich_text = b""
    for part in [each for each in _parts(tree) if _is_packed(each)]:
        try:
            found = unpack(part.content)
        except NotTnef:
            problems.append(f"{_NAME} could not be read; it is kept as an attachment")
            continue
        if not found.complete:
            problems.append(f"{_NAME} is damaged; what could be read of it is shown, the rest is in the original mail")
        is_silent = not _says_something(tree)
        words = _words(found) if is_silent else []
        if is_silent and not words and found.rtf:
            rich_text = rich_text or found.rtf
            words = [Part("application/rtf", file_name="message.rtf", content=found.rtf, disposition="attachment")]
        elif is_silent and not words and found.rtf_is_lost:
            problems.append("the text is Outlook's rich text and too long or damaged; see the original mail")
        part.media_type, part.children, part.content, part.file_name = (
            "multipart/mixed",
            [*words, *map(_file, found.files)],
            b"",
            "",
        )
    return rich_text


def _parts(part: Part) -> Iterator[Part]:
    yield part
    for child in part.children:
        yield from _parts(child)


def _is_packed(part: Part) -> bool:
    if part.children or not part.content:
        return False
    return part.media_type in _TYPES or part.file_name.lower() == _NAME


def _says_something(tree: Part) -> bool:
    return any(
        each.media_type in ("text/plain", "text/html") and each.disposition != "attachment" and each.content.strip()
        for each in _parts(tree)
    )


def _words(found: Unpacked) -> list[Part]:
    text, page = found.text, found.page
    choices = [Part("text/plain", charset=text.charset, content=text.content)] if text.content.strip() else []
    if page.content.strip():
        choices.append(Part("text/html", charset=page.charset, content=page.content))
    return [Part("multipart/alternative", children=choices)] if choices else []


def _file(file: PackedFile) -> Part:
    return Part(
        file.media_type if file.media_type.count("/") == 1 else "application/octet-stream",
        file_name=file.name,
        content_id=file.content_id,
        disposition="inline" if file.content_id else "attachment",
        content=file.content,
    )
