"""What crm-api counts. Labels are routes and status codes, never what a caller sent."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from starlette.types import Scope

# From a read of one row to a command that waits for its whole patience.
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

NO_ROUTE = "unknown"
"""The label of requests to an address that does not exist, or that were refused before it was looked at."""

ABANDONED = 0
"""The status of a request whose caller left before an answer began."""


class Metrics:
    """Made once by wiring."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._requests = Counter(
            "firebreak_api_requests_total", "Requests by route and status", ("route", "status"), registry=registry
        )
        self._seconds = Histogram(
            "firebreak_api_seconds", "From the end of the head to the answer", registry=registry, buckets=_SECONDS
        )
        self.in_flight = Gauge("firebreak_api_in_flight", "Requests being answered", registry=registry)
        self.waiting = Gauge(
            "firebreak_api_commands_waiting", "Commands whose callers wait for an outcome", registry=registry
        )

    def count(self, scope: Scope, status: int, seconds: float) -> None:
        """Record one request at its end; FastAPI has put the route into the scope."""
        route = getattr(scope.get("route"), "path", NO_ROUTE)  # the template, not the path asked for
        self._requests.labels(route, status).inc()
        self._seconds.observe(seconds)
