"""The three ways in which mod_json_cdr writes a body, and where in the document things stand.

The encoding is told from the body: `disable-100-continue` makes FreeSWITCH drop its Content-Type header.
"""

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from ingest_webhook.domain.json_documents import NotJson, decode_json, decode_json_bytes
from ingest_webhook.domain.percent_encoding import percent_decoded
from ticket_intake.clean_text import clean_text

_FORM = b"cdr="
# A quote that neither opens nor closes a JSON string; see `_read_form`.
_INNER_QUOTE = re.compile(r'"(?<![{\[,:\\]")(?![,:}\]])')
# A backslash with what makes it an escape of JSON, or alone.
_ESCAPE = re.compile(r'\\(["\\/bfnrt]|u[0-9a-fA-F]{4})?')


@dataclass(frozen=True, slots=True)
class CallDocument:
    """One leg of a call. Values are decoded and clean; what is absent is an empty text."""

    variables: dict[str, Any]
    profile: dict[str, Any]
    """The caller profile of the first step of the call flow: what the caller dialled, before any transfer."""

    has_originator: bool

    applications: tuple[tuple[str, str], ...] = ()
    """What the dialplan ran on this leg, with what it was given; `encode-values` leaves them alone."""

    @property
    def is_second_leg(self) -> bool:
        """A leg that another one caused, i.e. the call to our agent."""
        return self.has_originator or bool(self.variable("originating_leg_uuid") or self.variable("originator"))

    def variable(self, name: str) -> str:
        return _plain(self.variables.get(name))

    @property
    def caller_number(self) -> str:
        return _plain(self.profile.get("caller_id_number")) or self.variable("sip_from_user")

    @property
    def caller_name(self) -> str:
        return _plain(self.profile.get("caller_id_name"))

    @property
    def callee_number(self) -> str:
        return _plain(self.profile.get("destination_number")) or self.variable("sip_to_user")


def read_call_document(body: bytes) -> CallDocument:
    """Read a body in any of the three encodings.

    :raises NotJson:
    """
    document = _read_body(body.strip())
    if not isinstance(document, dict):
        raise NotJson("not a JSON object")
    profiles = _caller_profiles(document.get("callflow"))
    return CallDocument(
        variables=_object(document.get("variables")),
        profile=profiles[-1] if profiles else {},
        has_originator=any("originator" in profile for profile in profiles),
        applications=tuple(_applications(_object(document.get("app_log")).get("applications"))),
    )


def _read_body(body: bytes) -> Any:
    if not body.startswith(_FORM):
        return _read_json(body)
    content = body.removeprefix(_FORM)
    if content.startswith((b"%7B", b"%7b", b"{")):
        return _read_form(percent_decoded(content))
    try:
        # A plus sign is a plus sign here: FreeSWITCH puts base64 into the form without escaping it.
        return _read_json(base64.b64decode(percent_decoded(content).replace(b" ", b"+"), validate=True))
    except binascii.Error as error:
        raise NotJson("neither JSON, nor `cdr=` with URL-encoded or base64 JSON") from error


def _read_form(content: bytes) -> Any:
    """Read what was URL-encoded once for the form.

    With `encode-values` (the default) the values were URL-encoded before, and FreeSWITCH does not encode a `%XX` again:
    undoing the one takes off both, so quotes, backslashes and line breaks of a value stand bare in the JSON. A quote
    that belongs to the JSON always has a `{[,:` before it or a `,:}]` behind it; any other is given its backslash.
    The caller's name stands in quotes in nearly every record, so this comes first. JSON that needs none of it stays as
    it is, unless blanks stand between its parts; mending breaks that at its first quote, so it is read as it came.
    What neither way can read is refused for what the first says: the second stops at the first quote of a name.
    """
    text = content.decode("utf-8-sig", "replace")
    escaped = _ESCAPE.sub(lambda found: found[0] if found[1] else r"\\", text) if "\\" in text else text
    mended = _INNER_QUOTE.sub(r"\\" + '"', escaped)
    try:
        return decode_json_bytes(mended.encode()) if text.isprintable() else decode_json(mended, strict=False)
    except NotJson as error:
        try:
            return _read_json(content)
        except NotJson:
            raise error from None


def _read_json(content: bytes) -> Any:
    """Names of callers come in whatever encoding the network had: better a mark for a letter than no call."""
    return decode_json_bytes(content, errors="replace")


def _caller_profiles(callflow: object) -> list[dict[str, Any]]:
    """Newest first. Older versions write the only step as an object, not as a list."""
    steps = callflow if isinstance(callflow, list) else [callflow]
    return [_object(_object(step).get("caller_profile")) for step in steps]


def _applications(log: object) -> Iterator[tuple[str, str]]:
    for entry in log if isinstance(log, list) else ():
        name, given = (_object(entry).get(key) for key in ("app_name", "app_data"))
        if isinstance(name, str) and isinstance(given, str):
            yield name, clean_text(given).strip()


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _plain(value: object) -> str:
    """Undo `encode-values`, which is on by default and says so nowhere in the document."""
    if not isinstance(value, str):
        return ""
    return clean_text(unquote(value) if "%" in value else value).strip()
