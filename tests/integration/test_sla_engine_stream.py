"""The engine put together as its process is: from the topic of commands to facts, alerts and commands."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import pytest_asyncio
from aiokafka import AIOKafkaConsumer, TopicPartition

from service_kit.supervisor import Supervisor
from sla_engine.check_fold import TicketRange, check_folds
from sla_engine.settings import SlaEngineSettings
from sla_engine.wiring import wiring
from tests.support.fold_exactness import find_fold_flaws
from tests.support.servers import SharedKafka
from tests.support.sla_engine import configure
from tests.unit.sla_engine.case import AGENT, CUSTOMER_ID, MACHINE, a_message
from ticket_contracts.alerts import RuleNotice
from ticket_contracts.commands import Command, ReceiveMessage, Reply, Routing, SetStatus
from ticket_contracts.envelope import Event, read_event
from ticket_contracts.exchanges import Merge, follow_up_id
from ticket_contracts.topics import ALERTS, COMMANDS, TICKETS
from ticket_contracts.vocabulary import Priority, Status
from ticket_store.documents import Calendar, Policy
from ticket_store.sessions import Pool, open_pool
from ticket_store.workflow_documents import Automation
from ticket_stream.edge_publisher import EdgePublisher, open_edge_publisher
from ticket_stream.failpoints import Failpoint

DEADLINE_SECONDS = 30

WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
ALWAYS = Calendar.model_validate({"name": "always", "week": {day: ["00:00-24:00"] for day in WEEK}})
SECONDS = Policy.model_validate(
    {
        "name": "seconds",
        "order": 1,
        "calendar": "always",
        "targets": {"first_response": {"normal": "2s"}, "resolution": {"normal": "1h"}},
        "warnings": [50],
        "escalations": [
            {
                "name": "tell Li Wei",
                "metric": "first_response",
                "at": "breach",
                "notify": [{"to": "agent", "name": "li.wei"}],
            }
        ],
    }
)

TELL = Automation.model_validate(
    {
        "name": "leak 漏水",
        "order": 1,
        "on": ["opened"],
        "when": 'message.words.mentions(["漏水", "leak"])',
        "then": {"priority": "urgent", "note": "漏水先处理", "notify": [{"to": "agent", "name": "li.wei"}]},
    }
)
CLOSE = Automation.model_validate(
    {
        "name": "close",
        "order": 2,
        "after": {"status": "solved", "duration": "1s"},
        "then": {"status": "closed"},
    }
)


class Surroundings:
    """The topics and the database of one test."""

    def __init__(self, publisher: EdgePublisher, consumer: AIOKafkaConsumer, pool: Pool) -> None:
        self._publisher = publisher
        self._consumer = consumer
        self.pool = pool
        self.seen: list[Event] = []

    async def ask(self, command: Command, *, data: bytes | None = None) -> str:
        """Publish a command, or under its name other data, and return its id."""
        event = Event(
            id=str(uuid4()),
            source="/test",
            type=command.event_type,
            time=datetime.now(UTC),
            data=command.encode() if data is None else data,
        )
        await self._publisher.publish(COMMANDS, str(command.ticket_id), event)
        return event.id

    async def until(self, holds: Callable[[list[Event]], bool]) -> list[Event]:
        """Read facts and alerts until a condition holds for all seen so far."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            while not holds(self.seen):
                for records in (await self._consumer.getmany(timeout_ms=500)).values():
                    self.seen += [read_event(record.headers, record.value) for record in records]
        return self.seen

    async def outcome(self, command_id: str) -> str:
        query = "SELECT outcome FROM command_outcomes WHERE command_id = $1"
        async with asyncio.timeout(DEADLINE_SECONDS), self.pool.acquire() as connection:
            while True:
                outcome = await connection.fetchval(query, command_id)
                if outcome is not None:
                    return str(outcome)
                await asyncio.sleep(0.02)


@pytest_asyncio.fixture
async def around(kafka: SharedKafka, topics: str, database_url: str) -> AsyncIterator[Surroundings]:
    consumer = AIOKafkaConsumer(
        bootstrap_servers=kafka.bootstrap, auto_offset_reset="earliest", enable_auto_commit=False
    )
    consumer.assign([TopicPartition(topics + topic.name, n) for topic in (TICKETS, ALERTS) for n in range(6)])
    await consumer.start()
    try:
        async with (
            open_edge_publisher(kafka.bootstrap, topics) as publisher,
            open_pool(database_url, application_name="test") as pool,
        ):
            await configure(pool, ALWAYS, SECONDS)
            yield Surroundings(publisher, consumer, pool)
    finally:
        await consumer.stop()


