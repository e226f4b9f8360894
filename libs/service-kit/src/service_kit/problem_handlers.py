"""Makes a FastAPI app answer every error with a problem document. Apart, so that bare ASGI apps need no FastAPI."""

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from service_kit.asgi import RawResponse
from service_kit.problems import FieldProblem, Problem, ProblemBoundary, ProblemError, problem_response

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
}


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
    problem = Problem(title=phrase, status=error.status_code, detail=detail)
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
        errors=[_field_problem(each) for each in found],
    )
    return _response(problem_response(problem, instance=request.url.path))


def _field_problem(error: dict[str, Any]) -> FieldProblem:
    """Never repeats what was sent: it may be a secret, or markup for whoever shows the answer."""
    # The location of broken JSON is a character offset, which pydantic gives as if it were a field.
    location = error["loc"][:1] if error["type"] == "json_invalid" else error["loc"]
    field = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in location).lstrip(".")
    fix = FIXES.get(error["type"], "send a value for which this holds: {message}")
    return FieldProblem(
        field=field, message=error["msg"], fix=fix.format_map({"message": error["msg"], **error.get("ctx", {})})
    )


def _response(raw: RawResponse) -> Response:
    response = Response(raw.body, raw.status)
    response.raw_headers = raw.headers
    return response
