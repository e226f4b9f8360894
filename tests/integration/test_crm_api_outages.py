"""crm-api while Kafka, the engine or the database is away: what a caller is told, and that it comes back by itself."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from uuid import UUID

import httpx
import pytest_asyncio

from tests.integration.crm_api_around import NOWHERE, Gate, add_key, add_ticket, caller, open_gate, running_api
from tests.support.kept_part import wait_until
from tests.support.servers import SharedKafka

NOTE = {"type": "note", "text": "客户很着急"}
BACK_SECONDS = 20.0  # one to two usual


@pytest_asyncio.fixture
async def gate(database_url: str) -> AsyncIterator[Gate]:
    async with open_gate(database_url) as gate:
        yield gate


@pytest_asyncio.fixture
async def ticket_id(database_url: str) -> UUID:
    return await add_ticket(database_url)


@pytest_asyncio.fixture
async def key(database_url: str) -> str:
    return await add_key(database_url)


def kind(response: httpx.Response) -> str:
    """Return the problem's name; the answer must be a problem document."""
    assert response.headers["content-type"] == "application/problem+json"
    return str(response.json()["type"])


async def test_without_kafka_writes_are_503_with_a_location_and_reads_go_on(
    database_url: str, key: str, ticket_id: UUID
) -> None:
    async with running_api(database_url, NOWHERE) as address, caller(address, key) as client:
        answers = [
            await client.post(f"/tickets/{ticket_id}/commands", json=NOTE, headers={"Idempotency-Key": "once"})
            for _ in range(2)
        ]
        assert [(answer.status_code, kind(answer)) for answer in answers] == [(503, "/problems/outcome-unknown")] * 2
        assert answers[0].headers["retry-after"]
        assert answers[0].headers["location"] == answers[1].headers["location"]
        undecided = await client.get(answers[0].headers["location"].removeprefix("/v1"))
        assert (undecided.status_code, kind(undecided)) == (404, "/problems/no-such-command")
        assert (await client.get(f"/tickets/{ticket_id}")).status_code == 200


async def test_without_the_database_everything_is_503_and_comes_back_by_itself(
    gate: Gate, kafka: SharedKafka, topics: str, key: str, ticket_id: UUID
) -> None:
    async with running_api(gate.url, kafka.bootstrap, topics) as address, caller(address, key) as client:
        assert (await client.get(f"/tickets/{ticket_id}")).status_code == 200
        gate.shut()
        for answer in (
            await client.get("/tickets"),
            await client.get(f"/tickets/{ticket_id}/sla"),
            await client.post(f"/tickets/{ticket_id}/commands", json=NOTE),
        ):
            assert (answer.status_code, kind(answer)) == (503, "/problems/database-away")
            assert answer.headers["retry-after"]
        ready = await client.get(address.removesuffix("/v1") + "/ready")
        assert ready.status_code == 503
        gate.open()

        async def answers() -> bool:
            return (await client.get("/tickets")).status_code == 200

        await wait_until(answers, BACK_SECONDS, "an answer after the database came back")


async def test_a_database_that_hangs_is_503_in_a_bounded_time_and_comes_back(
    gate: Gate, kafka: SharedKafka, topics: str, key: str, ticket_id: UUID
) -> None:
    limits = {"answer_seconds": 1.0, "database_connections": 2}
    async with running_api(gate.url, kafka.bootstrap, topics, **limits) as address, caller(address, key) as client:
        assert (await client.get(f"/tickets/{ticket_id}")).status_code == 200
        gate.freeze()
        began = time.monotonic()
        answers = await asyncio.gather(*(client.get(f"/tickets/{ticket_id}") for _ in range(6)))
        assert {(answer.status_code, kind(answer)) for answer in answers} == {(503, "/problems/database-away")}
        assert time.monotonic() - began < 10
        gate.open()

        async def answers_again() -> bool:
            return (await client.get("/tickets")).status_code == 200

        await wait_until(answers_again, BACK_SECONDS, "an answer after the database moved again")


async def test_a_database_that_leaves_while_a_caller_waits_costs_it_nothing_but_202(
    gate: Gate, kafka: SharedKafka, topics: str, key: str, ticket_id: UUID
) -> None:
    async with running_api(gate.url, kafka.bootstrap, topics) as address, caller(address, key) as client:
        asked = asyncio.create_task(client.post(f"/tickets/{ticket_id}/commands", json=NOTE))
        await wait_until(lambda: waits(client, address), BACK_SECONDS, "the caller to wait for an outcome")
        gate.shut()
        answer = await asked
        assert answer.status_code == 202
        assert answer.json()["outcome"] == "pending"


async def test_a_stop_lets_callers_go_with_202_instead_of_cutting_them_off(
    database_url: str, kafka: SharedKafka, topics: str, key: str, ticket_id: UUID
) -> None:
    async with AsyncExitStack() as until_answered:
        async with running_api(database_url, kafka.bootstrap, topics) as address:
            client = await until_answered.enter_async_context(caller(address, key))
            asked = [asyncio.create_task(client.post(f"/tickets/{ticket_id}/commands", json=NOTE)) for _ in range(3)]
            await wait_until(lambda: waits(client, address, 3), BACK_SECONDS, "the callers to wait for their outcomes")
            began = time.monotonic()
        assert time.monotonic() - began < 4  # less than the five seconds that a caller may wait
        answers = await asyncio.gather(*asked)
    assert [answer.status_code for answer in answers] == [202, 202, 202]
    assert all(answer.headers["location"].startswith("/v1/commands/") for answer in answers)


async def waits(client: httpx.AsyncClient, address: str, callers: int = 1) -> bool:
    metrics = (await client.get(address.removesuffix("/v1") + "/metrics")).text
    return f"firebreak_api_commands_waiting {callers:.1f}" in metrics
