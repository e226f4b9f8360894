"""Every provider in every way, from the address on the wire to the record: one table, printed at the end of the run.

One stack serves all; the ways that end in a message are counted again in the database, where each must be exactly once.
"""

import asyncio
import signal
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import get_args

import asyncpg
import httpx
import pytest
import pytest_asyncio

from firebreak_cli.check_sources import Place, check_sources
from firebreak_cli.contributed_commands import contributed_checkers
from ingest_email.hooks.entries import HookEntry
from ingest_webhook.providers.registry import PROVIDERS
from tests.conftest import LEDGER
from tests.support.every_hook import EVERY_HOOK, MESSAGE_BYTES, SpokenHook, mailboxes_file
from tests.support.every_source import (
    ANSWERS,
    EVERY_SOURCE,
    TELLING_RECEIPTS,
    Requests,
    SpokenSource,
    sources_file,
)
from tests.support.kept_part import wait_until
from tests.support.partners.amazon_ses import AmazonSes
from tests.support.partners.aws_addresses import aws_addresses
from tests.support.partners.signed_request import SignedRequest, Way, deliver
from tests.support.settling import wait_until_settled
from tests.support.stack import Stack, running_stack
from ticket_intake.source_checks import Outcome, SourcesFile
from ticket_store.tables.delivery_receipts import provider_hash

SECONDS = 60.0  # to come back, or to settle, on a busy machine
SHUFFLED, HANDSHAKE, RECEIPT, KAFKA_AWAY = "shuffled", "handshake", "receipt", "Kafka away"
COLUMNS = (*ANSWERS, SHUFFLED, HANDSHAKE, RECEIPT, KAFKA_AWAY)
OUR_MESSAGE = "877260925346103299"
Spoken = SpokenSource | SpokenHook
EVERY_ROW: tuple[Spoken, ...] = (*EVERY_SOURCE, *EVERY_HOOK)

_RECEIPTS = "SELECT account FROM delivery_receipts WHERE provider_hash = $1"
_RECORDED = "SELECT source, count(*), count(ticket_id), sum(deliveries) FROM inbound_messages GROUP BY source"


@dataclass
class Outcomes:
    """What was answered, by provider and way."""

    cells: dict[tuple[str, str], str] = field(default_factory=dict)

    def note(self, source: Spoken, way: str, *answers: httpx.Response) -> None:
        self.cells[source.provider, way] = "/".join(str(answer.status_code) for answer in answers)

    def lines(self) -> list[str]:
        rows = [["", *map(str, COLUMNS)]]
        rows += [[str(source), *(self.cells.get((str(source), way), "–") for way in COLUMNS)] for source in EVERY_ROW]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """Without the services that none of the channels needs; what asks AWS reaches the partner."""
    folder = tmp_path_factory.mktemp("every-channel")
    mailboxes = folder / "mailboxes.yaml"
    mailboxes.write_text(mailboxes_file(), encoding="utf-8")
    async with aws_addresses(folder, AmazonSes(time.time)) as aws:
        mail = {
            **aws,
            "FIREBREAK_MAILBOXES_FILE": str(mailboxes),
            "FIREBREAK_SMTP_MESSAGE_BYTES": str(MESSAGE_BYTES),
        }
        services = ("ingest-webhook", "ingest-email", "router", "sla-engine")
        async with running_stack(services=services, environment={"ingest-email": mail}) as running:
            running.layout.sources_file.write_text(sources_file(), encoding="utf-8")
            running.layout.mailboxes_file.write_text(mailboxes_file(), encoding="utf-8")
            [edge] = running.of("ingest-webhook")
            edge.signal(signal.SIGHUP)
            yield running


@dataclass(frozen=True)
class Doors:
    """The way to each row's address."""

    stack: Stack
    client: httpx.AsyncClient

    async def send(self, source: Spoken, request: SignedRequest) -> httpx.Response:
        return await deliver(self.client, self._address(source), request)

    async def until_taken(self, source: Spoken, speak: Requests) -> httpx.Response:
        """Repeat the last message as its provider does."""
        async with asyncio.timeout(SECONDS):
            while True:
                answer = await self.send(source, speak(Way.REPEATED))
                if answer.status_code != 503:
                    return answer
                await asyncio.sleep(0.1)

    async def until_known(self) -> None:
        """The webhook sources are read anew after the start."""
        async with asyncio.timeout(SECONDS):
            while (await self.client.post(self._address(EVERY_SOURCE[-1]))).status_code == 404:  # noqa: ASYNC110
                await asyncio.sleep(0.05)  # another process: there is no event to wait for

    def _address(self, source: Spoken) -> str:
        if isinstance(source, SpokenHook):
            return f"{self.stack.layout.url('ingest-email')}/mail/{source}{source.suffix}"
        return f"{self.stack.webhooks}/{source}"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def doors(stack: Stack) -> AsyncIterator[Doors]:
    async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
        doors = Doors(stack, client)
        await doors.until_known()
        yield doors


