"""The whole table through Kafka, the engine, Postgres and the API, all scenarios together.

Whose time counts is the broker's for what agents ask, and the edge's for what customers say (architecture §4). So the
topic of commands is made here with `CreateTime` instead of `LogAppendTime`: Kafka then keeps the time stamp that the
producer gives, and the test stands in for the broker's clock; the engine reads the same field of the record either way.
Everything of a phase is in the log before an engine starts: as after an outage, no timer may fire before all of it was
read, and none that is due stays. What the engine itself publishes has the time of the run.
"""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, timedelta
from typing import Any
from uuid import UUID

import httpx
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from pydantic import TypeAdapter

from service_kit.supervisor import Supervisor
from sla_engine.settings import SlaEngineSettings
from sla_engine.wiring import wiring
from tests.support.kept_part import wait_until
from tests.support.sla_engine import configure
from tests.support.sla_scenarios.judging import Seen, SeenAlert, SeenClock
from tests.support.sla_scenarios.scenario import ALWAYS, EXPERTS, OFFICE, Scenario, Times
from tests.support.sla_scenarios.telling import Asked, Phase, phases
from ticket_contracts.envelope import Event, read_event
from ticket_contracts.topics import ALERTS, COMMANDS, TOPICS, partition_of
from ticket_store.sessions import Pool
from ticket_stream.topic_admin import create_topics

SETTLES_WITHIN = 60.0  # seconds, generous
STAMPED_COMMANDS = replace(COMMANDS, append_time=False, retention=timedelta(days=36_500))
"""Kept for ever: a scenario of 2024 is older than the retention of the real topic."""

_CLOCK = TypeAdapter(SeenClock)

_POSITIONS = "SELECT partition, next_offset FROM stream_positions WHERE consumer = 'sla-engine'"
_LEFT = """
SELECT (SELECT count(*) FROM outbox) + (SELECT count(*) FROM stream_timers WHERE due_at <= clock_timestamp())
     + (SELECT count(*) FROM dead_letters) + (SELECT count(*) FROM stream_pauses)
"""


async def make_topics(kafka: str, prefix: str) -> None:
    """Make the table's topics, that of commands with the producer's time stamps."""
    await create_topics(kafka, prefix, [STAMPED_COMMANDS if topic == COMMANDS else topic for topic in TOPICS])


@dataclass
class ScenarioStack:
    """The topics and the database in which all scenarios happen."""

    kafka: str
    prefix: str
    database: str
    pool: Pool

    async def play(self, scenarios: Iterable[Scenario], times: Times) -> None:
        """Let all scenarios happen phase by phase; the last is over when nothing is left to do."""
        played = [(scenario, phases(scenario, times)) for scenario in scenarios]
        for number in range(max(len(found) for _, found in played)):
            together = [found[number] for _, found in played if number < len(found)]
            if number == 0 or any(phase.edits for phase in together):
                await self._configure([scenario for scenario, _ in played], times, edits=number)
            await self.send(together)
            async with self._engine():
                await wait_until(self._is_done, SETTLES_WITHIN, "everything read, published and fired")

    async def repeat(self, scenarios: Iterable[Scenario], times: Times) -> None:
        """Deliver every command of every scenario a second time."""
        await self.send([phase for scenario in scenarios for phase in phases(scenario, times)])
        async with self._engine():
            await wait_until(self._is_done, SETTLES_WITHIN, "everything read, published and fired")

    async def send(self, together: Iterable[Phase]) -> None:
        """Append commands with their own time stamps."""
        producer = AIOKafkaProducer(bootstrap_servers=self.kafka, acks="all", enable_idempotence=True)
        await producer.start()
        try:
            for asked in (each for phase in together for each in phase.asked):
                await producer.send(self.prefix + COMMANDS.name, **_record(asked))
        finally:
            await producer.stop()  # flushes

    async def alerts(self) -> list[SeenAlert]:
        """Read all alerts there are."""
        consumer = AIOKafkaConsumer(bootstrap_servers=self.kafka, enable_auto_commit=False)
        await consumer.start()
        try:
            partitions = self._partitions(ALERTS.name)
            ends = await consumer.end_offsets(partitions)
            consumer.assign(partitions)
            await consumer.seek_to_beginning()
            found: list[SeenAlert] = []
            while any([await consumer.position(partition) < ends[partition] for partition in partitions]):
                for records in (await consumer.getmany(timeout_ms=100)).values():
                    found += [SeenAlert.of(event.type, event.data) for event in map(_event, records)]
            return found
        finally:
            await consumer.stop()

    async def _configure(self, scenarios: list[Scenario], times: Times, edits: int) -> None:
        own = [document for scenario in scenarios for document in scenario.documents(times, edits)]
        await configure(self.pool, OFFICE, ALWAYS, EXPERTS, *own)

    @asynccontextmanager
    async def _engine(self) -> AsyncIterator[None]:
        named = {"port": 0, "kafka": self.kafka, "topic_prefix": self.prefix, "postgres": self.database}
        supervisor = Supervisor()
        async with wiring(SlaEngineSettings.model_validate(named), supervisor):
            yield
        assert supervisor.failure is None

    async def _is_done(self) -> bool:
        consumer = AIOKafkaConsumer(bootstrap_servers=self.kafka, enable_auto_commit=False)
        await consumer.start()
        try:
            ends = await consumer.end_offsets(self._partitions(COMMANDS.name))
        finally:
            await consumer.stop()
        async with self.pool.acquire() as connection:
            positions = {row["partition"]: row["next_offset"] for row in await connection.fetch(_POSITIONS)}
            left: int = await connection.fetchval(_LEFT)
        unread = any(positions.get(partition.partition, 0) < end for partition, end in ends.items())
        return not unread and left == 0

    def _partitions(self, topic: str) -> list[TopicPartition]:
        return [TopicPartition(self.prefix + topic, number) for number in range(COMMANDS.partitions_local)]


async def read_sla(client: httpx.AsyncClient, ticket_id: UUID) -> Seen:
    """Ask the API for a ticket and its clocks; each step of each story has to tell its cause, time and words."""
    ticket, answer = await client.get(f"/tickets/{ticket_id}"), await client.get(f"/tickets/{ticket_id}/sla")
    assert (ticket.status_code, answer.status_code) == (200, 200), (ticket.text, answer.text)
    told: dict[str, Any] = answer.json()
    for step in (step for clock in told["clocks"] for step in clock["story"]):
        assert step["cause"], step
        assert step["at"], step
        assert step["words"], step
    return Seen(
        [_CLOCK.validate_python({name: clock[name] for name in SeenClock._fields}) for clock in told["clocks"]],
        told["no_clock_reason"],
        ticket.json()["team"],
        ticket.json()["priority"],
    )


def _event(record: ConsumerRecord) -> Event:
    return read_event(record.headers, record.value)


def _record(asked: Asked) -> dict[str, Any]:
    """Return what a producer needs to append the command when the scenario says it was."""
    command, key = asked.command, str(asked.command.ticket_id).encode()
    event = Event(
        id=asked.id, source="/test", type=command.event_type, time=asked.at.astimezone(UTC), data=command.encode()
    )
    return {
        "key": key,
        "partition": partition_of(key, COMMANDS.partitions_local),
        "value": event.data,
        "headers": event.headers(),
        "timestamp_ms": int(asked.at.timestamp() * 1000),
    }
