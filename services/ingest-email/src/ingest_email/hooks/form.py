"""The fields of a form as bytes: a mail in one is in whatever charset its sender chose."""

from urllib.parse import unquote_to_bytes

from ingest_email.hooks.provider import HookRequest, malformed
from ticket_intake.multipart_form import MultipartLimits, NotMultipart, read_multipart

MOST_FIELDS = 300  # a parsed mail of Mailgun's has some sixty; each costs objects
_LIMITS = MultipartLimits(parts=MOST_FIELDS, part_headers=8, header_bytes=4096)


def form_fields(request: HookRequest) -> dict[str, bytes]:
    """Return the fields of a form, the last value of each: what the provider itself adds comes last.

    :raises HookRejected: it is no form, or has more fields than a mail's.
    """
    content_type = request.headers.get("content-type", "")
    match content_type.partition(";")[0].strip().lower():
        case "application/x-www-form-urlencoded":
            return _urlencoded(request.body)
        case "multipart/form-data":
            return _multipart(content_type, request.body)
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


def _multipart(content_type: str, body: bytes) -> dict[str, bytes]:
    try:
        parts = read_multipart(content_type.encode("latin-1", "replace"), body, _LIMITS)
    except NotMultipart as error:
        raise malformed(f"the form {error}") from error
    return {part.name.decode("utf-8", "replace"): part.content for part in parts if part.name}
