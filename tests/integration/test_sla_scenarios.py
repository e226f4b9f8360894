"""The table of the SLA rules through the running stack: commands on Kafka, the engine, Postgres, GET /tickets/{id}/sla.

All rows happen together, in one batch of tickets and one engine at a time: a stack for each would take minutes.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from uuid import UUID

import httpx
import pytest_asyncio

from tests.integration.crm_api_around import add_key, caller, running_api
from tests.support.fold_exactness import find_fold_flaws
from tests.support.servers import SharedKafka
from tests.support.sla_scenarios.judging import Seen, SeenAlert, find_flaws
from tests.support.sla_scenarios.scenario import Times
from tests.support.sla_scenarios.stack import ScenarioStack, make_topics, read_sla
from tests.support.sla_scenarios.table import SCENARIOS
from ticket_store.sessions import open_pool


@pytest_asyncio.fixture
async def stack(kafka: SharedKafka, topic_prefix: str, database_url: str) -> AsyncIterator[ScenarioStack]:
    await make_topics(kafka.bootstrap, topic_prefix)
    async with open_pool(database_url, application_name="test") as pool:
        yield ScenarioStack(kafka.bootstrap, topic_prefix, database_url, pool)
    await kafka.delete_topics(topic_prefix)


async def test_every_rule_holds_through_kafka_the_engine_postgres_and_the_api(stack: ScenarioStack) -> None:
    times = Times.before(datetime.now(UTC))
    await stack.play(SCENARIOS, times)
    key = await add_key(stack.database)
    async with running_api(stack.database, stack.kafka, stack.prefix) as address, caller(address, key) as client:
        seen, alerts = await seen_through_api(client), sorted(await stack.alerts())
        assert flaws(times, seen, alerts) == []
        assert await find_fold_flaws(stack.database) == []

        await stack.repeat(SCENARIOS, times)  # rule 49: duplicates and redeliveries change nothing
        assert at_rest(await seen_through_api(client)) == at_rest(seen)
        assert sorted(await stack.alerts()) == alerts


async def seen_through_api(client: httpx.AsyncClient) -> dict[UUID, Seen]:
    """Ask for every ticket that has to be there."""
    ids = [scenario.ticket_id(ticket) for scenario in SCENARIOS for ticket in scenario.tickets()]
    some = asyncio.Semaphore(8)  # all at once wait longer for the API's ten connections than it lets them

    async def read(ticket_id: UUID) -> Seen:
        async with some:
            return await read_sla(client, ticket_id)

    return dict(zip(ids, await asyncio.gather(*map(read, ids)), strict=True))


def at_rest(seen: dict[UUID, Seen]) -> dict[UUID, Seen]:
    """Leave out the time used of what still counts: it grows from one question to the next."""
    return {
        ticket_id: each._replace(
            clocks=[
                clock._replace(used_seconds=0) if clock.stopped_at is None and clock.status != "paused" else clock
                for clock in each.clocks
            ]
        )
        for ticket_id, each in seen.items()
    }


def flaws(times: Times, seen: dict[UUID, Seen], alerts: list[SeenAlert]) -> list[str]:
    by_ticket: defaultdict[UUID, list[SeenAlert]] = defaultdict(list)
    for alert in alerts:
        by_ticket[alert.ticket_id].append(alert)
    found = []
    for scenario in SCENARIOS:
        own = [alert for ticket in scenario.tickets() for alert in by_ticket[scenario.ticket_id(ticket)]]
        found += [
            f"rule {scenario.rule}, {scenario.sentence}: {flaw}" for flaw in find_flaws(scenario, times, seen, own)
        ]
    return found
