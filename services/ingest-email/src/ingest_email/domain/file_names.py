"""Names of attachments: what the sender called a file, and never a path."""

import re

from ingest_email.domain.header_text import readable

LONGEST = 255  # as Attachment.name, and what file systems allow
_DIRECTION = re.compile(r"[\u202a-\u202e\u2066-\u2069]")  # makes `exe.pdf` of `fdp.exe` on screen
_FORBIDDEN = re.compile(r'[<>:"|?*]')  # on some systems part of a path or a stream
_EXTENSIONS = {
    "application/ms-tnef": "dat",
    "application/pdf": "pdf",
    "image/gif": "gif",
    "image/jpeg": "jpg",
    "image/png": "png",
    "message/delivery-status": "txt",
    "message/rfc822": "eml",
    "text/calendar": "ics",
    "text/csv": "csv",
    "text/html": "html",
    "text/plain": "txt",
    "text/rfc822-headers": "txt",
}


def safe_name(stated: str, media_type: str, number: int, body_charset: str | None) -> str:
    """Return the last part of what the sender called the file, or a name made of its place and type."""
    name = _DIRECTION.sub("", readable(stated, body_charset, longest=4 * LONGEST))
    name = re.split(r"[/\\]", name)[-1]
    name = _FORBIDDEN.sub("_", name).strip(" .")
    if not name:
        return f"part-{number}.{_EXTENSIONS.get(media_type, 'bin')}"
    stem, dot, extension = name.rpartition(".")
    if len(name) > LONGEST and dot and len(extension) < 20:
        return f"{stem[: LONGEST - len(extension) - 1]}.{extension}"
    return name[:LONGEST]
