"""`/webhooks/{source}` as a bare ASGI callable: a framework would cost more than the work itself (facts §4.3c)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

import structlog
from starlette.types import Receive, Scope, Send

from ingest_webhook.metrics import NO_SOURCE, Metrics, SourceMetrics
from ingest_webhook.provider import Answer, Handshake, Messages, WebhookRequest
from ingest_webhook.read_body import SenderLeft, read_body
from ingest_webhook.receive_webhook import WebhookReceiver
from ingest_webhook.rejections import Outcome, Rejected, unavailable
from ingest_webhook.source_table import SourceTable
from ingest_webhook.sources import Source
from service_kit.asgi import RawResponse, raw_response
from service_kit.problems import Problem, answer_to, problem_response
from service_kit.tracing import bind_trace, new_trace

PREFIX = "/webhooks/"

# Most providers take any 2xx as "yours now" and read nothing of the answer.
_ACKNOWLEDGED = RawResponse(HTTPStatus.OK, [(b"content-length", b"0")], b"")

log = structlog.get_logger("webhook")


@dataclass(frozen=True, slots=True)
class Limits:
    """What one process takes at most."""

    body_bytes: int
    body_seconds: float
    in_flight: int


class WebhookApp:
    """One request in, one answer out; whatever is wrong becomes a problem document and a counter."""

    def __init__(
        self,
        sources: SourceTable,
        receiver: WebhookReceiver,
        metrics: Metrics,
        limits: Limits,
        now: Callable[[], datetime],
        monotonic: Callable[[], float],
    ) -> None:
        self._sources = sources
        self._receiver = receiver
        self._metrics = metrics
        self._limits = limits
        self._now = now
        self._monotonic = monotonic
        self._in_flight = 0
        metrics.in_flight.set_function(lambda: self._in_flight)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = self._monotonic()
        self._in_flight += 1
        try:
            trace = new_trace()  # senders are strangers: a trace of theirs is not continued
            bind_trace(trace)
            try:
                response = await self._answer(scope, receive, trace.traceparent)
            except Exception as error:  # noqa: BLE001 - the boundary: it is logged here, and no stack trace leaves
                response = answer_to(error, scope)
            if response is not None:
                await response.send(send)
        finally:
            self._in_flight -= 1
            self._metrics.seconds.observe(self._monotonic() - started)

    async def _answer(self, scope: Scope, receive: Receive, traceparent: str) -> RawResponse | None:
        path: str = scope["path"]
        source = self._sources.get(path.removeprefix(PREFIX)) if path.startswith(PREFIX) else None
        counters = self._metrics.of(source.name if source else NO_SOURCE)
        try:
            if source is None:
                raise _unknown_source()
            self._check_before_reading(source, scope["method"])
            return await self._receive(source, scope, receive, traceparent, counters)
        except Rejected as rejection:
            counters.outcomes[rejection.outcome].inc()
            if source is not None:
                log.info("rejected", source=source.name, outcome=rejection.outcome, detail=rejection.detail)
            return _problem(rejection, path)
        except SenderLeft:
            counters.outcomes[Outcome.ABANDONED].inc()
            return None
        except Exception:
            counters.outcomes[Outcome.FAILED].inc()
            raise

    async def _receive(
        self, source: Source, scope: Scope, receive: Receive, traceparent: str, counters: SourceMetrics
    ) -> RawResponse:
        most = min(self._limits.body_bytes, source.body_bytes or self._limits.body_bytes)
        body = await read_body(receive, most, self._limits.body_seconds)
        request = WebhookRequest(dict(scope["headers"]), scope["query_string"], body, self._now(), scope["method"])
        reading = await self._receiver.receive(source, request, traceparent)
        if isinstance(reading, Messages):
            counters.accepted.inc()
            return _acknowledge(reading.answer)
        if isinstance(reading, Handshake):
            counters.outcomes[Outcome.HANDSHAKE].inc()
            return _acknowledge(reading)
        counters.ignored[reading.reason].inc()
        counters.outcomes[Outcome.IGNORED].inc()
        return _acknowledge(reading.answer)

    def _check_before_reading(self, source: Source, method: str) -> None:
        if method not in source.provider.methods:
            allowed = ", ".join(source.provider.methods)
            raise Rejected(
                Outcome.WRONG_METHOD,
                HTTPStatus.METHOD_NOT_ALLOWED,
                "Method not allowed",
                f"This source takes {allowed}.",
                headers=(("allow", allowed),),
            )
        if self._in_flight > self._limits.in_flight:
            raise unavailable(Outcome.OVERLOADED, "Too many requests are being received at this moment.")


def _acknowledge(answer: Answer | None) -> RawResponse:
    if answer is None:
        return _ACKNOWLEDGED
    return raw_response(HTTPStatus.OK, answer.content_type, answer.body, answer.headers)


def _unknown_source() -> Rejected:
    return Rejected(
        Outcome.UNKNOWN_SOURCE,
        HTTPStatus.NOT_FOUND,
        "Unknown source",
        "No source has this address. It is /webhooks/ and the name of a source in the sources file.",
    )


def _problem(rejection: Rejected, path: str) -> RawResponse:
    problem = Problem(
        type=f"/problems/{rejection.outcome}",
        title=rejection.title,
        status=rejection.status,
        detail=rejection.detail,
        errors=rejection.errors,
    )
    return problem_response(problem, instance=path, headers=rejection.headers)
