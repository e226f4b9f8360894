"""Under a steady load everything dies at random moments, and every input still has exactly one effect."""

import asyncio
import gc
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from random import Random

import pytest
import pytest_asyncio

from tests.faults.conftest import Report
from tests.support.alarm_exactness import Targets
from tests.support.commit_cutter import Cut
from tests.support.deployment_files import fast_policy
from tests.support.kept_part import KeptPart, wait_until
from tests.support.kill_plan import SEED_VARIABLE, Planned, chosen_seed, draw_plan
from tests.support.ledger import Ledger
from tests.support.metric_watch import MetricWatch
from tests.support.stack import Stack, running_stack
from tests.support.steady_load import SteadyLoad
from tests.support.verdict import Verdict, reach_verdict

TARGETS = Targets(first_response=12, resolution=30)
LOAD_SECONDS = 115.0
RESTART_SECONDS = 120.0  # generous: one that dies while both servers are away
CALM_BEFORE = 4.0  # seconds of load without a fault, at both ends
# How often each dies. The second processes of router and engine, there for the middle third, die by their first's name.
KILLS = {"router": 5, "sla-engine": 5, "ingest-webhook": 3, "ingest-email": 3, "kafka": 3, "postgres": 4}
# These die while a request of several conversations is under way, so that some of it is in the log and some is not.
AMID_A_REQUEST = ("ingest-webhook", "kafka")
REQUEST_WITHIN, REQUEST_LASTS = 3.0, 0.05  # seconds
CUTS = {Cut.ANSWER_LOST: 5, Cut.COMMIT_LOST: 3}
COUNTERS = (
    "firebreak_stream_fenced",
    "firebreak_stream_republished",
    "firebreak_stream_commits_unanswered",
    "firebreak_stream_takeovers",
    "firebreak_stream_retries",
)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stack() -> AsyncIterator[Stack]:
    async with running_stack([fast_policy(TARGETS.first_response, TARGETS.resolution)]) as stack:
        yield stack


@dataclass
class Disaster:
    """Carries out a plan. `kills` counts the processes that died, by label."""

    stack: Stack
    random: Random
    request_begins: asyncio.Event
    kills: Counter[str] = field(default_factory=Counter)

    async def strike(self, plan: list[Planned]) -> None:
        """Let each fault happen at its moment; none waits for the recovery from another."""
        began = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for planned in plan:
                await asyncio.sleep(began + planned.at - time.monotonic())
                group.create_task(self._happen(planned.what))

    async def _happen(self, what: str) -> None:
        if what in KILLS:
            await self._kill_one_of(what)
        else:
            self.stack.cutter.cut_next(Cut(what))

    async def _kill_one_of(self, service: str) -> None:
        """Where all are dead already, one dies again as soon as it lives."""
        some_live = partial(self._some_live, service)
        await wait_until(some_live, RESTART_SECONDS, f"{service} runs again")
        if service in AMID_A_REQUEST:
            await self._reach_into_a_request()
            await wait_until(some_live, RESTART_SECONDS, f"{service} runs again")  # another may have killed it
        victim = self.random.choice(self._alive(service))
        await victim.kill()
        self.kills[victim.label] += 1

    async def _reach_into_a_request(self) -> None:
        with suppress(TimeoutError):  # it is late, and nobody writes any more
            await asyncio.wait_for(self.request_begins.wait(), REQUEST_WITHIN)
            await asyncio.sleep(self.random.random() * REQUEST_LASTS)

    async def _some_live(self, service: str) -> bool:
        return bool(self._alive(service))

    def _alive(self, service: str) -> list[KeptPart]:
        return [part for part in self.stack.of(service) if part.is_up]


async def run_second_processes(stack: Stack, seconds: float) -> None:
    """A second router and a second engine join for the middle third of the time, and leave in order."""
    await asyncio.sleep(seconds / 3)
    second = [stack.add(name, f"{name}-2") for name in ("router", "sla-engine")]
    await asyncio.gather(*(part.start() for part in second))
    await asyncio.sleep(seconds / 3)
    for part in second:
        del stack.parts[part.label]  # nobody kills what is leaving
    await asyncio.gather(*(part.stop() for part in second))


# A sender whose time is up while it connects leaves its socket to the collector; services are other processes.
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
@pytest.mark.timeout(420)  # the run itself is held to four minutes; a slower machine should fail by what it finds
async def test_every_acknowledged_input_has_exactly_one_effect(stack: Stack, report: Report) -> None:
    seed = chosen_seed()
    random, ledger, began = Random(seed), Ledger(), time.monotonic()
    times = KILLS | {cut.value: often for cut, often in CUTS.items()}
    plan = draw_plan(random, times, CALM_BEFORE, LOAD_SECONDS - CALM_BEFORE)
    load = SteadyLoad(stack, ledger, Random(random.random()), f"s{seed}")
    disaster, watch = Disaster(stack, random, load.request_begins), MetricWatch(stack, COUNTERS)
    watching = asyncio.create_task(watch.run())
    verdict: Verdict | None = None
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(load.run(LOAD_SECONDS))
            group.create_task(disaster.strike(plan))
            group.create_task(run_second_processes(stack, LOAD_SECONDS))
        verdict = await reach_verdict(stack, ledger, TARGETS, timers_within=TARGETS.resolution)
    finally:
        watching.cancel()
        gc.collect()  # what senders left is found here, where it is allowed
        report(
            [
                f"seed: {seed} ({SEED_VARIABLE}={seed} repeats the plan), {time.monotonic() - began:.0f} s",
                *(verdict.lines() if verdict else ["no verdict was reached"]),
                f"killed: {disaster.kills.total()}, {dict(disaster.kills)}",
                f"ended by themselves: { {part.label: part.ends for part in stack.parts.values() if part.ends} }",
                f"connections cut at COMMIT: { {cut.value: times for cut, times in stack.cutter.done.items()} }",
                *(f"{name.removeprefix('firebreak_stream_')}: at least {watch.total(name)}" for name in COUNTERS),
            ]
        )
    verdict.require_exactness()
    assert not load.failures, load.failures
    assert disaster.kills.total() >= 20
    assert stack.cutter.done == CUTS
