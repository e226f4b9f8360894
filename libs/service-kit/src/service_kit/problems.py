"""Errors over HTTP as RFC 9457 problem documents, for FastAPI and bare ASGI alike.

`type` is a relative reference such as `/problems/stale`; each has a row in docs/problems.md. A sender reads
what was wrong, where, and what to change; of our own faults it reads only a trace id to report.
"""

from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

import structlog
from pydantic import BaseModel, ConfigDict, Field
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service_kit.asgi import RawResponse, raw_response
from service_kit.tracing import bound_trace, current_trace, new_trace

CONTENT_TYPE = "application/problem+json"
# RFC 9457 §4.2.1: no more is known than the status code says.
NO_TYPE = "about:blank"

log = structlog.get_logger(__name__)


class FieldProblem(BaseModel):
    """One thing to change in the request."""

    model_config = ConfigDict(frozen=True)

    field: str = Field(description="Where: `body.priority`, `query.cursor`, `header.if-match`.")
    message: str = Field(description="What is wrong with it.")
    fix: str = Field(description="What to send instead.")


class Problem(BaseModel):
    """RFC 9457 problem details, with `errors` and `trace_id` as extensions."""

    model_config = ConfigDict(frozen=True)

    type: str = NO_TYPE
    title: str
    status: int
    detail: str | None = None
    instance: str | None = Field(None, description="The path that was asked for.")
    errors: Sequence[FieldProblem] = ()
    trace_id: str | None = Field(None, description="Names this request in our logs.")

    def to_json(self) -> bytes:
        empty = {"errors"} if not self.errors else set()
        return self.model_dump_json(exclude_none=True, exclude=empty).encode()


class ProblemError(Exception):
    """Raised anywhere below an HTTP handler to reject the request; the sender gets `problem`, nothing is logged."""

    def __init__(
        self,
        status: int,
        title: str,
        detail: str | None = None,
        *,
        type: str = NO_TYPE,
        errors: Sequence[FieldProblem] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(f"{status} {title}")
        self.problem = Problem(type=type, title=title, status=status, detail=detail, errors=errors)
        self.headers = dict(headers or {})


def problem_response(
    problem: Problem, *, instance: str | None = None, headers: Iterable[tuple[str, str]] = ()
) -> RawResponse:
    """The whole answer. `instance` and the current trace id are filled in where the problem has none."""
    trace = current_trace()
    known = {"instance": problem.instance or instance, "trace_id": problem.trace_id or (trace and trace.trace_id)}
    body = problem.model_copy(update=known).to_json()
    return raw_response(problem.status, CONTENT_TYPE, body, headers)


class ProblemBoundary:
    """Around an ASGI app: ProblemError becomes its document, any other exception a 500 that is logged once, here.

    Around a FastAPI app it goes on as middleware (see `install_problem_handlers`): Starlette's own outermost layer
    answers a 500 and raises the exception again, which would have it logged twice.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def watched_send(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, watched_send)
        except Exception as error:  # noqa: BLE001 - the boundary: nothing may pass it unlogged or with its stack trace
            response = answer_to(error, scope)
            if not started:  # else half an answer is out; uvicorn closes the connection, which tells the client
                await response.send(send)


def answer_to(error: Exception, scope: Scope) -> RawResponse:
    """Return what the sender of a request reads of an error. One that nobody foresaw is logged: call it once."""
    if isinstance(error, ProblemError):
        return problem_response(error.problem, instance=scope["path"], headers=error.headers.items())
    with bound_trace(current_trace() or new_trace()):
        log.error("request failed", method=scope["method"], path=scope["path"], exc_info=error)
        return problem_response(UNEXPECTED, instance=scope["path"])


UNEXPECTED = Problem(
    type="/problems/unexpected",
    title=HTTPStatus.INTERNAL_SERVER_ERROR.phrase,
    status=HTTPStatus.INTERNAL_SERVER_ERROR,
    detail="This is a fault of ours. Please report it with the trace id.",
)


def documented_problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """For `responses=` of a FastAPI route or router: these statuses answer with a problem document."""
    schema = Problem.model_json_schema()
    # Self-contained, because FastAPI moves only the schemas of models under `application/json` to the components.
    schema["properties"]["errors"]["items"] = schema.pop("$defs")["FieldProblem"]
    content = {CONTENT_TYPE: {"schema": schema}}
    return {status: {"description": HTTPStatus(status).phrase, "content": content} for status in statuses}
