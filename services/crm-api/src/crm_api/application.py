"""The FastAPI application around given parts, and the limits around the application."""

from collections.abc import Callable

from fastapi import FastAPI
from starlette.types import ASGIApp

from crm_api import configuration_routes, roll_out_routes
from crm_api.body_limit import BodyLimit
from crm_api.database_failures import install_database_handlers
from crm_api.metrics import Metrics
from crm_api.parts import Parts
from crm_api.request_limits import Admission, AnswerLimit, RequestLimits
from crm_api.routes import router
from service_kit.problem_handlers import install_problem_handlers


def build_application(parts: Parts | None) -> FastAPI:
    """Return the application; without parts it only knows its own description."""
    app = FastAPI(
        title="Firebreak CRM API",
        version="1.0.0",
        description="Tickets, their history, their SLA clocks, the commands that change them, and the configuration.",
        docs_url=None,  # Swagger UI would load its pages from a CDN
        redoc_url=None,
        openapi_url="/v1/openapi.json",
        redirect_slashes=False,  # its redirect would send the caller, key and all, to whatever the Host header says
    )
    app.state.parts = parts
    for each in (router, configuration_routes.router, roll_out_routes.router):
        app.include_router(each)
    install_database_handlers(app)
    install_problem_handlers(app)
    return app


def limited(app: ASGIApp, limits: RequestLimits, metrics: Metrics, monotonic: Callable[[], float]) -> ASGIApp:
    """Put the limits around the application, the cheapest refusal outermost."""
    inner = BodyLimit(AnswerLimit(app, limits.answer_seconds), limits.body_seconds)
    return Admission(inner, limits.in_flight, metrics, monotonic)
