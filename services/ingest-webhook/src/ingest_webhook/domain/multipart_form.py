"""`multipart/form-data` (RFC 7578) within limits, in memory: the request is already here and at most 1 MiB."""

import re
from typing import NamedTuple

from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header

from ingest_webhook.domain.form_fields import NotForm
from ticket_intake.clean_text import clean_text

# A form has a dozen fields; each part costs objects, and a stranger's request may have a part in every sixty bytes.
MAX_PARTS = 100
MAX_PART_HEADERS, MAX_HEADER_BYTES = 8, 2048
_MEDIA_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]{1,60}/[a-z0-9!#$&^_.+-]{1,60}")
_UNKNOWN_TYPE = "application/octet-stream"


class FormFile(NamedTuple):
    """`name` is the last part of what the browser called it: what a sender says is never a path."""

    name: str
    media_type: str
    content: bytes


class MultipartForm(NamedTuple):
    """Names and values as they came; of the file inputs those that were filled."""

    fields: tuple[tuple[bytes, bytes], ...]
    files: tuple[FormFile, ...]


def read_multipart_form(content_type: bytes, body: bytes) -> MultipartForm:
    """Read a whole body.

    :raises NotForm:
    """
    _, options = parse_options_header(content_type)
    boundary = options.get(b"boundary")
    if not boundary:
        raise NotForm("its content type names no boundary")
    parts = _Parts()
    try:
        parser = MultipartParser(
            boundary,
            {
                "on_part_begin": parts.begin,
                "on_header_field": parts.add_header_name,
                "on_header_value": parts.add_header_value,
                "on_header_end": parts.end_header,
                "on_part_data": parts.add_content,
                "on_part_end": parts.end,
                "on_end": parts.finish,
            },
            max_header_count=MAX_PART_HEADERS,
            max_header_size=MAX_HEADER_BYTES,
        )
        parser.write(body)
        parser.finalize()
    except FormParserError as error:
        raise NotForm("is no multipart form within our limits") from error
    if not parts.complete:
        raise NotForm("ends in the middle of the form")
    return MultipartForm(tuple(parts.fields), tuple(parts.files))


class _Parts:
    """Collects what the parser finds; it tells names and values of headers in pieces."""

    def __init__(self) -> None:
        self.fields: list[tuple[bytes, bytes]] = []
        self.files: list[FormFile] = []
        self.complete = False
        self._count = 0
        self._headers: dict[bytes, bytes] = {}
        self._name = self._value = b""
        self._content: list[bytes] = []

    def begin(self) -> None:
        self._count += 1
        if self._count > MAX_PARTS:
            raise NotForm(f"has more than {MAX_PARTS} parts")
        self._headers, self._content = {}, []

    def add_header_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def add_header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def end_header(self) -> None:
        self._headers[self._name.lower()] = self._value
        self._name = self._value = b""

    def add_content(self, data: bytes, start: int, end: int) -> None:
        self._content.append(data[start:end])

    def end(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition"))
        name, file_name = options.get(b"name", b""), options.get(b"filename")
        content = b"".join(self._content)
        if file_name is None:
            self.fields.append((name, content))
        elif file_name or content:  # a browser sends an input that was left empty as a file without name and content
            self.files.append(FormFile(_last_part(file_name), self._media_type(), content))

    def finish(self) -> None:
        self.complete = True

    def _media_type(self) -> str:
        told = self._headers.get(b"content-type", b"").partition(b";")[0].strip().lower().decode("latin-1")
        return told if _MEDIA_TYPE.fullmatch(told) else _UNKNOWN_TYPE


def _last_part(file_name: bytes) -> str:
    name = clean_text(file_name.decode("utf-8", "replace"))
    return re.split(r"[/\\]", name)[-1]
