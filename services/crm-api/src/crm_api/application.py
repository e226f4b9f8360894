"""The FastAPI application around given parts."""

from fastapi import FastAPI, Request, Response
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from crm_api.body_limit import BodyLimit
from crm_api.parts import Parts
from crm_api.routes import router
from service_kit.problem_handlers import install_problem_handlers
from service_kit.problems import Problem, problem_response

AWAY = Problem(
    type="/problems/database-away",
    title="Tickets cannot be read now",
    status=503,
    detail="The database does not answer. Nothing is lost; try again.",
)


def build_application(parts: Parts | None) -> FastAPI:
    """Return the application; without parts it only knows its own description."""
    app = FastAPI(
        title="Firebreak CRM API",
        version="1.0.0",
        description="Tickets, their history, their SLA clocks, and the commands that change them.",
        docs_url=None,  # Swagger UI would load its pages from a CDN
        redoc_url=None,
        openapi_url="/v1/openapi.json",
    )
    app.state.parts = parts
    app.include_router(router)
    for failure in (OperationalError, DBAPIError, PoolTimeout, OSError):
        app.add_exception_handler(failure, _database_away)
    install_problem_handlers(app)
    app.add_middleware(BodyLimit)
    return app


async def _database_away(request: Request, error: Exception) -> Response:
    if isinstance(error, DBAPIError) and not isinstance(error, OperationalError) and not _is_connection_loss(error):
        raise error
    raw = problem_response(AWAY, instance=request.url.path, headers=[("Retry-After", "2")])
    response = Response(raw.body, raw.status)
    response.raw_headers = raw.headers
    return response


def _is_connection_loss(error: DBAPIError) -> bool:
    """SQLSTATE classes 08 and 57 and driver errors without a state: the server went away or is starting."""
    state = getattr(error.orig, "sqlstate", None)
    return error.connection_invalidated or state is None or state[:2] in ("08", "53", "57")
