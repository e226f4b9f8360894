"""W3C Trace Context (https://www.w3.org/TR/trace-context/), by hand: forty lines against a dependency.

Every event carries `traceparent`, so one id leads from the webhook to the alert. The trace id that is current is added
to each log line. Exporting spans is not part of this.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from random import randbytes
from typing import NamedTuple

from starlette.types import ASGIApp, Receive, Scope, Send

RandomBytes = Callable[[int], bytes]
"""By default of Python's generator, as OpenTelemetry's: an id is no secret, and to ask the kernel for each takes a
tenth of a webhook's time."""

# Of the flags only `sampled` is passed on; the others' meaning is not known to this version.
SAMPLED = 0x01
# §3.2.1: version 00 has exactly these four fields; a later version may append more, after another dash.
_TRACEPARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.DOTALL)
_INVALID_VERSION = "ff"

_current: ContextVar["TraceContext | None"] = ContextVar("current_trace", default=None)


class TraceContext(NamedTuple):
    """A tuple, because one is made for each request and a frozen dataclass costs several times as much."""

    trace_id: str  # 32 lower-case hex digits, not all zero
    span_id: str  # 16 lower-case hex digits, not all zero
    flags: int = SAMPLED

    @property
    def traceparent(self) -> str:
        return f"00-{self.trace_id}-{self.span_id}-{self.flags:02x}"

    def child(self, random_bytes: RandomBytes = randbytes) -> "TraceContext":
        """The next step of the same trace."""
        return TraceContext(self.trace_id, _random_hex(8, random_bytes), self.flags)


def new_trace(random_bytes: RandomBytes = randbytes) -> TraceContext:
    drawn = _random_hex(24, random_bytes)
    return TraceContext(drawn[:32], drawn[32:])


def parse_traceparent(header: str) -> TraceContext | None:
    """None when the header breaks the standard: then, says §3.2.2, a new trace starts and nothing fails."""
    match = _TRACEPARENT.fullmatch(header)
    if match is None:
        return None
    version, trace_id, span_id, flags, rest = match.groups()
    if version == _INVALID_VERSION or (version == "00" and rest is not None):
        return None
    if not int(trace_id, 16) or not int(span_id, 16):
        return None
    return TraceContext(trace_id, span_id, int(flags, 16) & SAMPLED)


def continue_trace(traceparent: str | None, random_bytes: RandomBytes = randbytes) -> TraceContext:
    """The step of this process: a child of the caller's when it sent a valid header, else the start of a trace."""
    parent = parse_traceparent(traceparent) if traceparent else None
    return parent.child(random_bytes) if parent is not None else new_trace(random_bytes)


def current_trace() -> TraceContext | None:
    return _current.get()


def bind_trace(trace: TraceContext) -> None:
    """Make `trace` the current one for the rest of this task: for servers, which run each request in a task."""
    _current.set(trace)


@contextmanager
def bound_trace(trace: TraceContext) -> Iterator[TraceContext]:
    """Make `trace` the current one, for this task and those it starts, until the block ends."""
    token = _current.set(trace)
    try:
        yield trace
    finally:
        _current.reset(token)


def traced(app: ASGIApp, random_bytes: RandomBytes = randbytes) -> ASGIApp:
    """Wrap an ASGI app so that each HTTP request runs inside the trace of its `traceparent` header, or a new one."""

    async def app_in_trace(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        # §3.2: a header sent twice is invalid, as if it were not there.
        received = [value for name, value in scope["headers"] if name == b"traceparent"]
        header = received[0].decode("latin-1") if len(received) == 1 else None
        with bound_trace(continue_trace(header, random_bytes)):
            await app(scope, receive, send)

    return app_in_trace


def _random_hex(size: int, random_bytes: RandomBytes) -> str:
    """All zeros means "invalid" in the standard; the chance is nil, a broken random source is not."""
    value = random_bytes(size)
    if not any(value):
        raise ValueError("the random source returned only zeros")
    return value.hex()
