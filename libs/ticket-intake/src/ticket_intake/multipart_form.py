"""`multipart/form-data` (RFC 7578) within limits, in memory and as bytes: the request is already here."""

from functools import lru_cache
from typing import NamedTuple

from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header

_KNOWN_DISPOSITIONS = 256
"""The fields of one form come with the same headers each time; a header is as long as `MultipartLimits` let it be."""


class NotMultipart(ValueError):
    """The body is no such form, or more of one than is taken; says why without its content."""


class MultipartLimits(NamedTuple):
    """Each part costs objects, and a stranger's request may have one in every sixty bytes."""

    parts: int
    part_headers: int
    header_bytes: int
    """Of all headers of one part."""


class Part(NamedTuple):
    """As it came. `file_name` is None for a plain field; `media_type` is the whole header, empty without one."""

    name: bytes
    file_name: bytes | None
    media_type: bytes
    content: bytes


def read_multipart(content_type: bytes, body: bytes, limits: MultipartLimits) -> list[Part]:
    """Read a whole body; the parts in their order.

    :raises NotMultipart:
    """
    _, options = parse_options_header(content_type)
    boundary = options.get(b"boundary")
    if not boundary:
        raise NotMultipart("its content type names no boundary")
    collector = _Collector(limits.parts)
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
                "on_end": collector.finish,
            },
            max_header_count=limits.part_headers,
            max_header_size=limits.header_bytes,
        )
        parser.write(body)
        parser.finalize()
    except FormParserError as error:
        raise NotMultipart("is no multipart form within our limits") from error
    if not collector.complete:
        raise NotMultipart("ends in the middle of the form")
    return collector.parts


class _Collector:
    """What the parser calls; it tells names and values of headers in pieces."""

    def __init__(self, most: int) -> None:
        self.parts: list[Part] = []
        self.complete = False
        self._most = most
        self._count = 0
        self._headers: dict[bytes, bytes] = {}
        self._name, self._value, self._content = bytearray(), bytearray(), bytearray()

    def begin(self) -> None:
        self._count += 1
        if self._count > self._most:
            raise NotMultipart(f"has more than {self._most} parts")
        self._headers = {}
        self._content = bytearray()

    def add_header_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def add_header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def end_header(self) -> None:
        self._headers[bytes(self._name).lower()] = bytes(self._value)
        self._name.clear()
        self._value.clear()

    def add_content(self, data: bytes, start: int, end: int) -> None:
        self._content += data[start:end]

    def end(self) -> None:
        name, file_name = _names(self._headers.get(b"content-disposition", b""))
        self.parts.append(Part(name, file_name, self._headers.get(b"content-type", b""), bytes(self._content)))

    def finish(self) -> None:
        self.complete = True


@lru_cache(_KNOWN_DISPOSITIONS)
def _names(disposition: bytes) -> tuple[bytes, bytes | None]:
    """Name of the field and of the file, from a part's `Content-Disposition`."""
    _, options = parse_options_header(disposition)
    return options.get(b"name", b""), options.get(b"filename")
