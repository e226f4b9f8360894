"""From an accepted message to a stored, readable, timed ticket: how many a second, and how long one takes."""

import asyncio
import json
import sys
import time
from asyncio.subprocess import PIPE
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from uuid import uuid4

import asyncpg

from firebreak_cli.local_stack.ports import LOOPBACK
from tests.load.accept_rows import WEBHOOK_CONNECTIONS
from tests.load.bench_stack import BenchStack
from tests.load.figures import Figures, Row
from tests.load.load_process import LoadProcess, load_process
from tests.load.own_time import Profiles
from tests.load.processes import ProcessWatch
from tests.load.readable import LatencyProbe
from tests.load.standing import Standing
from tests.load.steered_load import quantile
from tests.support.deployment_files import SHOP, SHOP_SECRET
from ticket_store.migrations import upgrade_async

# Messages under way at most: sent and not yet stored. It is what keeps the lag flat, by construction: the load gets
# as many permits as tickets were stored. A second's work fills every batch and is no more than a second's delay.
WINDOW = 2_000
STEER_SECONDS = 0.02
WARM_UP_SECONDS = 3.0
LIMIT_SECONDS = 3.0
LATENCY_BUDGET_MS = 150  # architecture §9
BARE_TOPIC = "bench.bare-writes"


async def measure_tickets(
    bench: BenchStack, standing: Standing, figures: Figures, seconds: float, profiles: Profiles | None
) -> float:
    """`message_to_ticket`; returns the rate. The limit is measured before and after."""
    await bench.create_topics([BARE_TOPIC])
    async with AsyncExitStack() as context:
        load = await context.enter_async_context(_shop(bench))
        await _drive(load, standing, WARM_UP_SECONDS)  # also what the limit copies its rows from
        await load.pause()
        await standing.settle()
        database = await _database_for_the_limit(bench)
        limits = [await _bare_writes(bench, database)]
        watch = ProcessWatch({**bench.pids(), "load generator": load.pid})
        profiling = profiles.record(bench.pids(), seconds) if profiles else _nothing()
        (rate, lags), _ = await asyncio.gather(_drive(load, standing, seconds), profiling)
        usages = watch.usages()
        await load.pause()
        await standing.settle()
        limits.append(await _bare_writes(bench, database))
    note = f"{seconds:.0f} s, every message opens a ticket; under way: {', '.join(map(str, lags))}"
    figures.rows.append(Row("message_to_ticket", rate, sum(limits) / len(limits), "messages/s", note))
    figures.usages["message_to_ticket"] = usages
    return rate


async def measure_latency(bench: BenchStack, standing: Standing, figures: Figures, seconds: float, rate: float) -> None:
    """`accept_to_readable_*`: from the request's start to the answer of the API's GET, at half the sustained rate."""
    async with AsyncExitStack() as context:
        load = await context.enter_async_context(_shop(bench))
        probe = await context.enter_async_context(LatencyProbe.open(bench.stack))
        watch = ProcessWatch({**bench.pids(), "load generator": load.pid})
        await load.rate(rate / 2 - probe.RATE)
        await asyncio.sleep(1.0)  # the load has to be there
        durations = sorted(await probe.run(seconds))
        usages = watch.usages()
        await load.pause()
        await standing.settle()
    note = f"{len(durations)} samples at {rate / 2:,.0f} messages/s; the limit is the budget"
    for name, share, limit in (("p50", 0.5, None), ("p99", 0.99, LATENCY_BUDGET_MS)):
        row = Row(f"accept_to_readable_{name}_ms", 1000 * quantile(durations, share), limit, "ms", note)
        figures.rows.append(row)
    figures.usages["latency"] = usages


def _shop(bench: BenchStack) -> AbstractAsyncContextManager[LoadProcess]:
    port = bench.stack.layout.port("ingest-webhook")
    return load_process(
        "tests.load.http_load",
        host=LOOPBACK,
        port=port,
        path=f"/webhooks/{SHOP}",
        secret=SHOP_SECRET,
        connections=WEBHOOK_CONNECTIONS,
    )


async def _drive(load: LoadProcess, standing: Standing, seconds: float) -> tuple[float, list[int]]:
    """Keep WINDOW messages under way; returns how many a second were stored, and how many waited at each quarter."""
    began, start = time.perf_counter(), await standing.stored()
    granted, lags = WINDOW, [0]
    await load.allow(WINDOW)
    while (elapsed := time.perf_counter() - began) < seconds:
        await asyncio.sleep(STEER_SECONDS)
        stored = await standing.stored() - start
        if (more := stored + WINDOW - granted) > 0:
            await load.allow(more)
            granted += more
        if elapsed > seconds * len(lags) / 4:
            lags.append(granted - stored)
    return (await standing.stored() - start) / (time.perf_counter() - began), lags[1:]


async def _database_for_the_limit(bench: BenchStack) -> str:
    """A database with the same tables and indexes, so that the stack's own stays consistent."""
    name = f"bench_{uuid4().hex[:8]}"
    connection = await asyncpg.connect(bench.stack.database)
    try:
        await connection.execute(f'CREATE DATABASE "{name}"')
    finally:
        await connection.close()
    url = bench.stack.database.rsplit("/", 1)[0] + f"/{name}"
    await upgrade_async(url)
    return url


async def _bare_writes(bench: BenchStack, database: str) -> float:
    stack = bench.stack
    arguments = (stack.database, database, stack.kafka_address, BARE_TOPIC, str(LIMIT_SECONDS))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.load.bare_writes", *arguments, stdout=PIPE
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, "its error stands above"
    return float(json.loads(output)["rate"])


async def _nothing() -> None:
    """No profile is wanted."""
