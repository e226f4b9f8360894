"""A verified request as it lies in the spool, and the name that keeps its place in the queue."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import msgspec

from ingest_webhook.provider import WebhookRequest

_VERSION = 1
# They prove who sends and are checked already; signatures stay, some providers read by them which key to open with.
_SECRET_HEADERS = frozenset({b"authorization", b"proxy-authorization", b"cookie", b"x-telegram-bot-api-secret-token"})
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_STAMP_DIGITS, _NUMBER_DIGITS = 17, 9  # microseconds until the year 5138; requests of one process


class NotSpooled(ValueError):
    """The content is no request of ours, or of a release that wrote another form."""


class SpooledRequest(NamedTuple):
    """What `spool` needs to do later all that would have been done at once."""

    source: str
    request: WebhookRequest
    traceparent: str


class _Stored(msgspec.Struct, array_like=True, frozen=True):
    version: int
    source: str
    method: str
    headers: list[tuple[bytes, bytes]]
    query: bytes
    body: bytes
    received_at: datetime
    traceparent: str


def encode_request(spooled: SpooledRequest) -> bytes:
    request = spooled.request
    headers = [(name, value) for name, value in request.headers.items() if name not in _SECRET_HEADERS]
    return msgspec.msgpack.encode(
        _Stored(
            _VERSION,
            spooled.source,
            request.method,
            headers,
            request.query,
            request.body,
            request.received_at,
            spooled.traceparent,
        )
    )


def decode_request(content: bytes) -> SpooledRequest:
    """Read what `encode_request` wrote.

    :raises NotSpooled:
    """
    try:
        stored = msgspec.msgpack.decode(content, type=_Stored)
    except msgspec.DecodeError as error:
        raise NotSpooled(str(error)) from error
    if stored.version != _VERSION:
        raise NotSpooled(f"written in form {stored.version}; this release reads {_VERSION}")
    request = WebhookRequest(dict(stored.headers), stored.query, stored.body, stored.received_at, stored.method)
    return SpooledRequest(stored.source, request, stored.traceparent)


class Entry(NamedTuple):
    """A place in the queue: entries sort by the time of receipt, then by the order within one process."""

    stamp: int
    number: int
    process: str
    source: str

    @classmethod
    def at(cls, received_at: datetime, number: int, process: str, source: str) -> "Entry":
        return cls((received_at - _EPOCH) // _MICROSECOND, number, process, source)

    @classmethod
    def of(cls, name: str) -> "Entry | None":
        """Read a name; None when nobody here gave it."""
        parts = name.split(".")
        if len(parts) != 4 or not (parts[0].isdecimal() and parts[1].isdecimal()):
            return None
        entry = cls(int(parts[0]), int(parts[1]), parts[2], parts[3])
        return entry if entry.name == name else None  # it could never be read, and would hold its source up for ever

    @property
    def name(self) -> str:
        return f"{self.stamp:0{_STAMP_DIGITS}}.{self.number:0{_NUMBER_DIGITS}}.{self.process}.{self.source}"

    @property
    def received_at(self) -> datetime:
        return _EPOCH + self.stamp * _MICROSECOND
