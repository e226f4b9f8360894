"""`application/x-www-form-urlencoded` as raw bytes, so that a signature over its values sees what was sent."""

from collections.abc import Sequence
from functools import lru_cache

from ingest_webhook.domain.percent_encoding import percent_decoded
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
    pairs = body.replace(b"+", b" ").split(b"&", MAX_FIELDS)
    if len(pairs) > MAX_FIELDS:
        raise NotForm(f"has more than {MAX_FIELDS} fields")
    fields = []
    for pair in pairs:
        name, _, value = pair.partition(b"=")
        if pair:
            fields.append((percent_decoded(name), percent_decoded(value)))
    return fields


def clean_values(fields: FormFields) -> dict[str, str]:
    """Return the fields as clean text; of a repeated name the first value counts."""
    values: dict[str, str] = {}
    for name, value in fields:
        values.setdefault(clean_text(name.decode("utf-8", "replace")), clean_text(value.decode("utf-8", "replace")))
    return values
