"""CPU and memory of the processes of a stack while something is measured."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

import psutil

MEBIBYTE = 1024 * 1024
THIS = "this bench"
# The rest of the machine. Figures taken while it is more than a little say nothing about us, nor do their ratios:
# a chain of processes suffers more from a busy machine than a single one.
OTHERS = "all else here"


@dataclass(frozen=True, slots=True)
class Usage:
    """`cores` is CPU time by wall time: 1.0 is one core, busy all the time. Children count with their parent."""

    cores: float
    memory_mb: float


class ProcessWatch:
    """From its making to `usages()`. A process that starts or ends meanwhile counts for what was seen of it."""

    def __init__(self, pids: Mapping[str, int]) -> None:
        self._pids = pids
        self._began = time.monotonic()
        self._before = self._spent()
        self._busy_before = _busy_seconds()

    def usages(self) -> dict[str, Usage]:
        """What each process used, this one and all others of the machine as well."""
        seconds = time.monotonic() - self._began
        spent = {name: max(0.0, after - self._before[name]) for name, after in self._spent().items()}
        others = _busy_seconds() - self._busy_before - sum(spent.values())
        usages = {name: Usage(spent[name] / seconds, memory_mb(pid)) for name, pid in self._pids.items()}
        usages[THIS] = Usage(spent[THIS] / seconds, _proportional(psutil.Process()) / MEBIBYTE)
        usages[OTHERS] = Usage(max(0.0, others) / seconds, 0.0)
        return usages

    def _spent(self) -> dict[str, float]:
        families = {name: sum(map(_own_seconds, _family(pid))) for name, pid in self._pids.items()}
        return {**families, THIS: _own_seconds(psutil.Process())}


def memory_mb(pid: int) -> float:
    """Proportional set size: pages that several processes share (PostgreSQL's buffers) count once in a sum."""
    return sum(map(_proportional, _family(pid))) / MEBIBYTE


def _family(pid: int) -> list[psutil.Process]:
    try:
        parent = psutil.Process(pid)
        return [parent, *parent.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _own_seconds(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system)


def _busy_seconds() -> float:
    times = psutil.cpu_times()
    return float(sum(times) - times.idle - getattr(times, "iowait", 0.0))


def _proportional(process: psutil.Process) -> int:
    try:
        info = process.memory_full_info()
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return 0
    return int(getattr(info, "pss", info.rss))
