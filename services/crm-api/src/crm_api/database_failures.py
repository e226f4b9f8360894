"""Which errors mean that the database is away, and what a caller reads then."""

import asyncpg
from fastapi import FastAPI, Request, Response
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from service_kit.problems import Problem, problem_response

DATABASE_FAILURES = (DBAPIError, PoolTimeout, asyncpg.PostgresError, asyncpg.InterfaceError, OSError)
"""What a statement can end in. While a connection is made, errors of asyncpg come bare: SQLAlchemy wraps only later."""

AWAY = Problem(
    type="/problems/database-away",
    title="Tickets cannot be read now",
    status=503,
    detail="The database does not answer. Nothing is lost; try again.",
)

_TRANSIENT = ("08", "53", "57")
"""SQLSTATE classes of a connection lost, resources exhausted, and a server that is stopping or starting."""


def install_database_handlers(app: FastAPI) -> None:
    """Answer 503 while the database is away; any other error of it is a fault of ours and passes."""
    for failure in DATABASE_FAILURES:
        app.add_exception_handler(failure, _database_away)


async def _database_away(request: Request, error: Exception) -> Response:
    if not is_away(error):
        raise error
    raw = problem_response(AWAY, instance=request.url.path, headers=[("Retry-After", "2")])
    response = Response(raw.body, raw.status)
    response.raw_headers = raw.headers
    return response


def is_away(error: Exception) -> bool:
    """Whether trying again later can help. An error without a state comes from the driver: the connection broke."""
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, ValueError) or isinstance(getattr(cause, "__cause__", None), ValueError):
        return False  # asyncpg could not encode an argument: nothing was sent
    state: str | None = getattr(cause, "sqlstate", None)
    return state is None or state[:2] in _TRANSIENT
