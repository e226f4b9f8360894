"""`application/x-www-form-urlencoded` as raw bytes, so that a signature over its values sees what was sent."""

from collections.abc import Sequence
from functools import lru_cache
from urllib.parse import unquote_to_bytes

from ticket_intake.clean_text import clean_text

# Twilio's longest requests have about sixty; sorting an endless list would be work for a stranger.
MAX_FIELDS = 500

FormFields = Sequence[tuple[bytes, bytes]]


class NotForm(ValueError):
    """The body is no form within our limits; the message says why and holds nothing of the content."""


@lru_cache(1)  # the signature covers the values, so a body is read to be verified and then to be understood
def read_form_fields(body: bytes) -> FormFields:
    """Return names and values in their order, decoded once. A name may stand several times.

    :raises NotForm:
    """
    pairs = body.split(b"&", MAX_FIELDS)
    if len(pairs) > MAX_FIELDS:
        raise NotForm(f"has more than {MAX_FIELDS} fields")
    return [(_decode(name), _decode(value)) for name, _, value in (pair.partition(b"=") for pair in pairs if pair)]


def clean_values(fields: FormFields) -> dict[str, str]:
    """Return the fields as clean text; of a repeated name the first value counts, as in Twilio's own libraries."""
    values: dict[str, str] = {}
    for name, value in fields:
        values.setdefault(clean_text(name.decode("utf-8", "replace")), clean_text(value.decode("utf-8", "replace")))
    return values


def _decode(text: bytes) -> bytes:
    spaced = text.replace(b"+", b" ")
    return unquote_to_bytes(spaced) if b"%" in spaced else spaced
