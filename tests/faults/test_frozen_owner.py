"""A process that stands still long enough to lose its partitions changes nothing when it wakes."""

import asyncio
import signal
from collections.abc import AsyncIterator
from functools import partial
from random import Random

import pytest
import pytest_asyncio

from tests.faults.conftest import Report
from tests.support.alarm_exactness import Targets
from tests.support.deployment_files import fast_policy
from tests.support.kept_part import wait_until
from tests.support.ledger import Ledger
from tests.support.ownership import is_shared_by
from tests.support.stack import STREAMING, Stack, running_stack
from tests.support.steady_load import Rates, SteadyLoad
from tests.support.verdict import reach_verdict

TARGETS = Targets(first_response=4, resolution=8)
LOAD_SECONDS = 9.0
CHANGE_SECONDS = 30.0  # a lease lasts 3 s; the machine may be busy


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stack() -> AsyncIterator[Stack]:
    async with running_stack([fast_policy(TARGETS.first_response, TARGETS.resolution)]) as stack:
        second = [stack.add(name, f"{name}-2") for name in STREAMING]
        await asyncio.gather(*(part.start() for part in second))
        yield stack


@pytest.fixture(scope="module")
def ledger() -> Ledger:
    """One for the module: the second service is judged with all that was before it."""
    return Ledger()


@pytest.mark.parametrize("service", STREAMING)
async def test_a_frozen_owner_changes_nothing_when_it_wakes(
    stack: Stack, ledger: Ledger, report: Report, service: str
) -> None:
    frozen = stack.parts[service]
    load = SteadyLoad(stack, ledger, Random(service), f"frozen-{service}", Rates(webhooks=25))
    loading = asyncio.create_task(load.run(LOAD_SECONDS))
    await wait_until(partial(is_shared_by, stack, service, 2), CHANGE_SECONDS, "both share the partitions")
    frozen.signal(signal.SIGSTOP)
    try:
        await wait_until(partial(is_shared_by, stack, service, 1), CHANGE_SECONDS, "the other has all partitions")
    finally:
        frozen.signal(signal.SIGCONT)
    await wait_until(partial(is_shared_by, stack, service, 2), CHANGE_SECONDS, "the woken one gets a share again")
    await loading
    verdict = await reach_verdict(stack, ledger, TARGETS)
    report(verdict.lines())
    verdict.require_exactness()
    assert not load.failures, load.failures
    assert frozen.ends == []  # it was frozen, not restarted
