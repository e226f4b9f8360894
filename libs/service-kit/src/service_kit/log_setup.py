"""One line of JSON for each event on stdout, from our code and from every library alike.

The names of the fields are part of what operators rely on: `timestamp` (UTC, ISO 8601), `level`, `service`, `logger`,
`event`, `trace_id` (inside a traced request or record), `exception` (a list, outermost last), then what the event adds.
"""

import logging
import sys

import structlog
from structlog.tracebacks import ExceptionDictTransformer
from structlog.typing import EventDict, Processor, WrappedLogger

from service_kit.redaction import redact
from service_kit.settings import LogFormat, LogLevel
from service_kit.tracing import current_trace

# At `info` these report each connection or request; their warnings still come through.
CHATTY_LIBRARIES = ("aiokafka", "asyncio", "httpcore", "httpx", "mail.log", "uvicorn")


def configure_logging(service: str, level: LogLevel = "info", log_format: LogFormat = "json") -> None:
    """Route structlog, the standard library's loggers and Python's warnings through one handler on stdout."""

    def add_service(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
        event["service"] = service
        return event

    shared: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        add_service,
        _add_trace_id,
    ]
    threshold = getattr(logging, level.upper())
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(threshold),  # drops what is below at the price of a call
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=_rendering(log_format))
    )
    logging.basicConfig(handlers=[handler], level=threshold, force=True)
    for name in CHATTY_LIBRARIES:
        logging.getLogger(name).setLevel(logging.DEBUG if level == "debug" else max(threshold, logging.WARNING))
    logging.captureWarnings(True)


def _rendering(log_format: LogFormat) -> list[Processor]:
    cleaning: list[Processor] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta, _redact_event]
    # In both formats without the locals of each frame (structlog's default shows them): they hold passwords and bodies.
    if log_format == "console":
        plain = structlog.dev.plain_traceback
        return [*cleaning, structlog.dev.ConsoleRenderer(colors=sys.stdout.isatty(), exception_formatter=plain)]
    structured = structlog.processors.ExceptionRenderer(ExceptionDictTransformer(show_locals=False))
    return [cleaning[0], structured, cleaning[1], structlog.processors.JSONRenderer(ensure_ascii=False)]


def _add_trace_id(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    trace = current_trace()
    if trace is not None:
        event["trace_id"] = trace.trace_id
    return event


def _redact_event(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    # `exc_info` still holds live objects in the console format; its renderer needs them as they are.
    exc_info = event.pop("exc_info", None)
    clean: EventDict = redact(event)
    return clean if exc_info is None else {**clean, "exc_info": exc_info}
