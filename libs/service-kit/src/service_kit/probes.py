"""/live, /ready and /metrics, the same for every process.

/live answers when the event loop runs: a blocked loop cannot, and that is the test. /ready is 200 only when the process
has started as a whole and every registered check passes, else 503 with the reason of each, so that nobody has to guess
what a pod is waiting for.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from starlette.types import ASGIApp, Receive, Scope, Send

from service_kit.asgi import RawResponse, raw_response
from service_kit.redaction import redact_text

# None when ready, else the reason why not, in words for an operator.
Check = Callable[[], Awaitable[str | None]]

# Shorter than the 1 s that Kubernetes gives a probe by default, so that the reason still gets out.
CHECK_SECONDS = 0.8

_LIVE = raw_response(200, "application/json", b'{"status":"live"}')
_NOT_FOUND = raw_response(404, "application/json", b'{"status":"not found"}')
_GET_ONLY = raw_response(405, "application/json", b'{"status":"method not allowed"}', [("allow", "GET, HEAD")])


class ReadinessFlag:
    """A check that some part of the process sets itself, e.g. "partitions are assigned"."""

    def __init__(self, reason: str = "not started yet") -> None:
        self._reason: str | None = reason

    def set_ready(self) -> None:
        self._reason = None

    def set_unready(self, reason: str) -> None:
        self._reason = reason

    async def check(self) -> str | None:
        return self._reason


class Readiness:
    """The checks of one process. Names are unique; a process that has started and has no other checks is ready.

    :param started: set once every part has started (`Supervisor.started`). The probes answer long before that, and the
        checks of parts that come later are not among the others yet.
    """

    def __init__(self, started: asyncio.Event, check_seconds: float = CHECK_SECONDS) -> None:
        self._started = started
        self._checks: dict[str, Check] = {"start": self._start}
        self._check_seconds = check_seconds

    def add(self, name: str, check: Check) -> None:
        if name in self._checks:
            raise ValueError(f"there already is a readiness check named {name}")
        self._checks[name] = check

    def add_flag(self, name: str, reason: str = "not started yet") -> ReadinessFlag:
        flag = ReadinessFlag(reason)
        self.add(name, flag.check)
        return flag

    async def report(self) -> dict[str, str | None]:
        """For each check None or the reason; all run at once, each within its time."""
        reasons = await asyncio.gather(*map(self._reason, self._checks.values()))
        return dict(zip(self._checks, reasons, strict=True))

    async def _start(self) -> str | None:
        return None if self._started.is_set() else "its parts are still starting"

    async def _reason(self, check: Check) -> str | None:
        try:
            async with asyncio.timeout(self._check_seconds):
                return await check()
        except TimeoutError:
            return f"no answer within {self._check_seconds} s"
        except Exception as error:  # noqa: BLE001 - a check that raises is an unready part, reported by name
            return redact_text(f"{type(error).__name__}: {error}")


class Probes:
    """The ASGI app that answers the three paths and 404 to anything else."""

    def __init__(self, readiness: Readiness, registry: CollectorRegistry) -> None:
        self._readiness = readiness
        self._registry = registry
        self.answers: dict[str, Callable[[Scope], Awaitable[RawResponse]]] = {
            "/live": self._live,
            "/ready": self._ready,
            "/metrics": self._metrics,
        }

    async def __call__(self, scope: Scope, _: Receive, send: Send) -> None:
        answer = self.answers.get(scope["path"])
        if answer is None:
            response = _NOT_FOUND
        elif scope["method"] not in {"GET", "HEAD"}:
            response = _GET_ONLY
        else:
            response = await answer(scope)
        await response.send(send)

    async def _live(self, _: Scope) -> RawResponse:
        return _LIVE

    async def _ready(self, _: Scope) -> RawResponse:
        report = await self._readiness.report()
        ready = not any(reason is not None for reason in report.values())
        checks = {name: {"ready": reason is None, "reason": reason} for name, reason in report.items()}
        body = json.dumps({"status": "ready" if ready else "not ready", "checks": checks}, ensure_ascii=False)
        return raw_response(200 if ready else 503, "application/json", body.encode())

    async def _metrics(self, scope: Scope) -> RawResponse:
        accept = dict(scope["headers"]).get(b"accept", b"").decode("latin-1")
        encode, content_type = choose_encoder(accept)
        return raw_response(200, content_type, encode(self._registry))


def with_probes(app: ASGIApp, probes: Probes) -> ASGIApp:
    """Put the probes in front of any ASGI app, FastAPI or bare, for one dictionary look-up a request.

    In front, so that neither authentication nor a concurrency limit of the app keeps Kubernetes out.
    """

    def app_with_probes(scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        probed = scope["type"] == "http" and scope["path"] in probes.answers
        return (probes if probed else app)(scope, receive, send)

    return app_with_probes
