"""A FreeSWITCH that posts call records, in each of mod_json_cdr's encodings."""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from urllib.parse import quote
from uuid import UUID

from tests.support.partners.signed_request import OVERSIZED_BYTES, SignedRequest, Way

# switch_utils.h, SWITCH_URL_UNSAFE: what `switch_url_encode` encodes besides what is not printable.
_SAFE = "!$'()*,-./_~"


class Encoding(StrEnum):
    """The module's `encode` setting."""

    FORM = "true"
    BASE64 = "base64"
    JSON = "false"


@dataclass
class FreeswitchSender:
    """`now` gives Unix seconds. `credentials` are `user:password`."""

    credentials: str
    now: Callable[[], float]
    new_id: Callable[[], UUID]
    next_credentials: str = "switch:next-password"
    encoding: Encoding = Encoding.FORM
    encode_values: bool = True
    _last: SignedRequest | None = field(default=None)

    def call(
        self,
        way: Way = Way.GOOD,
        *,
        talked: int = 0,
        profile: dict[str, Any] | None = None,
        app_log: object = None,
        **variables: str,
    ) -> SignedRequest:
        """One leg of a call, missed unless `talked` seconds; `variables` adds to or replaces channel variables."""
        if way is Way.REPEATED:
            assert self._last is not None, "nothing was sent that could be repeated"
            return self._last
        record = self._record(talked, profile or {}, variables)
        if app_log is not None:
            record["app_log"] = app_log
        if way is Way.UNKNOWN_TYPE:  # what the module posts is always a call; a call of ours is none of a customer
            record["variables"]["direction"] = "outbound"
        if way is Way.OVERSIZED:
            record["variables"]["padding"] = "x" * OVERSIZED_BYTES
        content_type, body = self._encode(record)
        if way is Way.MALFORMED:
            body = body[: len(body) // 2]
        self._last = self._authorise(body, content_type, record["variables"]["uuid"], way)
        return self._last

    def _record(self, talked: int, profile: dict[str, Any], variables: dict[str, str]) -> dict[str, Any]:
        end = int(self.now())
        values = {
            "uuid": str(self.new_id()),
            "direction": "inbound",
            "start_epoch": str(end - 20 - talked),
            "end_epoch": str(end),
            "billsec": str(talked),
            "hangup_cause": "NORMAL_CLEARING" if talked else "ORIGINATOR_CANCEL",
            "caller_id": '"Li Wei" <+8613800138000>',
            **variables,
        }
        caller = {
            "caller_id_name": "Li Wei",
            "caller_id_number": "+8613800138000",
            "destination_number": "+864008001234",
        }
        if self.encode_values:
            values = {name: _url_encode(value) for name, value in values.items()}
        return {
            "core-uuid": str(self.new_id()),
            "variables": values,
            "callflow": [{"caller_profile": caller | profile}],
        }

    def _encode(self, record: dict[str, Any]) -> tuple[str, bytes]:
        text = json.dumps(record, separators=(",", ":"), ensure_ascii=False)
        if self.encoding is Encoding.JSON:
            return "application/json", text.encode()
        if self.encoding is Encoding.BASE64:
            return "application/x-www-form-base64-encoded", b"cdr=" + base64.b64encode(text.encode())
        return "application/x-www-form-urlencoded", b"cdr=" + _url_encode(text).encode()

    def _authorise(self, body: bytes, content_type: str, call_id: str, way: Way) -> SignedRequest:
        credentials = {Way.FORGED: "switch:guessed", Way.ROTATED: self.next_credentials}.get(way, self.credentials)
        encoded = base64.b64encode(credentials.encode()).decode()
        headers = {
            "content-type": content_type,
            "authorization": f"Basic {encoded}",
            "user-agent": "freeswitch-json/1.0",
        }
        return SignedRequest(headers, body, query=f"uuid={call_id}")


def _url_encode(text: str) -> str:
    """As `switch_url_encode` does: what already is a `%XX` is not encoded again."""
    parts = text.split("%")
    encoded = quote(parts[0], safe=_SAFE)
    for part in parts[1:]:
        already = len(part) >= 2 and all(digit in "0123456789ABCDEF" for digit in part[:2])
        encoded += ("%" + part[:2] + quote(part[2:], safe=_SAFE)) if already else "%25" + quote(part, safe=_SAFE)
    return encoded