@asynccontextmanager
async def running_engine(kafka: SharedKafka, prefix: str, database_url: str) -> AsyncIterator[None]:
    settings = SlaEngineSettings(port=0, kafka=kafka.bootstrap, topic_prefix=prefix, postgres=database_url)
    supervisor = Supervisor()
    async with wiring(settings, supervisor):
        yield
    assert supervisor.failure is None


async def engine_that_dies(
    kafka: SharedKafka, prefix: str, database_url: str, record: Path, *, after_commits: int
) -> int | None:
    """Run an engine in a process that kills itself once so much is committed and the last not published."""
    environment = {
        "FIREBREAK_FAILPOINT": Failpoint.COMMITTED_NOT_PUBLISHED.value,
        "FIREBREAK_FAILPOINT_HIT": str(after_commits),
        "FIREBREAK_FAILPOINT_RECORD": str(record),
        "FIREBREAK_PORT": "0",
        "FIREBREAK_KAFKA": kafka.bootstrap,
        "FIREBREAK_TOPIC_PREFIX": prefix,
        "FIREBREAK_POSTGRES": database_url,
    }
    module = ("-m", "tests.support.failpoint_service", "sla-engine")
    process = await asyncio.create_subprocess_exec(
        sys.executable, *module, env=os.environ | environment, stdout=asyncio.subprocess.DEVNULL
    )
    try:
        return await asyncio.wait_for(process.wait(), DEADLINE_SECONDS)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def received(ticket_id: UUID, number: int = 1) -> ReceiveMessage:
    message = a_message(datetime.now(UTC), number)
    routing = Routing(team="service", priority=Priority.NORMAL)
    return ReceiveMessage(ticket_id=ticket_id, actor=MACHINE, message=message, contact_id=CUSTOMER_ID, routing=routing)


def count_of(events: list[Event], kind: str) -> int:
    return sum(event.type == f"firebreak.{kind}.v1" for event in events)


async def test_an_unanswered_ticket_is_warned_of_breaches_and_escalates_once_by_its_own_timer_across_a_restart(
    kafka: SharedKafka, topics: str, database_url: str, around: Surroundings
) -> None:
    ticket_id = uuid4()
    async with running_engine(kafka, topics, database_url):
        await around.ask(received(ticket_id))
        await around.until(lambda seen: count_of(seen, "ticket.opened") == 1)
    async with running_engine(kafka, topics, database_url):
        await around.until(lambda seen: count_of(seen, "alert.sla-breached") == 1)
        reply = await around.ask(Reply(ticket_id=ticket_id, actor=AGENT, text="On our way"))
        assert await around.outcome(reply) == "applied"
        seen = await around.until(lambda seen: count_of(seen, "ticket.clock-stopped") == 1)
    assert count_of(seen, "alert.sla-warning") == 1
    [alert] = [json.loads(event.data) for event in seen if event.type == "firebreak.alert.sla-breached.v1"]
    assert [(alarm["kind"], alarm.get("step")) for alarm in alert["alarms"]] == [
        ("breach", None),
        ("escalation", "tell Li Wei"),
    ]
    assert [person["email"] for person in alert["recipients"]] == ["li.wei@acme.example"]
    assert count_of(seen, "ticket.escalated") == 1


async def test_a_reply_in_time_prevents_the_breach(
    kafka: SharedKafka, topics: str, database_url: str, around: Surroundings
) -> None:
    answered, ignored = uuid4(), uuid4()
    async with running_engine(kafka, topics, database_url):
        await around.ask(received(answered))
        await around.ask(Reply(ticket_id=answered, actor=AGENT, text="On our way"))
        await around.ask(received(ignored))
        seen = await around.until(lambda seen: count_of(seen, "alert.sla-breached") == 1)
    assert {event.subject for event in seen if "alert" in event.type} == {str(ignored)}


async def test_a_message_for_a_closed_ticket_travels_through_the_topic_to_its_follow_up(
    kafka: SharedKafka, topics: str, database_url: str, around: Surroundings
) -> None:
    ticket_id = uuid4()
    async with running_engine(kafka, topics, database_url):
        await around.ask(received(ticket_id))
        await around.ask(SetStatus(ticket_id=ticket_id, actor=AGENT, status=Status.CLOSED))
        await around.ask(received(ticket_id, 2))
        await around.ask(received(ticket_id, 3))
        successor = str(follow_up_id(ticket_id))
        seen = await around.until(lambda seen: sum(event.subject == successor for event in seen) >= 2)
    of_successor = [event.type for event in seen if event.subject == successor and "clock" not in event.type]
    assert of_successor[:2] == ["firebreak.ticket.opened.v1", "firebreak.ticket.message-added.v1"]


