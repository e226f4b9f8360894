"""`GET|POST /callbacks/{source}`: a provider says that there is something to read, and the job is woken."""

import time
from collections.abc import Awaitable, Callable

import structlog
from starlette.types import Receive, Scope, Send

from ingest_pull.kinds.wecom_service import NotACallback, WecomService
from service_kit.asgi import RawResponse, raw_response
from ticket_intake.signatures import SignatureInvalid, SignatureStale
from ticket_stream.leased_jobs import StoreAway

PREFIX = "/callbacks/"
MAX_BODY_BYTES = 64 * 1024  # a callback has a kilobyte

Wake = Callable[[str, str], Awaitable[None]]
"""Wakes a job by name, with a hint, in whichever process it runs.

:raises StoreAway:
"""

log = structlog.get_logger("callbacks")


def _plain(status: int, words: bytes) -> RawResponse:
    return raw_response(status, "text/plain; charset=utf-8", words)


_DONE = _plain(200, b"success")
_NOT_FOUND = _plain(404, b"no such source")
_WRONG_METHOD = raw_response(405, "text/plain; charset=utf-8", b"GET or POST", [("allow", "GET, POST")])
_REFUSED = _plain(401, b"not signed with a callback key of this source, or too long ago")
_TOO_LARGE = _plain(413, b"too large for a callback")
_UNREADABLE = _plain(400, b"no callback of this provider")
_AWAY = _plain(503, b"try again later")


class CallbackApp:
    """A bare ASGI app; probes stand in front of it."""

    def __init__(
        self, find: Callable[[str], WecomService | None], wake: Wake, now: Callable[[], float] = time.time
    ) -> None:
        """:param find: the source that takes callbacks under a name."""
        self._find = find
        self._wake = wake
        self._now = now

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        source = self._find(scope["path"].removeprefix(PREFIX)) if scope["path"].startswith(PREFIX) else None
        if source is None:
            response = _NOT_FOUND
        elif scope["method"] not in {"GET", "POST"}:
            response = _WRONG_METHOD
        else:
            response = await self._answer(source, scope, receive)
        await response.send(send)

    async def _answer(self, source: WecomService, scope: Scope, receive: Receive) -> RawResponse:
        body = await _read_body(receive)
        if body is None:
            return _TOO_LARGE
        try:
            content = source.open_callback(scope["method"], scope["query_string"], body, self._now())
            if scope["method"] == "GET":
                return _plain(200, content)
            hint = source.hint_of(content)
            if hint is not None:
                await self._wake(source.name, hint)
        except (SignatureInvalid, SignatureStale) as error:
            log.warning("callback refused", source=source.source_name, reason=type(error).__name__)
            return _REFUSED
        except NotACallback as error:
            log.warning("callback cannot be read", source=source.source_name, reason=str(error))
            return _UNREADABLE
        except StoreAway:
            return _AWAY  # WeCom repeats it three times; after that the job's interval finds the messages
        return _DONE


async def _read_body(receive: Receive) -> bytes | None:
    """Return the body; None when it is longer than any callback."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return b""
        body += message.get("body", b"")
        if len(body) > MAX_BODY_BYTES:
            return None
        if not message.get("more_body", False):
            return bytes(body)
