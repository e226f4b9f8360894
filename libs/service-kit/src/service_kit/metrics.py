"""What every process measures about itself. Names start with `firebreak_`, units are seconds and bytes.

Registries are made by wiring and passed on; nothing registers at import time.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from importlib.metadata import version
from platform import python_version

from prometheus_client import CollectorRegistry, Gauge, Info, ProcessCollector, disable_created_metrics
from prometheus_client.gc_collector import GCCollector

# One sample a second costs nothing; fifteen cover the usual interval between two scrapes, so no peak is missed.
LAG_INTERVAL_SECONDS = 1.0
LAG_SAMPLES = 15


def new_registry(service: str) -> CollectorRegistry:
    """The registry of a process, with its memory, CPU, garbage collection and version. `service` is a distribution."""
    # A time stamp beside each counter doubles the exposition, and nothing reads it.
    disable_created_metrics()  # type: ignore[no-untyped-call]  # not annotated in the library
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    GCCollector(registry=registry)
    build = Info("firebreak_build", "What runs here", registry=registry)
    build.info({"service": service, "version": version(service), "python": python_version()})
    return registry


class EventLoopLag:
    """How late the loop serves a timer: everything the process does is late by as much."""

    def __init__(self, registry: CollectorRegistry, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._recent: deque[float] = deque(maxlen=LAG_SAMPLES)
        self._gauge = Gauge(
            "firebreak_event_loop_lag_seconds",
            f"Largest delay of a timer among the last {LAG_SAMPLES} samples, one a second",
            registry=registry,
        )

    async def sample_forever(self, interval_seconds: float = LAG_INTERVAL_SECONDS) -> None:
        """Run this in the supervisor."""
        while True:
            due = self._clock() + interval_seconds
            await asyncio.sleep(interval_seconds)
            self.record(self._clock() - due)

    def record(self, lag_seconds: float) -> None:
        self._recent.append(max(0.0, lag_seconds))
        self._gauge.set(max(self._recent))