async def test_an_unreadable_command_becomes_a_dead_letter_and_its_caller_is_told(
    kafka: SharedKafka, topics: str, database_url: str, around: Surroundings
) -> None:
    ticket_id = uuid4()
    async with running_engine(kafka, topics, database_url):
        await around.ask(received(ticket_id))
        broken = await around.ask(SetStatus(ticket_id=ticket_id, actor=AGENT, status=Status.OPEN), data=b"{}")
        sound = await around.ask(SetStatus(ticket_id=ticket_id, actor=AGENT, status=Status.OPEN))
        assert await around.outcome(broken) == "failed"
        assert await around.outcome(sound) == "applied"


async def test_of_two_opposite_merges_with_the_engine_killed_between_their_steps_one_is_carried_out_once(
    kafka: SharedKafka, topics: str, database_url: str, around: Surroundings, tmp_path: Path
) -> None:
    low, high = sorted((uuid4(), uuid4()))
    for number, ticket_id in enumerate((low, high), start=1):
        await around.ask(received(ticket_id, number))
    await around.ask(Merge(ticket_id=low, actor=AGENT, target_id=high))
    await around.ask(Merge(ticket_id=high, actor=AGENT, target_id=low))
    died = await engine_that_dies(kafka, topics, database_url, tmp_path / "hit", after_commits=2)
    assert died == -signal.SIGKILL
    assert await around.pool.fetchval("SELECT count(*) FROM ticket_events WHERE type LIKE '%.merged.v1'") == 0
    async with running_engine(kafka, topics, database_url):
        seen = await around.until(
            lambda seen: count_of(seen, "ticket.merged") > 0 and count_of(seen, "ticket.merge-refused") > 0
        )
    merges = {(event.subject, event.type, event.source, event.sequence) for event in seen if ".merge" in event.type}
    assert sorted((subject, kind.split(".")[2]) for subject, kind, *_ in merges) == sorted(
        [(str(low), "merge-begun"), (str(high), "merge-begun"), (str(low), "merge-refused"), (str(high), "merged")]
    )
    rows = await around.pool.fetch("SELECT ticket_id, status, successor_id FROM tickets")
    assert {row["ticket_id"]: (row["status"], row["successor_id"]) for row in rows} == {
        low: ("new", None),
        high: ("closed", low),
    }
    assert await find_fold_flaws(database_url) == []


async def test_rules_act_on_facts_and_at_their_time_and_each_action_names_its_rule(
    kafka: SharedKafka, topics: str, database_url: str, around: Surroundings
) -> None:
    ticket_id = uuid4()
    await configure(around.pool, ALWAYS, SECONDS, TELL, CLOSE)
    async with running_engine(kafka, topics, database_url):
        await around.ask(received(ticket_id))
        await around.ask(SetStatus(ticket_id=ticket_id, actor=AGENT, status=Status.SOLVED))
        seen = await around.until(lambda seen: count_of(seen, "ticket.rule-ran") == 2 and "closed" in states(seen))
    assert count_of(seen, "alert.rule-notice") == 1
    [notice] = [json.loads(event.data) for event in seen if event.type == RuleNotice.event_type]
    assert [person["email"] for person in notice["recipients"]] == ["li.wei@acme.example"]
    async with around.pool.acquire() as connection:
        rows = await connection.fetch("SELECT * FROM ticket_events WHERE ticket_id = $1 ORDER BY version", ticket_id)
        page = await anext(check_folds(connection, TicketRange(ticket_id, ticket_id)))
    told = [json.loads(row["data"]) for row in rows]
    by_rule = {(fact["actor"]["id"], row["type"].split(".")[2]) for fact, row in zip(told, rows, strict=True)}
    assert {
        ("automation:leak 漏水", "rule-ran"),
        ("automation:leak 漏水", "priority-changed"),
        ("automation:leak 漏水", "message-added"),
        ("automation:close", "rule-ran"),
        ("automation:close", "status-changed"),
    } <= by_rule
    assert (page.tickets, page.differences) == (1, [])


def states(seen: list[Event]) -> list[str]:
    """Return the statuses that the ticket went through."""
    return [json.loads(event.data)["ticket"]["status"] for event in seen if "status-changed" in event.type]
