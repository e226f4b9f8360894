"""The fields of a form as bytes: a mail in one is in whatever charset its sender chose."""

from urllib.parse import unquote_to_bytes

from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header

from ingest_email.hooks.provider import HookRequest, malformed

MOST_FIELDS = 300  # a parsed mail of Mailgun's has some sixty; each costs objects
_MOST_HEADERS, _HEADER_BYTES = 8, 4096


def form_fields(request: HookRequest) -> dict[str, bytes]:
    """Return the fields of a form, the last value of each: what the provider itself adds comes last.

    :raises HookRejected: it is no form, or has more fields than a mail's.
    """
    content_type = request.headers.get("content-type", "")
    kind, options = parse_options_header(content_type.encode("latin-1", "replace"))
    if kind == b"application/x-www-form-urlencoded":
        return _urlencoded(request.body)
    if kind == b"multipart/form-data" and options.get(b"boundary"):
        return _multipart(request.body, options[b"boundary"])
    raise malformed(f"not a form: {content_type[:100]!r}")


def _urlencoded(body: bytes) -> dict[str, bytes]:
    pairs = body.split(b"&", MOST_FIELDS + 1)
    if len(pairs) > MOST_FIELDS:
        raise malformed(f"more than {MOST_FIELDS} fields")
    fields = {}
    for pair in pairs:
        name, _, value = pair.replace(b"+", b" ").partition(b"=")
        fields[unquote_to_bytes(name).decode("utf-8", "replace")] = unquote_to_bytes(value)
    return fields


def _multipart(body: bytes, boundary: bytes) -> dict[str, bytes]:
    collector = _Collector()
    try:
        parser = MultipartParser(
            boundary,
            {
                "on_part_begin": collector.begin,
                "on_header_field": collector.add_header_name,
                "on_header_value": collector.add_header_value,
                "on_header_end": collector.end_header,
                "on_part_data": collector.add_content,
                "on_part_end": collector.end,
            },
            max_header_count=_MOST_HEADERS,
            max_header_size=_HEADER_BYTES,
        )
        parser.write(body)
        parser.finalize()
    except FormParserError as error:
        raise malformed("the form is damaged") from error
    return collector.fields


class _Collector:
    """What the parser calls; `fields` holds what is complete."""

    def __init__(self) -> None:
        self.fields: dict[str, bytes] = {}
        self._count = 0
        self._name = b""
        self._header, self._value, self._content = bytearray(), bytearray(), bytearray()

    def begin(self) -> None:
        self._count += 1
        if self._count > MOST_FIELDS:
            raise malformed(f"more than {MOST_FIELDS} fields")
        self._name = b""
        self._content = bytearray()

    def add_header_name(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def add_header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def end_header(self) -> None:
        if self._header.lower() == b"content-disposition":
            self._name = parse_options_header(bytes(self._value))[1].get(b"name", b"")
        self._header.clear()
        self._value.clear()

    def add_content(self, data: bytes, start: int, end: int) -> None:
        self._content += data[start:end]

    def end(self) -> None:
        if self._name:
            self.fields[self._name.decode("utf-8", "replace")] = bytes(self._content)
