"""Every provider in every way, from the address on the wire to the record: one table, printed at the end of the run.

One stack serves all; the ways that end in a message are counted again in the database, where each must be exactly once.
"""

import asyncio
import signal
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import asyncpg
import httpx
import pytest
import pytest_asyncio

from ingest_webhook.providers.registry import PROVIDERS, REPEATING
from tests.conftest import LEDGER
from tests.support.every_source import EVERY_SOURCE, Requests, SpokenSource, sources_file
from tests.support.kept_part import wait_until
from tests.support.partners.signed_request import SignedRequest, Way, deliver
from tests.support.settling import wait_until_settled
from tests.support.stack import Stack, running_stack

SECONDS = 60.0  # to come back, or to settle, on a busy machine
ANSWERS = {
    Way.GOOD: 200,
    Way.REPEATED: 200,
    Way.ROTATED: 200,
    Way.FORGED: 401,
    Way.STALE: 401,
    Way.OVERSIZED: 413,
    Way.MALFORMED: 400,
    Way.UNKNOWN_TYPE: 200,
}
SHUFFLED, HANDSHAKE, KAFKA_AWAY = "shuffled", "handshake", "Kafka away"
COLUMNS = (*ANSWERS, SHUFFLED, HANDSHAKE, KAFKA_AWAY)
MESSAGES = 5
"""Of each source that become part of the record: one good, one under the next secret, two shuffled, one held up."""

_RECORDED = "SELECT source, count(*), count(ticket_id), sum(deliveries) FROM inbound_messages GROUP BY source"


@dataclass
class Outcomes:
    """What was answered, by provider and way."""

    cells: dict[tuple[str, str], str] = field(default_factory=dict)

    def note(self, source: SpokenSource, way: str, *answers: httpx.Response) -> None:
        self.cells[source.provider, way] = "/".join(str(answer.status_code) for answer in answers)

    def lines(self) -> list[str]:
        rows = [["", *map(str, COLUMNS)]]
        rows += [
            [str(source), *(self.cells.get((str(source), way), "–") for way in COLUMNS)] for source in EVERY_SOURCE
        ]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stack() -> AsyncIterator[Stack]:
    """Without the services that no webhook needs."""
    async with running_stack(services=("ingest-webhook", "router", "sla-engine")) as running:
        running.layout.sources_file.write_text(sources_file(), encoding="utf-8")
        [edge] = running.of("ingest-webhook")
        edge.signal(signal.SIGHUP)
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def client(stack: Stack) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=stack.webhooks, trust_env=False, timeout=30) as client:
        await _until_known(client)
        yield client


@pytest.fixture(scope="module")
def outcomes() -> Outcomes:
    return Outcomes()


@pytest.fixture(scope="module")
def senders() -> dict[str, Requests]:
    return {source.provider: source.sender(time.time) for source in EVERY_SOURCE}


def test_every_provider_is_in_the_table() -> None:
    assert sorted(map(str, EVERY_SOURCE)) == sorted(PROVIDERS)


@pytest.mark.parametrize("source", EVERY_SOURCE, ids=str)
async def test_each_way_has_its_answer(
    source: SpokenSource, client: httpx.AsyncClient, outcomes: Outcomes, senders: dict[str, Requests]
) -> None:
    speak = senders[source.provider]
    for way, status in ANSWERS.items():
        if source.sends(way):
            answer = await send(client, source, speak(way))
            outcomes.note(source, way, answer)
            assert answer.status_code == status, f"{way}: {answer.text}"
    later, earlier = (speak(Way.GOOD) for _ in range(2))
    answers = [await send(client, source, request) for request in (earlier, later)]
    outcomes.note(source, SHUFFLED, *answers)
    assert [answer.status_code for answer in answers] == [200, 200]
    if source.ask is not None:
        answer = await send(client, source, source.ask(time.time))
        outcomes.note(source, HANDSHAKE, answer)
        assert answer.status_code == 200, answer.text


async def test_what_arrives_without_kafka_arrives_in_the_end_and_everything_once(
    stack: Stack,
    client: httpx.AsyncClient,
    outcomes: Outcomes,
    senders: dict[str, Requests],
    request: pytest.FixtureRequest,
) -> None:
    await stack.parts["kafka"].hold()
    held_up = [send(client, source, senders[source.provider](Way.GOOD)) for source in EVERY_SOURCE]
    first = await asyncio.gather(*held_up)
    await stack.parts["kafka"].start()
    for source, answer in zip(EVERY_SOURCE, first, strict=True):
        outcomes.note(source, KAFKA_AWAY, answer, await until_taken(client, source, senders[source.provider]))
    request.node.user_properties.append((LEDGER, outcomes.lines()))
    assert {str(source): answer.status_code for source, answer in zip(EVERY_SOURCE, first, strict=True)} == {
        str(source): 503 if source.provider in REPEATING else 200 for source in EVERY_SOURCE
    }
    connection = await asyncpg.connect(stack.database)
    try:
        recorded: dict[str, tuple[int, int, int]] = {}

        async def all_are() -> bool:
            recorded.update({row[0]: tuple(row)[1:] for row in await connection.fetch(_RECORDED)})
            return all(recorded.get(str(source), (0,))[0] >= MESSAGES for source in EVERY_SOURCE)

        await wait_until(all_are, SECONDS, "what waited in the spool is recorded")
        await wait_until_settled(stack.database, stack.kafka_address, SECONDS)
        await all_are()
    finally:
        await connection.close()
    assert {source: counts[:2] for source, counts in recorded.items()} == {
        str(source): (MESSAGES, MESSAGES) for source in EVERY_SOURCE
    }
    # One was repeated; what was refused may have been published all the same, when the answer came too late.
    assert min(deliveries for _, _, deliveries in recorded.values()) > MESSAGES


async def send(client: httpx.AsyncClient, source: SpokenSource, request: SignedRequest) -> httpx.Response:
    return await deliver(client, f"/{source}", request)


async def until_taken(client: httpx.AsyncClient, source: SpokenSource, speak: Requests) -> httpx.Response:
    """Repeat the last message as its provider does."""
    async with asyncio.timeout(SECONDS):
        while True:
            answer = await send(client, source, speak(Way.REPEATED))
            if answer.status_code != 503:
                return answer
            await asyncio.sleep(0.1)


async def _until_known(client: httpx.AsyncClient) -> None:
    async with asyncio.timeout(SECONDS):
        while (await client.post(f"/{EVERY_SOURCE[-1]}")).status_code == 404:  # noqa: ASYNC110 - a process
            await asyncio.sleep(0.05)