@pytest.fixture(scope="module")
def outcomes() -> Outcomes:
    return Outcomes()


@pytest.fixture(scope="module")
def senders() -> dict[str, Requests]:
    return {source.provider: source.sender(time.time) for source in EVERY_ROW}


def test_every_provider_is_in_the_table() -> None:
    assert sorted(map(str, EVERY_SOURCE)) == sorted(PROVIDERS)
    assert sorted(map(str, EVERY_HOOK)) == sorted(get_args(HookEntry.model_fields["provider"].annotation))


@pytest.mark.parametrize("source", EVERY_ROW, ids=str)
async def test_each_way_has_its_answer(
    source: Spoken, doors: Doors, outcomes: Outcomes, senders: dict[str, Requests]
) -> None:
    speak = senders[source.provider]
    for way, status in source.answers.items():
        if source.sends(way):
            answer = await doors.send(source, speak(way))
            outcomes.note(source, way, answer)
            assert answer.status_code == status, f"{way}: {answer.text}"
    later, earlier = (speak(Way.GOOD) for _ in range(2))
    answers = [await doors.send(source, request) for request in (earlier, later)]
    outcomes.note(source, SHUFFLED, *answers)
    assert [answer.status_code for answer in answers] == [200, 200]
    if source.ask is not None:
        answer = await doors.send(source, source.ask(time.time))
        outcomes.note(source, HANDSHAKE, answer)
        assert answer.status_code == 200, answer.text
    if isinstance(source, SpokenSource) and (told := source.receipt(time.time, OUR_MESSAGE)) is not None:
        answer = await doors.send(source, told)
        outcomes.note(source, RECEIPT, answer)
        assert (answer.status_code, answer.content) == (200, source.answer)


async def test_the_check_of_sources_finds_all_of_them_right_and_leaves_nothing(stack: Stack) -> None:
    """What the test below counts would be more."""
    places = {
        SourcesFile.WEBHOOKS: Place(stack.layout.sources_file, stack.layout.url("ingest-webhook")),
        SourcesFile.MAILBOXES: Place(stack.layout.mailboxes_file, stack.layout.url("ingest-email")),
    }
    rows = await check_sources(list(contributed_checkers()), places, {}, datetime.now(UTC))
    assert {row.source for row in rows} == set(map(str, EVERY_ROW))
    assert [row for row in rows if row.attempt.outcome is Outcome.FAILED] == []
    untried = [(row.source, row.attempt.what) for row in rows if row.attempt.outcome is Outcome.NOT_TRIED]
    assert untried == [("sendgrid", "SendGrid's signature"), ("ses", "AWS's signature")]


async def test_what_arrives_without_kafka_arrives_in_the_end_and_everything_once(
    stack: Stack,
    doors: Doors,
    outcomes: Outcomes,
    senders: dict[str, Requests],
    request: pytest.FixtureRequest,
) -> None:
    await stack.parts["kafka"].hold()
    held_up = [doors.send(source, senders[source.provider](Way.GOOD)) for source in EVERY_ROW]
    first = await asyncio.gather(*held_up)
    await stack.parts["kafka"].start()
    for source, answer in zip(EVERY_ROW, first, strict=True):
        outcomes.note(source, KAFKA_AWAY, answer, await doors.until_taken(source, senders[source.provider]))
    request.node.user_properties.append((LEDGER, outcomes.lines()))
    assert {str(source): answer.status_code for source, answer in zip(EVERY_ROW, first, strict=True)} == {
        str(source): 503 if source.repeats else 200 for source in EVERY_ROW
    }
    connection = await asyncpg.connect(stack.database)
    try:
        recorded: dict[str, tuple[int, int, int]] = {}

        async def all_are() -> bool:
            recorded.update({row[0]: tuple(row)[1:] for row in await connection.fetch(_RECORDED)})
            return all(recorded.get(str(source), (0,))[0] >= everything(source) for source in EVERY_ROW)

        await wait_until(all_are, SECONDS, "what waited in the spool is recorded")
        await wait_until_settled(stack.database, stack.kafka_address, SECONDS)
        await all_are()
        told = await connection.fetch(_RECEIPTS, provider_hash(OUR_MESSAGE))
    finally:
        await connection.close()
    assert {source: counts[:2] for source, counts in recorded.items()} == {
        str(source): (everything(source), messages(source)) for source in EVERY_ROW
    }
    assert sorted(row["account"] for row in told) == sorted(f"{provider}-account" for provider in TELLING_RECEIPTS)
    # One was repeated; what was refused may have been published all the same, when the answer came too late.
    assert [str(source) for source in EVERY_ROW if recorded[str(source)][2] <= everything(source)] == []


def messages(source: Spoken) -> int:
    """How many become part of the record: one good, one under the next secret, two shuffled, one held up."""
    return 4 + source.sends(Way.ROTATED)


def everything(source: Spoken) -> int:
    """The receipt too, which is recorded and belongs to no ticket."""
    return messages(source) + (str(source) in TELLING_RECEIPTS)
