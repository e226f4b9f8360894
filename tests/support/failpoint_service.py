"""A streaming service with a fault at a failpoint: `python -m tests.support.failpoint_service router`.

The service's own wiring runs with a call at one point that, at its n-th hit, kills or freezes the process from within:
nothing after that line happens, which no signal from outside could promise. It strikes once; the file that records
the hit keeps the next process alive.
"""

import os
import signal
import sys
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

from pydantic import Field

from service_kit.life_cycle import run_service
from service_kit.log_setup import configure_logging
from service_kit.settings import EnvironmentSettings, load_settings
from sla_engine.settings import SlaEngineSettings
from sla_engine.wiring import wiring as engine_wiring
from ticket_router.settings import RouterSettings
from ticket_router.wiring import wiring as router_wiring
from ticket_stream.failpoints import Failpoint, Failpoints


class FailpointSettings(EnvironmentSettings):
    """What goes wrong, and when."""

    failpoint: Failpoint = Field(description="where")
    failpoint_hit: int = Field(ge=1, description="strikes at this hit")
    failpoint_signal: int = Field(signal.SIGKILL, description="SIGKILL or SIGSTOP, sent by the process to itself")
    failpoint_record: Path = Field(description="file that is written just before")


def strike_at(settings: FailpointSettings) -> Callable[[], Awaitable[None]]:
    """Return the call for the failpoint."""
    hits = 0

    async def reached() -> None:
        nonlocal hits
        hits += 1
        if hits == settings.failpoint_hit and not settings.failpoint_record.exists():
            settings.failpoint_record.write_text(f"{settings.failpoint} {os.getpid()}", encoding="utf-8")
            os.kill(os.getpid(), settings.failpoint_signal)

    return reached


def main() -> None:
    """Run the service named by the only argument."""
    fault = load_settings(FailpointSettings)
    failpoints = Failpoints({fault.failpoint: strike_at(fault)})
    service = sys.argv[1]
    if service == "router":
        router = load_settings(RouterSettings)
        configure_logging(service, router.log_level, router.log_format)
        run_service(service, router, partial(router_wiring, failpoints=failpoints))
    engine = load_settings(SlaEngineSettings)
    configure_logging(service, engine.log_level, engine.log_format)
    run_service(service, engine, partial(engine_wiring, failpoints=failpoints))


if __name__ == "__main__":
    main()
