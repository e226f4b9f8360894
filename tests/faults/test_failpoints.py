"""At each moment in which log and database disagree a process dies; whoever comes after finishes its work, once."""

import asyncio
import signal
from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from random import Random

import pytest
import pytest_asyncio

import tests
from tests.faults.conftest import Report
from tests.support.alarm_exactness import Targets
from tests.support.deployment_files import fast_policy
from tests.support.kept_part import KeptPart, wait_until
from tests.support.ledger import Ledger
from tests.support.metric_watch import MetricWatch
from tests.support.ownership import is_shared_by
from tests.support.stack import STREAMING, Stack, running_stack
from tests.support.steady_load import Rates, SteadyLoad
from tests.support.verdict import reach_verdict
from ticket_stream.failpoints import Failpoint

TARGETS = Targets(first_response=4, resolution=8)
RATES = Rates(webhooks=20, mails=2, commands=4)
LOAD_SECONDS = 3.0
HIT_SECONDS = 30.0  # within which a point must be reached; usual is the first second of load
# Which hit strikes. Take-overs: a process takes six partitions when it starts; it dies in the middle of them.
HITS = {Failpoint.TAKING_OVER: 3}
USUAL_HIT = 4
MOST_FREEZES = 8  # each fences with a probability of about a half
FENCED, REPUBLISHED = "firebreak_stream_fenced", "firebreak_stream_republished"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stack() -> AsyncIterator[Stack]:
    policy = fast_policy(TARGETS.first_response, TARGETS.resolution)
    async with running_stack([policy], services=("crm-api", "ingest-webhook", "ingest-email")) as stack:
        yield stack


@pytest.fixture(scope="module")
def ledger() -> Ledger:
    """One for all phases: each is judged with all that was before it."""
    return Ledger()


def failing(stack: Stack, service: str, point: Failpoint, number: signal.Signals) -> tuple[KeptPart, Path]:
    """A process of the service that strikes itself once, and the file that says so."""
    label = f"{service}-{point.name.lower()}-{number.name}"
    record = stack.layout.data_dir / f"{label}.hit"
    environment = {
        "FIREBREAK_FAILPOINT": point.value,
        "FIREBREAK_FAILPOINT_HIT": str(HITS.get(point, USUAL_HIT)),
        "FIREBREAK_FAILPOINT_SIGNAL": str(int(number)),
        "FIREBREAK_FAILPOINT_RECORD": str(record),
        "PYTHONPATH": str(Path(tests.__path__[0]).parent),
    }
    return stack.add(service, label, environment, ("tests.support.failpoint_service", service)), record


@pytest.mark.parametrize("point", list(Failpoint))
async def test_a_process_that_dies_there_leaves_nothing_undone_and_nothing_done_twice(
    stack: Stack, ledger: Ledger, report: Report, point: Failpoint
) -> None:
    struck = [failing(stack, service, point, signal.SIGKILL) for service in STREAMING]
    load = SteadyLoad(stack, ledger, Random(point.name), point.name, RATES)
    try:
        await asyncio.gather(*(part.start() for part, _ in struck))  # of a take-over: the one that was started again
        loading = asyncio.create_task(load.run(LOAD_SECONDS))  # a trickle: each transaction is a hit
        for part, record in struck:
            await wait_until(partial(_exists, record), HIT_SECONDS, f"{part.label} reaches {point}")
        await loading
        verdict = await reach_verdict(stack, ledger, TARGETS)
    finally:
        await asyncio.gather(*(part.stop() for part, _ in struck))
    report([*(record.read_text() for _, record in struck), *verdict.lines()])
    verdict.require_exactness()
    assert not load.failures, load.failures
    assert [len(part.ends) for part, _ in struck] == [1, 1]


async def test_a_process_that_freezes_after_its_commit_is_fenced_when_it_wakes(
    stack: Stack, ledger: Ledger, report: Report
) -> None:
    point = Failpoint.COMMITTED_NOT_PUBLISHED
    struck = [failing(stack, service, point, signal.SIGSTOP) for service in STREAMING]
    others = [stack.add(service, f"{service}-other") for service in STREAMING]
    load = SteadyLoad(stack, ledger, Random(1), "frozen", RATES)
    watch = MetricWatch(stack, (FENCED, REPUBLISHED))
    watching = asyncio.create_task(watch.run())
    try:
        await asyncio.gather(*(part.start() for part, _ in struck))
        loading = asyncio.create_task(load.run(3 * LOAD_SECONDS))
        for part, record in struck:
            await wait_until(partial(_exists, record), HIT_SECONDS, f"{part.label} freezes")
        await asyncio.gather(*(part.start() for part in others))
        await wake_when_replaced(stack, struck)
        await loading
        await freeze_until_fenced(stack, struck, watch, load)
        verdict = await reach_verdict(stack, ledger, TARGETS)
    finally:
        watching.cancel()
        for part, _ in struck:
            part.signal(signal.SIGCONT)  # a frozen process could not be stopped
        await asyncio.gather(*(part.stop() for part in (*others, *(part for part, _ in struck))))
    report([*verdict.lines(), f"fenced: {watch.total(FENCED)}, read back from the outbox: {watch.total(REPUBLISHED)}"])
    verdict.require_exactness()
    assert not load.failures, load.failures
    assert watch.total(FENCED) > 0
    assert verdict.world.republished > 0  # over all phases: the topics keep every repeat


async def wake_when_replaced(stack: Stack, frozen: list[tuple[KeptPart, Path]]) -> None:
    """Wake processes whose partitions have all gone to the others."""
    for service in STREAMING:
        await wait_until(partial(is_shared_by, stack, service, 1), HIT_SECONDS, f"{service} is taken over")
    for part, _ in frozen:
        part.signal(signal.SIGCONT)


async def freeze_until_fenced(
    stack: Stack, struck: list[tuple[KeptPart, Path]], watch: MetricWatch, load: SteadyLoad
) -> None:
    """A woken process mostly hears of its loss from the lease before it tries to write: then again, from outside."""
    for number in range(MOST_FREEZES):
        if watch.total(FENCED):
            return
        again = replace(load, name=f"frozen-{number}")
        loading = asyncio.create_task(again.run(2 * LOAD_SECONDS))
        for service in STREAMING:
            await wait_until(partial(is_shared_by, stack, service, 2), HIT_SECONDS, f"{service} is shared")
        for part, _ in struck:
            part.signal(signal.SIGSTOP)
        await wake_when_replaced(stack, struck)
        await loading


async def _exists(path: Path) -> bool:
    return await asyncio.to_thread(path.exists)
