import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Annotated, Literal

import httpx
import pytest
import structlog
from fastapi import FastAPI, Header, HTTPException
from jsonschema import validate
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import StreamingResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from service_kit.problem_handlers import install_problem_handlers
from service_kit.problems import (
    FieldProblem,
    Problem,
    ProblemBoundary,
    ProblemError,
    documented_problems,
    problem_response,
)
from service_kit.tracing import traced

STALE = ProblemError(
    401,
    "The signature is too old",
    "Signed 10 minutes ago; 5 are allowed.",
    type="/problems/stale-signature",
    errors=[FieldProblem(field="header.webhook-timestamp", message="too old", fix="check the sender's clock")],
    headers={"WWW-Authenticate": "Signature"},
)
TRACE = {"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}


class Note(BaseModel):
    model_config = ConfigDict(extra="forbid")

    type: Literal["note"]
    text: str


class Reply(BaseModel):
    type: Literal["reply"]
    parts: list[int]


class StatusChange(BaseModel):
    model_config = ConfigDict(extra="forbid")

    status: Literal["open", "solved"]
    note: Annotated[str, Field(min_length=3)] = "none"
    tags: list[int] = []


def fastapi_app() -> FastAPI:
    app = FastAPI(responses=documented_problems(401))
    install_problem_handlers(app)

    @app.post("/status")
    async def change_status(_: StatusChange, if_match: Annotated[int, Header()] = 1) -> None: ...

    @app.post("/words")
    async def say(_: Annotated[Note | Reply, Field(discriminator="type")]) -> None: ...

    @app.get("/stale")
    async def stale() -> None:
        raise STALE

    @app.get("/locked")
    async def locked() -> None:
        raise HTTPException(423, "merged into another ticket", {"Retry-After": "3"})

    @app.get("/broken")
    async def broken() -> None:
        raise RuntimeError("the table of customers is gone")

    @app.get("/half")
    async def half() -> StreamingResponse:
        async def lines() -> AsyncIterator[bytes]:
            yield b"one"
            raise RuntimeError("no second line")

        return StreamingResponse(lines())

    return app


async def bare_app(scope: Scope, _: Receive, __: Send) -> None:
    raise STALE if scope["path"] == "/stale" else RuntimeError("the table of customers is gone")


def client(app: ASGIApp) -> httpx.AsyncClient:
    """Raises whatever the app lets through, so an exception that is answered and raised again fails the test."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service", headers=TRACE)


async def ask(app: ASGIApp, call: Callable[[httpx.AsyncClient], Awaitable[httpx.Response]]) -> httpx.Response:
    async with client(traced(app)) as asking:
        return await call(asking)


async def test_a_valid_request_is_left_alone() -> None:
    assert (await ask(fastapi_app(), lambda c: c.post("/status", json={"status": "open"}))).status_code == 200


@pytest.mark.parametrize("app", [fastapi_app(), ProblemBoundary(bare_app)], ids=["fastapi", "bare"])
async def test_a_rejection_becomes_its_document_with_its_headers(app: ASGIApp) -> None:
    with structlog.testing.capture_logs() as logged:
        answer = await ask(app, lambda c: c.get("/stale"))
    assert (answer.status_code, answer.headers["content-type"]) == (401, "application/problem+json")
    assert answer.headers["www-authenticate"] == "Signature"
    assert answer.json() == {
        "type": "/problems/stale-signature",
        "title": "The signature is too old",
        "status": 401,
        "detail": "Signed 10 minutes ago; 5 are allowed.",
        "instance": "/stale",
        "errors": [{"field": "header.webhook-timestamp", "message": "too old", "fix": "check the sender's clock"}],
        "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
    }
    assert logged == []


@pytest.mark.parametrize("app", [fastapi_app(), ProblemBoundary(bare_app)], ids=["fastapi", "bare"])
async def test_our_own_fault_is_logged_once_and_answered_with_nothing_but_a_trace_id(app: ASGIApp) -> None:
    with structlog.testing.capture_logs() as logged:
        answer = await ask(app, lambda c: c.get("/broken"))
    assert (answer.status_code, answer.json()["trace_id"]) == (500, "4bf92f3577b34da6a3ce929d0e0e4736")
    assert "customers" not in answer.text
    (entry,) = logged
    assert (entry["event"], entry["path"], str(entry["exc_info"])) == (
        "request failed",
        "/broken",
        "the table of customers is gone",
    )


async def test_our_own_fault_has_a_trace_id_even_when_nobody_traces() -> None:
    async with client(ProblemBoundary(bare_app)) as asking:
        with structlog.testing.capture_logs():
            answer = await asking.get("/broken")
    assert len(answer.json()["trace_id"]) == 32


async def test_a_fault_in_the_middle_of_an_answer_is_logged_and_no_second_answer_begins() -> None:
    with structlog.testing.capture_logs() as logged:
        async with client(fastapi_app()) as asking:
            with pytest.raises(AssertionError):  # httpx's own: the answer was never completed
                await asking.get("/half")
    assert [str(entry["exc_info"]) for entry in logged] == ["no second line"]


@pytest.mark.parametrize(
    ("body", "field", "fix"),
    [
        ({}, "body.status", "add this field"),
        ({"status": "gone"}, "body.status", "send one of 'open' or 'solved'"),
        ({"status": "open", "owner": "me"}, "body.owner", "remove this field, or correct its name"),
        ({"status": "open", "note": "x"}, "body.note", "send at least 3 characters"),
        ({"status": "open", "tags": [1, "x"]}, "body.tags[1]", "send a value for which this holds"),
    ],
)
async def test_a_request_that_is_not_valid_is_told_the_field_and_the_fix(
    body: dict[str, object], field: str, fix: str
) -> None:
    answer = await ask(fastapi_app(), lambda c: c.post("/status", json=body))
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/invalid-request")
    (error,) = answer.json()["errors"]
    assert error["field"] == field
    assert error["fix"].startswith(fix)


async def test_a_wrong_header_is_named_and_its_value_is_not_repeated() -> None:
    answer = await ask(
        fastapi_app(), lambda c: c.post("/status", json={"status": "open"}, headers={"if-match": "<script>"})
    )
    assert answer.json()["errors"][0]["field"] == "header.if-match"
    assert "script" not in answer.text


@pytest.mark.parametrize(
    ("body", "field", "fix"),
    [
        ({"type": "hunter2"}, "body.type", "send one of 'note', 'reply'"),
        ({}, "body.type", "add this field"),
        ({"type": "note"}, "body.text", "add this field"),
        ({"type": "note", "text": 1}, "body.text", "send a value"),
        ({"type": "note", "text": "x", "to": 1}, "body.to", "remove this field"),
        ({"type": "reply", "parts": [1, "x"]}, "body.parts[1]", "send a value"),
    ],
)
async def test_a_field_of_one_of_several_kinds_is_named_as_it_was_written(
    body: dict[str, object], field: str, fix: str
) -> None:
    answer = await ask(fastapi_app(), lambda c: c.post("/words", json=body))
    (error,) = answer.json()["errors"]
    assert error["field"] == field
    assert error["fix"].startswith(fix)
    assert "hunter2" not in answer.text


@pytest.mark.parametrize("body", [b"[" * 100_000, b"9" * 100_000, b'"\xff"'], ids=["deep", "number", "not UTF-8"])
async def test_a_body_beyond_what_can_be_parsed_is_400_too(body: bytes) -> None:
    headers = {"content-type": "application/json"}
    answer = await ask(fastapi_app(), lambda c: c.post("/status", content=body, headers=headers))
    assert (answer.status_code, answer.json()["type"]) == (400, "/problems/unreadable-request")


async def test_a_body_that_is_no_json_is_400() -> None:
    headers = {"content-type": "application/json"}
    answer = await ask(fastapi_app(), lambda c: c.post("/status", content=b'{"status": ', headers=headers))
    assert (answer.status_code, answer.json()["type"]) == (400, "/problems/unreadable-request")
    assert answer.json()["errors"][0]["field"] == "body"


@pytest.mark.parametrize(
    ("method", "path", "status", "detail"),
    [
        ("GET", "/nowhere", 404, None),
        ("GET", "/status", 405, None),
        ("GET", "/locked", 423, "merged into another ticket"),
    ],
)
async def test_errors_of_the_framework_are_documents_too(
    method: str, path: str, status: int, detail: str | None
) -> None:
    answer = await ask(fastapi_app(), lambda c: c.request(method, path))
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert answer.json().get("detail") == detail
    assert answer.headers.get("retry-after") == ("3" if status == 423 else None)


async def test_a_framework_problem_without_a_page_has_the_type_of_the_standard() -> None:
    answer = await ask(fastapi_app(), lambda c: c.get("/nowhere"))
    assert (answer.json()["type"], answer.json()["title"]) == ("about:blank", "Not Found")


def test_a_problem_for_bare_asgi_is_bytes_that_name_their_length() -> None:
    response = problem_response(Problem(title="Not Found", status=404), headers=[("Retry-After", "5")])
    headers = dict(response.headers)
    assert (response.status, headers[b"retry-after"]) == (404, b"5")
    assert int(headers[b"content-length"]) == len(response.body)
    assert json.loads(response.body) == {"type": "about:blank", "title": "Not Found", "status": 404}


def test_the_documented_schema_is_whole_and_describes_what_is_sent() -> None:
    described = fastapi_app().openapi()["paths"]["/stale"]["get"]["responses"]["401"]
    schema = described["content"]["application/problem+json"]["schema"]
    assert "$ref" not in json.dumps(schema)
    validate(json.loads(problem_response(STALE.problem).body), schema)
