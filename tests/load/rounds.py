"""Two loads in turns: limit, ours, limit, ours, so that whatever else this machine does falls on both."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean

from tests.load.load_process import LoadProcess
from tests.load.processes import ProcessWatch, Usage
from tests.load.steered_load import Lap

ROUNDS = 3
WARM_UP_SECONDS = 1.0  # code paths, connections and the broker's compiler


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """One of the two; `pids` are the processes at work."""

    load: LoadProcess
    pids: Mapping[str, int]
    refusals_allowed: float = 0.0


@dataclass(frozen=True, slots=True)
class Result:
    """Mean rate over the rounds, and the usages of the last one."""

    rate: float
    usages: Mapping[str, Usage]
    laps: tuple[Lap, ...]


async def alternate(limit: Side, ours: Side, seconds: float) -> tuple[Result, Result]:
    """Run both sides in turns; returns the limit's result, then ours."""
    results: dict[int, list[tuple[Lap, Mapping[str, Usage]]]] = {0: [], 1: []}
    for side in (limit, ours):
        await run_lap(side, WARM_UP_SECONDS)
    for _ in range(ROUNDS):
        for index, side in enumerate((limit, ours)):
            results[index].append(await run_lap(side, seconds))
    found = [
        Result(fmean(lap.rate for lap, _ in laps), laps[-1][1], tuple(lap for lap, _ in laps))
        for laps in results.values()
    ]
    return found[0], found[1]


async def run_lap(side: Side, seconds: float) -> tuple[Lap, Mapping[str, Usage]]:
    """One lap as fast as the other side answers."""
    watch = ProcessWatch({**side.pids, "load generator": side.load.pid})
    await side.load.go()
    await asyncio.sleep(seconds)
    usages = watch.usages()
    lap = await side.load.pause(refusals_allowed=side.refusals_allowed)
    return lap, usages
