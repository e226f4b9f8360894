"""Resident memory of a stack's processes over time: samples, and whether they grow."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import psutil

from tests.load.processes import MEBIBYTE, memory_mb

SERVERS = ("kafka", "postgres")
"""Not ours. PostgreSQL's processes share their buffers, so that only proportional set sizes can be summed."""
FLAT_MIB_PER_HOUR = 4.0
"""The bound. At this slope a service that began with 100 MiB has two days until it stands at 300 MiB, with a memory
limit of which Kubernetes would end it; caches and the heap of an allocator level off below it within half an hour."""
ONE_STEP_MIB = 1.5
"""Growth over the whole second half that is no trend: Python's allocator takes memory in arenas of 1 MiB."""


@dataclass(frozen=True, slots=True)
class Trend:
    """MiB at the first, middle and last sample; MiB/h by least squares over all of them and over the second half."""

    start: float
    middle: float
    end: float
    slope: float
    late_slope: float
    late_growth: float

    @property
    def is_flat(self) -> bool:
        """Whether the second half stays under the bound, or grew by no more than one step of the allocator."""
        return self.late_slope <= FLAT_MIB_PER_HOUR or self.late_growth <= ONE_STEP_MIB


@dataclass
class MemorySamples:
    """By process: moments in seconds and MiB. `restarted` names those that were started anew meanwhile."""

    by_process: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    restarted: set[str] = field(default_factory=set)
    _pids: dict[str, int] = field(default_factory=dict)

    def take(self, pids: Mapping[str, int], moment: float) -> Mapping[str, float]:
        """Add one sample of each process, the workers of one apart from it; returns them."""
        found: dict[str, float] = {}
        for name, pid in pids.items():
            if self._pids.setdefault(name, pid) != pid:
                self.restarted.add(name)
            found |= {name: memory_mb(pid)} if name in SERVERS else _resident(name, pid)
        for name, mebibytes in found.items():
            self.by_process.setdefault(name, []).append((moment, mebibytes))
        return found

    def trends(self) -> dict[str, Trend]:
        return {name: trend(samples) for name, samples in self.by_process.items()}


def trend(samples: Sequence[tuple[float, float]]) -> Trend:
    """Read samples of (seconds, MiB), at least two of them."""
    late = samples[len(samples) // 2 :] if len(samples) > 3 else samples
    late_slope = slope_per_hour(late)
    return Trend(
        samples[0][1],
        samples[len(samples) // 2][1],
        samples[-1][1],
        slope_per_hour(samples),
        late_slope,
        late_slope * (late[-1][0] - late[0][0]) / 3600,
    )


def slope_per_hour(samples: Sequence[tuple[float, float]]) -> float:
    """The slope of the least-squares line through (seconds, MiB), in MiB/h."""
    count = len(samples)
    mean_time, mean = (sum(values) / count for values in zip(*samples, strict=True))
    spread = sum((moment - mean_time) ** 2 for moment, _ in samples)
    together = sum((moment - mean_time) * (value - mean) for moment, value in samples)
    return 3600 * together / spread if spread else 0.0


def _resident(name: str, pid: int) -> dict[str, float]:
    try:
        process = psutil.Process(pid)
        own = {name: process.memory_info().rss / MEBIBYTE}
        workers = sum(child.memory_info().rss for child in process.children(recursive=True))
    except psutil.NoSuchProcess:  # it ended, and is being started again
        return {}
    return own | ({f"{name} workers": workers / MEBIBYTE} if workers else {})
