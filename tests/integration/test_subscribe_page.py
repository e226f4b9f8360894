"""The program printed in docs/subscribe.md does what the page says, against a real Kafka."""

import asyncio
import os
import re
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from aiokafka import AIOKafkaProducer

from tests.support.servers import SharedKafka
from ticket_contracts.commands import Actor
from ticket_contracts.envelope import Event
from ticket_contracts.messages import Party
from ticket_contracts.tickets import StatusChanged, TicketSummary
from ticket_contracts.topics import TICKETS, partition_of
from ticket_contracts.vocabulary import ActorKind, Channel, IdentityKind, Status

PAGE = Path(__file__).parents[2] / "docs" / "subscribe.md"
WHEN = datetime(2026, 11, 23, 10, tzinfo=UTC)
A, B = UUID(int=0xA), UUID(int=0xB)


def printed_program() -> str:
    (program,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    return str(program)


def fact(ticket_id: UUID, number: int, version: int, status: Status, generation: int = 1) -> Event:
    summary = TicketSummary(
        number=number,
        brand="acme",
        channel=Channel.EMAIL,
        subject="着火了",
        contact_id=UUID(int=1),
        contact=Party(kind=IdentityKind.EMAIL, value="anna@example.org"),
        status=status,
        team="service",
        opened_at=WHEN,
    )
    changed = StatusChanged(
        ticket_id=ticket_id,
        version=version,
        at=WHEN,
        actor=Actor(kind=ActorKind.AGENT, id="anna"),
        ticket=summary,
        previous=Status.NEW,
    )
    return Event(
        id=f"{ticket_id}-{version}",
        source=f"/firebreak/{generation}/sla-engine/support.commands.v1/0",
        type=changed.event_type,
        time=WHEN,
        data=changed.encode(),
        subject=str(ticket_id),
        partitionkey=str(ticket_id),
    )


async def publish(kafka: str, prefix: str, *events: Event) -> None:
    async with AIOKafkaProducer(bootstrap_servers=kafka) as producer:
        for event in events:
            key = (event.partitionkey or "").encode()
            partition = partition_of(key, TICKETS.partitions_local)
            await producer.send_and_wait(prefix + TICKETS.name, event.data, key, partition, headers=event.headers())


@asynccontextmanager
async def subscriber(kafka: str, prefix: str) -> AsyncIterator[Process]:
    environment = os.environ | {"FIREBREAK_KAFKA": kafka, "FIREBREAK_TOPIC_PREFIX": prefix}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", printed_program(), env=environment, stdout=PIPE, stderr=PIPE
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGINT)  # Ctrl-C: it leaves its group in order
        await process.communicate()


async def lines(process: Process, count: int) -> list[str]:
    assert process.stdout is not None
    async with asyncio.timeout(30):
        return [(await process.stdout.readline()).decode().strip() for _ in range(count)]


def test_the_program_has_the_fifteen_lines_it_promises() -> None:
    lines_of_code = [line for line in printed_program().splitlines() if line.strip()]

    assert len(lines_of_code) <= 15


async def test_each_fact_is_printed_once_although_records_repeat(kafka: SharedKafka, topics: str) -> None:
    first, second, third = (fact(A, 1001, version, Status.OPEN) for version in (1, 2, 3))
    await publish(kafka.bootstrap, topics, first, second, first, second, third, third)

    async with subscriber(kafka.bootstrap, topics) as process:
        before = await lines(process, 3)
        await publish(kafka.bootstrap, topics, third, fact(A, 1001, 4, Status.SOLVED))
        after = await lines(process, 1)

    assert before == ["firebreak.ticket.status-changed.v1 # 1001 open"] * 3
    assert after == ["firebreak.ticket.status-changed.v1 # 1001 solved"]


async def test_a_new_generation_and_another_ticket_begin_their_own_count(kafka: SharedKafka, topics: str) -> None:
    await publish(
        kafka.bootstrap,
        topics,
        fact(A, 1001, 5, Status.OPEN),
        fact(A, 1001, 1, Status.PENDING, generation=2),
        fact(B, 1002, 1, Status.OPEN),
    )

    async with subscriber(kafka.bootstrap, topics) as process:
        printed = await lines(process, 3)

    assert sorted(line.split(" # ")[1] for line in printed) == ["1001 open", "1001 pending", "1002 open"]


async def test_a_subscriber_that_starts_again_continues_where_it_stopped(kafka: SharedKafka, topics: str) -> None:
    await publish(kafka.bootstrap, topics, fact(A, 1001, 1, Status.NEW), fact(A, 1001, 2, Status.OPEN))
    async with subscriber(kafka.bootstrap, topics) as process:
        await lines(process, 1)
        await publish(kafka.bootstrap, topics, fact(A, 1001, 3, Status.PENDING))
        await lines(process, 2)  # the first two are committed once the third is printed

    await publish(kafka.bootstrap, topics, fact(A, 1001, 4, Status.SOLVED))
    async with subscriber(kafka.bootstrap, topics) as process:
        continued = await lines(process, 1)
        while not continued[-1].endswith("solved"):
            continued += await lines(process, 1)

    assert [line.split()[-1] for line in continued][-1] == "solved"
    assert "new" not in {line.split()[-1] for line in continued}
