"""The router put together as its process is: from the topic of messages to the topic of commands."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest_asyncio
from aiokafka import AIOKafkaConsumer, TopicPartition
from msgspec.structs import replace

from firebreak_cli.local_stack.ports import free_ports
from service_kit.supervisor import Supervisor
from tests.support.incoming import event_of, mail
from tests.support.kept_part import wait_until
from tests.support.servers import SharedKafka
from ticket_contracts.commands import ReceiveMessage
from ticket_contracts.envelope import Event, read_event
from ticket_contracts.messages import MessageReceived
from ticket_contracts.topics import COMMANDS, MESSAGES
from ticket_router.settings import RouterSettings
from ticket_router.wiring import wiring
from ticket_store import configuration, sessions
from ticket_store.documents import Document, Team
from ticket_stream.edge_publisher import EdgePublisher, open_edge_publisher

DEADLINE_SECONDS = 20

TRIAGE = Team(name="triage", display_name="Triage", triage=True)


class Topics:
    """What a test does with the topics of its own prefix."""

    def __init__(self, publisher: EdgePublisher, consumer: AIOKafkaConsumer) -> None:
        self._publisher = publisher
        self._consumer = consumer

    async def say(self, *messages: MessageReceived) -> None:
        for number, message in enumerate(messages):
            await self._publisher.publish(MESSAGES, message.conversation.key, event_of(message, number))

    async def publish(self, event: Event) -> None:
        await self._publisher.publish(MESSAGES, event.id, event)

    async def commands(self, count: int) -> list[tuple[Event, ReceiveMessage]]:
        """Return the next commands once there are `count`."""
        found: list[tuple[Event, ReceiveMessage]] = []
        async with asyncio.timeout(DEADLINE_SECONDS):
            while len(found) < count:
                for records in (await self._consumer.getmany(timeout_ms=500)).values():
                    for record in records:
                        event = read_event(record.headers, record.value)
                        found.append((event, ReceiveMessage.model_validate_json(event.data)))
        return found


@pytest_asyncio.fixture
async def on_topics(kafka: SharedKafka, topics: str) -> AsyncIterator[Topics]:
    consumer = AIOKafkaConsumer(
        bootstrap_servers=kafka.bootstrap, auto_offset_reset="earliest", enable_auto_commit=False
    )
    consumer.assign([TopicPartition(topics + COMMANDS.name, number) for number in range(COMMANDS.partitions_local)])
    await consumer.start()
    try:
        async with open_edge_publisher(kafka.bootstrap, topics) as publisher:
            yield Topics(publisher, consumer)
    finally:
        await consumer.stop()


@asynccontextmanager
async def running_router(kafka: SharedKafka, prefix: str, database_url: str, port: int = 0) -> AsyncIterator[None]:
    settings = RouterSettings(port=port, kafka=kafka.bootstrap, topic_prefix=prefix, postgres=database_url)
    supervisor = Supervisor()
    async with wiring(settings, supervisor):
        supervisor.started.set()
        yield
    assert supervisor.failure is None


async def configure(database_url: str, *documents: Document) -> None:
    connection = await sessions.connect(database_url, application_name="test")
    try:
        await configuration.apply(connection, documents, "test")
    finally:
        await connection.close()


async def test_messages_of_the_topic_become_commands_once(
    kafka: SharedKafka, topics: str, on_topics: Topics, database_url: str
) -> None:
    question, answer = mail("<1@x>"), mail("<2@x>", "<1@x>")
    await configure(database_url, TRIAGE)
    await on_topics.say(question, answer, question)
    async with running_router(kafka, topics, database_url):
        first = await on_topics.commands(2)
        await on_topics.say(answer, mail("<3@x>"))
        [(_, last)] = await on_topics.commands(1)

    assert [event.causationid for event, _ in first if event.causationid] == [event.causationid for event, _ in first]
    assert len({command.ticket_id for _, command in first}) == 1
    assert last.message.provider_id == "<3@x>"


async def test_a_poison_record_leaves_the_others_alone(
    kafka: SharedKafka, topics: str, on_topics: Topics, database_url: str
) -> None:
    await configure(database_url, TRIAGE)
    await on_topics.say(mail("<1@x>"))
    await on_topics.publish(replace(event_of(mail("<2@x>")), data=b"{}"))
    await on_topics.say(mail("<3@x>"))
    async with running_router(kafka, topics, database_url):
        commands = await on_topics.commands(2)

    assert {command.message.provider_id for _, command in commands} == {"<1@x>", "<3@x>"}
    connection = await sessions.connect(database_url, application_name="test")
    try:
        assert await connection.fetchval("SELECT count(*) FROM dead_letters") == 1
    finally:
        await connection.close()


async def until_ready_says(port: int, status: int, words: str) -> None:
    async with asyncio.timeout(DEADLINE_SECONDS), httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        while True:
            answer = await client.get("/ready")
            if answer.status_code == status and words in answer.text:
                return
            await asyncio.sleep(0.02)


async def test_messages_wait_visibly_for_the_first_configuration(
    kafka: SharedKafka, topics: str, on_topics: Topics, database_url: str
) -> None:
    [port] = free_ports(1)
    async with running_router(kafka, topics, database_url, port):
        await on_topics.say(mail("<1@x>"))
        await until_ready_says(port, 503, "`firebreak up` or `deploy/prepare.py` applies the first one")
        await configure(database_url, TRIAGE)
        [(_, command)] = await on_topics.commands(1)
        await until_ready_says(port, 200, '"ready"')

    assert command.routing.team == "triage"


async def test_without_a_database_at_its_start_it_waits_and_says_so(kafka: SharedKafka, topics: str) -> None:
    [port, nobody_listens] = free_ports(2)
    async with (
        running_router(kafka, topics, f"postgresql://a:b@127.0.0.1:{nobody_listens}/c", port),
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client,
    ):

        async def says_so() -> bool:
            answer = await client.get("/ready")
            return answer.status_code == 503 and "Connect call failed" in answer.text

        await wait_until(says_so, DEADLINE_SECONDS, "the router to say what it waits for")
