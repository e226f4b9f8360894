"""What a browser sends as `multipart/form-data`: fields, and the files that somebody chose."""

import re
from typing import NamedTuple

from ingest_webhook.domain.form_fields import NotForm
from ticket_intake.clean_text import clean_text
from ticket_intake.multipart_form import MultipartLimits, NotMultipart, Part, read_multipart

LIMITS = MultipartLimits(parts=100, part_headers=8, header_bytes=2048)  # a form has a dozen fields
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
    try:
        parts = read_multipart(content_type, body, LIMITS)
    except NotMultipart as error:
        raise NotForm(str(error)) from error
    fields, files = [], []
    for part in parts:
        if part.file_name is None:
            fields.append((part.name, part.content))
        elif part.file_name or part.content:  # a browser sends an input that was left empty without both
            files.append(FormFile(_last_part(part.file_name), _media_type(part), part.content))
    return MultipartForm(tuple(fields), tuple(files))


def _media_type(part: Part) -> str:
    told = part.media_type.partition(b";")[0].strip().lower().decode("latin-1")
    return told if _MEDIA_TYPE.fullmatch(told) else _UNKNOWN_TYPE


def _last_part(file_name: bytes) -> str:
    name = clean_text(file_name.decode("utf-8", "replace"))
    return re.split(r"[/\\]", name)[-1]
