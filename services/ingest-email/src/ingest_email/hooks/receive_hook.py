"""`POST /mail/{name}`: one mail of a provider in, one answer out. 200 means what 250 means on SMTP."""

import asyncio
import base64
import binascii
import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Protocol

import structlog
from starlette.types import Receive, Scope, Send

from ingest_email.delivery import Mailbox
from ingest_email.hooks.provider import HookMail, HookProvider, HookRejected, HookRequest, HookUnavailable, unauthorised
from ingest_email.mailboxes import FindMailbox
from ingest_email.metrics import MailMetrics
from service_kit.asgi import RawResponse, raw_response
from ticket_store.object_storage import StorageUnavailable
from ticket_stream.edge_publisher import KafkaAway

PREFIX = "/mail/"
MIME_SUFFIX = "/mime"
"""Mailgun sends whole mails only to addresses that end so."""

NO_MAILBOX = "no such mailbox here"
"""The answer to a mail that is genuine, and for nobody of ours."""

BODY_SECONDS = 60.0  # for a request to arrive whole; providers give up sooner
MOST_AT_ONCE = 8
"""Requests in memory, each up to `hook_body_bytes`; more are told to come again."""

log = structlog.get_logger("mail_hook")


class Accept(Protocol):
    """`AcceptMail.accept`."""

    async def __call__(
        self, raw: bytes, envelope_sender: str, mailboxes: Sequence[Mailbox], recipients: Sequence[str]
    ) -> None: ...


@dataclass(frozen=True, slots=True)
class Hook:
    """One configured hook; with `basic` or `path_secrets` a request has to bring one of them."""

    provider: HookProvider
    basic: Sequence[str] = field(default=(), repr=False)
    path_secrets: Sequence[str] = field(default=(), repr=False)


def hook_body_bytes(message_bytes: int) -> int:
    """The largest request: a mail as base64 in JSON, and what a provider tells about it."""
    return message_bytes * 3 // 2 + 1024 * 1024


class MailHooks:
    """An ASGI app. Before `open` it says that it is starting.

    `hook_of` and `find` are asked for each request: the file may have changed. A request goes on with the hook that it
    came in by.
    """

    def __init__(
        self,
        hook_of: Callable[[str], Hook | None],
        find: FindMailbox,
        message_bytes: int,
        metrics: MailMetrics,
        clock: Callable[[], datetime],
    ) -> None:
        self._hook_of = hook_of
        self._find = find
        self._message_bytes = message_bytes
        self._metrics = metrics
        self._clock = clock
        self._accept: Accept | None = None
        self._inside = 0

    def open(self, accept: Accept) -> None:
        self._accept = accept

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        name, _, rest = scope["path"].removeprefix(PREFIX).partition("/")
        hook = self._hook_of(name) if scope["path"].startswith(PREFIX) else None
        if hook is None:
            await _answer(HTTPStatus.NOT_FOUND, "no hook has this address").send(send)
            return
        try:
            status, reason = await self._receive(hook, rest, scope, receive)
        except HookRejected as rejection:
            status, reason = rejection.status, str(rejection)
        except (HookUnavailable, KafkaAway, StorageUnavailable) as trouble:
            status, reason = HTTPStatus.SERVICE_UNAVAILABLE, "cannot take the mail now, try again later"
            log.warning("mail hook unavailable", hook=name, reason=str(trouble))
        if status >= HTTPStatus.BAD_REQUEST:
            log.info("mail hook refused", hook=name, status=int(status), reason=reason)
        self._metrics.hooks.labels(name, int(status)).inc()
        await _answer(status, reason).send(send)

    async def _receive(self, hook: Hook, rest: str, scope: Scope, receive: Receive) -> tuple[int, str]:
        if scope["method"] != "POST":
            raise HookRejected(HTTPStatus.METHOD_NOT_ALLOWED, "this address takes POST")
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        _check_caller(hook, rest, headers)
        if self._accept is None or self._inside >= MOST_AT_ONCE:
            return HTTPStatus.SERVICE_UNAVAILABLE, "too much at once, try again later"
        self._inside += 1
        try:
            body = await _read(receive, hook_body_bytes(self._message_bytes))
            mail = await hook.provider.read(HookRequest(headers, body, self._clock()))
            if mail is None:
                return HTTPStatus.OK, "nothing to take"
            return await self._take(hook, mail, self._accept)
        finally:
            self._inside -= 1

    async def _take(self, hook: Hook, mail: HookMail, accept: Accept) -> tuple[int, str]:
        found = {box.address: box for to in mail.recipients if (box := self._find(to)) is not None}
        if not found:
            return hook.provider.refused, NO_MAILBOX
        if len(mail.raw) > self._message_bytes:
            return hook.provider.refused, f"the mail is larger than {self._message_bytes} bytes"
        await accept(mail.raw, mail.envelope_sender, list(found.values()), mail.recipients)
        return HTTPStatus.OK, "taken"


def _check_caller(hook: Hook, rest: str, headers: Mapping[str, str]) -> None:
    if hook.path_secrets:
        stated = rest.removesuffix(MIME_SUFFIX).removesuffix(MIME_SUFFIX[1:]).strip("/")
        if not _is_one_of(stated, hook.path_secrets):
            raise HookRejected(HTTPStatus.NOT_FOUND, "no hook has this address")
    elif rest not in ("", MIME_SUFFIX[1:]):
        raise HookRejected(HTTPStatus.NOT_FOUND, "no hook has this address")
    if hook.basic:
        kind, _, encoded = headers.get("authorization", "").partition(" ")
        try:
            stated = base64.b64decode(encoded, validate=True).decode("utf-8", "replace") if kind == "Basic" else ""
        except (binascii.Error, ValueError):
            stated = ""
        if not _is_one_of(stated, hook.basic):
            raise unauthorised("user or password is wrong")


def _is_one_of(stated: str, secrets: Sequence[str]) -> bool:
    given = stated.encode("utf-8", "replace")
    return sum(hmac.compare_digest(given, secret.encode()) for secret in secrets) > 0  # all of them, in the same time


async def _read(receive: Receive, most: int) -> bytes:
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            while True:
                event = await receive()
                if event["type"] == "http.disconnect":
                    raise HookRejected(HTTPStatus.BAD_REQUEST, "the sender left")
                body += event.get("body", b"")
                if len(body) > most:
                    raise HookRejected(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"more than {most} bytes")
                if not event.get("more_body"):
                    return bytes(body)
    except TimeoutError as slow:
        raise HookRejected(HTTPStatus.REQUEST_TIMEOUT, "the request did not arrive in time") from slow


def _answer(status: int, reason: str) -> RawResponse:
    # SNS sends the user and password of its address only when it is asked for them.
    headers = [("www-authenticate", 'Basic realm="mail"')] if status == HTTPStatus.UNAUTHORIZED else []
    return raw_response(status, "text/plain; charset=utf-8", f"{reason}\n".encode(), headers)
