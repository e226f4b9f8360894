"""The life of a service process, from the first part that starts to the exit code.

    def main() -> None:
        settings = load_settings(RouterSettings)
        configure_logging("router", settings.log_level, settings.log_format)
        run_service("router", settings, wiring)

`wiring(settings, supervisor)` is an async context manager that enters the parts in start-up order; leaving it stops
them in reverse. Exit codes: 0 after SIGTERM or SIGINT, 1 when a part failed, 70 when the stop hung, 78 when settings or
surroundings have to be changed first.
"""

import asyncio
import faulthandler
import gc
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import NoReturn, TypeVar

import structlog
import uvloop

from service_kit.hung_tasks import describe_pending
from service_kit.settings import ServiceSettings
from service_kit.start_error import StartError
from service_kit.supervisor import Supervisor

SettingsT = TypeVar("SettingsT", bound=ServiceSettings)
Wiring = Callable[[SettingsT, Supervisor], AbstractAsyncContextManager[None]]

EXIT_FAILED = 1
EXIT_HUNG = os.EX_SOFTWARE
# How long the report of a hung stop may itself take (a full pipe on stdout blocks it) before the C watchdog ends us.
REPORT_SECONDS = 2

# Allocations between two looks of the garbage collector. A batch of 500 messages makes some 20,000 objects that live
# until it is written; by Python's default (700) the collector walks them again and again, for a fifth of the time.
COLLECT_AFTER = (50_000, 20, 100)

log = structlog.get_logger(__name__)


def run_service(service: str, settings: SettingsT, wiring: Wiring[SettingsT]) -> NoReturn:
    """Run until a signal or a failure, then leave the process; never returns."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        exit_code = runner.run(_live(service, settings, wiring))
    sys.exit(exit_code)


async def _live(service: str, settings: SettingsT, wiring: Wiring[SettingsT]) -> int:
    supervisor = Supervisor()
    _stop_on_signals(supervisor)
    may_stop = asyncio.Event()
    parts = wiring(settings, supervisor)
    life = asyncio.create_task(_life(parts, supervisor.started, may_stop), name=f"{service} wiring")
    stop_requested = asyncio.create_task(supervisor.stopping.wait(), name="wait for stop")
    await asyncio.wait({life, stop_requested}, return_when=asyncio.FIRST_COMPLETED)
    stop_requested.cancel()
    stop_began = time.monotonic()
    if supervisor.stop_reason is not None:
        log.info("stopping", reason=supervisor.stop_reason, bound_seconds=settings.stop_seconds)
    _bound_the_stop(asyncio.get_running_loop(), settings.stop_seconds)
    may_stop.set()  # only now, or a part that blocks the loop would do so before anybody keeps the time
    if not supervisor.started.is_set():
        life.cancel()  # a start may wait for Kafka without an end
    await asyncio.wait({life})
    exit_code = _exit_code(life, supervisor)
    log.info("stopped", exit_code=exit_code, seconds=round(time.monotonic() - stop_began, 3))
    return exit_code


async def _life(parts: AbstractAsyncContextManager[None], started: asyncio.Event, may_stop: asyncio.Event) -> None:
    async with parts:
        started.set()
        gc.freeze()  # what is loaded by now stays for good
        gc.set_threshold(*COLLECT_AFTER)
        log.info("started", pid=os.getpid())
        await may_stop.wait()


def _stop_on_signals(supervisor: Supervisor) -> None:
    """A second signal changes nothing: Ctrl-C reaches a child directly and again through its launcher."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, supervisor.request_stop, number.name)


def _exit_code(life: asyncio.Task[None], supervisor: Supervisor) -> int:
    if life.cancelled():
        # Our own cancellation of a start is a stop like any other. A stray one out of a client's stop() is not
        # (aiokafka raises it when its broker is gone), but by then there was nothing left to do.
        log.warning("start or stop was cut short", reason=supervisor.stop_reason)
    elif isinstance(error := life.exception(), StartError):
        log.critical("cannot start", reason=error.reason, fix=error.fix)
        return error.exit_code
    elif error is not None:
        log.critical("start or stop failed", exc_info=error)
        return EXIT_FAILED
    return EXIT_FAILED if supervisor.failure is not None or supervisor.stop_reason is None else 0


def _bound_the_stop(loop: asyncio.AbstractEventLoop, seconds: float) -> None:
    """From here on the process ends within `seconds`, whatever hangs: a client's stop, a thread, the loop itself.

    A thread keeps the time, because a blocked loop cannot; it covers the interpreter's own exit too.
    """
    timer = threading.Timer(seconds, _leave_hung, (loop, seconds))
    timer.name, timer.daemon = "stop bound", True
    timer.start()
    faulthandler.dump_traceback_later(seconds + REPORT_SECONDS, exit=True)


def _leave_hung(loop: asyncio.AbstractEventLoop, seconds: float) -> NoReturn:
    try:
        log.critical("stop hung", bound_seconds=seconds, exit_code=EXIT_HUNG, **describe_pending(loop))
        sys.stdout.flush()
    finally:
        os._exit(EXIT_HUNG)
