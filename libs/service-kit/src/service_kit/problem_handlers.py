"""Makes a FastAPI app answer every error with a problem document. Apart, so that bare ASGI apps need no FastAPI."""

from collections.abc import Iterator, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from service_kit.asgi import RawResponse
from service_kit.problems import NO_TYPE, FieldProblem, Problem, ProblemBoundary, ProblemError, problem_response

# pydantic's error types whose fix is the same for every field; the context of the error fills in the rest.
FIXES = {
    "missing": "add this field",
    "extra_forbidden": "remove this field, or correct its name",
    "enum": "send one of {expected}",
    "literal_error": "send one of {expected}",
    "string_too_short": "send at least {min_length} characters",
    "string_too_long": "send at most {max_length} characters",
    "string_pattern_mismatch": "send text that matches {pattern}",
    "less_than_equal": "send at most {le}",
    "greater_than_equal": "send at least {ge}",
    "json_invalid": "send a body that is valid JSON",
    "union_tag_invalid": "send one of {expected_tags}",
    "union_tag_not_found": "add this field",
    "time_form": "send RFC 3339, such as 2026-11-23T09:00:00+08:00",
}
UNREADABLE = FieldProblem(
    field="body",
    message="it is no UTF-8, is nested too deeply, or holds a number of thousands of digits",
    fix="send a body that is JSON in UTF-8, less deep and with shorter numbers",
)
# pydantic's own words for this one repeat what was sent.
MESSAGES = {"union_tag_invalid": "Input should name one of the known kinds"}
_UNION_TAGS = {"union_tag_invalid", "union_tag_not_found"}


def install_problem_handlers(app: FastAPI) -> None:
    app.add_exception_handler(ProblemError, _problem_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(HTTPException, _http_exception)
    app.add_middleware(ProblemBoundary)


async def _problem_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, ProblemError)  # Starlette's signature is wider than what it calls us with
    return _response(problem_response(error.problem, instance=request.url.path, headers=error.headers.items()))


async def _http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    phrase = HTTPStatus(error.status_code).phrase
    detail = error.detail if error.detail != phrase else None
    # FastAPI's only 400: a body that is no JSON for another reason than its grammar (nested too deep, not UTF-8).
    unreadable = error.status_code == HTTPStatus.BAD_REQUEST
    kind = "/problems/unreadable-request" if unreadable else NO_TYPE
    errors = [UNREADABLE] if unreadable else []
    problem = Problem(type=kind, title=phrase, status=error.status_code, detail=detail, errors=errors)
    return _response(problem_response(problem, instance=request.url.path, headers=(error.headers or {}).items()))


async def _validation_error(request: Request, error: Exception) -> Response:
    """400 when the body is no JSON at all, 422 when it is but breaks the schema."""
    assert isinstance(error, RequestValidationError)
    found = error.errors()
    unreadable = any(each["type"] == "json_invalid" for each in found)
    problem = Problem(
        type="/problems/unreadable-request" if unreadable else "/problems/invalid-request",
        title="The request cannot be read" if unreadable else "The request is not valid",
        status=HTTPStatus.BAD_REQUEST if unreadable else HTTPStatus.UNPROCESSABLE_ENTITY,
        detail="See `errors` for each field and its fix.",
        errors=[_field_problem(each, error.body) for each in found],
    )
    return _response(problem_response(problem, instance=request.url.path))


def _field_problem(error: dict[str, Any], body: object) -> FieldProblem:
    """Never repeats what was sent: it may be a secret, or markup for whoever shows the answer."""
    # The location of broken JSON is a character offset, which pydantic gives as if it were a field.
    location = error["loc"][:1] if error["type"] == "json_invalid" else tuple(_written_steps(error["loc"], body))
    context = error.get("ctx", {})
    if error["type"] in _UNION_TAGS:  # pydantic locates the object; what has to change is the field in it
        location = (*location, context["discriminator"].strip("'"))
    field = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in location).lstrip(".")
    message = MESSAGES.get(error["type"], error["msg"])
    fix = FIXES.get(error["type"], "send a value for which this holds: {message}")
    return FieldProblem(field=field, message=message, fix=fix.format_map({"message": message, **context}))


def _written_steps(location: Sequence[str | int], body: object) -> Iterator[str | int]:
    """Leave out the tags that pydantic puts into the location of a union: who wrote the body knows no such step."""
    first, *steps = location
    yield first
    here = body
    for number, step in enumerate(steps, start=1):
        if isinstance(here, dict) and step not in here and number < len(steps):
            continue
        here = here.get(step) if isinstance(here, dict) else None  # inside a list no union of ours goes on
        yield step


def _response(raw: RawResponse) -> Response:
    response = Response(raw.body, raw.status)
    response.raw_headers = raw.headers
    return response
