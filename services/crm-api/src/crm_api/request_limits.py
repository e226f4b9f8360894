"""How much one process takes on at once, and for how long one request may occupy it (OWASP API4:2023)."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from crm_api.metrics import ABANDONED, Metrics
from service_kit.problems import Problem, problem_response

OVERLOADED = Problem(
    type="/problems/overloaded",
    title="Too many requests at once",
    status=503,
    detail="Nothing was done. Try again in a moment.",
)

TOO_LONG = Problem(
    type="/problems/database-away",
    title="The answer took too long",
    status=503,
    detail="The database answers too slowly. A command may have been taken: repeat it with the same Idempotency-Key.",
)


@dataclass(frozen=True, slots=True)
class RequestLimits:
    """What wiring takes from the settings."""

    in_flight: int
    body_seconds: float
    answer_seconds: float


class Admission:
    """Outermost: counts every request, and refuses those above the limit before anything of them is read."""

    def __init__(self, app: ASGIApp, most: int, metrics: Metrics, monotonic: Callable[[], float]) -> None:
        self._app = app
        self._most = most
        self._metrics = metrics
        self._monotonic = monotonic
        self._in_flight = 0
        metrics.in_flight.set_function(lambda: self._in_flight)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = self._monotonic(), ABANDONED

        async def noted_send(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        self._in_flight += 1
        try:
            if self._in_flight > self._most:
                retry = [("Retry-After", "1"), ("Connection", "close")]  # its body stays unread
                await problem_response(OVERLOADED, instance=scope["path"], headers=retry).send(noted_send)
            else:
                await self._app(scope, receive, noted_send)
        finally:
            self._in_flight -= 1
            self._metrics.count(scope, status, self._monotonic() - started)


class AnswerLimit:
    """Around the app, inside the reading of the body: a database that hangs must not collect requests for ever."""

    def __init__(self, app: ASGIApp, seconds: float) -> None:
        self._app = app
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def watched_send(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        limit = asyncio.timeout(self._seconds)
        try:
            async with limit:
                await self._app(scope, receive, watched_send)
        except TimeoutError:
            if not limit.expired():
                raise
            if not started:  # else half an answer is out; uvicorn closes the connection
                retry = [("Retry-After", "2")]
                await problem_response(TOO_LONG, instance=scope["path"], headers=retry).send(send)
