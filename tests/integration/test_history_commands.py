"""`firebreak import` and `firebreak what-if` on real servers."""

import asyncio
import json
import os
import sys
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio
import typer
from aiokafka import AIOKafkaConsumer, TopicPartition
from typer.testing import CliRunner

from sla_engine.commands import import_tickets, send_imports
from sla_engine.commands.import_lines import import_id, read_tickets, readable_twice
from sla_engine.commands.send_imports import ImportRun
from sla_engine.domain.kept_promises import Hours
from sla_engine.domain.ticket import Ticket
from sla_engine.replay_histories import Span, as_they_went
from sla_engine.stored_state import decode_state
from tests.support.servers import SharedKafka
from tests.support.sla_engine import OFFICE, STANDARD, EngineUnderTest, configure, types_of
from tests.unit.sla_engine.case import AGENT, CUSTOMER_ID, a_message, moment
from ticket_contracts.commands import ReceiveMessage, Reply, Routing, SetStatus
from ticket_contracts.envelope import Event, read_event
from ticket_contracts.topics import COMMANDS
from ticket_contracts.upkeep import imported_ticket_id
from ticket_contracts.vocabulary import Priority, Status
from ticket_store.sessions import open_pool
from ticket_stream.edge_publisher import KafkaAway, open_edge_publisher
from ticket_stream.processing import Record

LONG_AFTER = moment("mon 10:00", week=30)

FASTER = """
kind: policy
name: standard
order: 1
calendar: office
targets:
  first_response: {normal: 10m, urgent: 10m}
  resolution: {normal: 3bd, urgent: 4h}
"""

RAISED_FOR_VIPS = """
kind: policy
name: vip
order: 0
match: {tags: [vip]}
calendar: office
targets:
  first_response: {normal: 90m, high: 50m, urgent: 40m}
escalations:
  - {name: raise, metric: first_response, at: "warning:50", raise_priority: true}
"""

RULES = """
kind: automation
name: 退款 refunds
order: 1
on: [opened, message-added]
when: message.words.mentions(["退款", "refund"])
then:
  priority: urgent
  add_tags: [refund]
  notify: [{to: assignee}, {to: agent, name: li.wei}]
---
kind: automation
name: broken
order: 2
on: [opened]
when: ticket.gone == 1
then: {note: x}
---
kind: automation
name: close
order: 3
after: {status: solved, duration: 1bd, calendar: office}
then: {status: closed, reply: "再见 / Good-bye"}
"""


def a_line(number: int, answered: str) -> dict[str, Any]:
    """A ticket of another desk, opened on Monday at ten and answered at a time of that day; solved two days later."""
    return {
        "origin": "old desk",
        "external_id": f"INC{number}",
        "brand": "acme",
        "channel": "email",
        "contact_id": str(CUSTOMER_ID),
        "contact": {"kind": "email", "value": "wang@customer.example"},
        "subject": f"漏水 {number}",
        "team": "service",
        "priority": "normal",
        "opened_at": moment("mon 10:00").isoformat(),
        "steps": [
            {"at": moment(f"mon {answered}").isoformat(), "actor": "anna", "message": {"agent": "anna", "text": "好"}},
            {"at": moment("wed 10:00").isoformat(), "actor": "anna", "status": "solved"},
        ],
    }


@pytest_asyncio.fixture
async def engine(database_url: str) -> AsyncIterator[EngineUnderTest]:
    async with open_pool(database_url, application_name="test engine") as pool:
        await configure(pool, OFFICE, STANDARD)
        yield EngineUnderTest(pool)


def a_file(folder: Path, *lines: dict[str, Any]) -> Path:
    file = folder / "tickets.jsonl"
    file.write_text("\n".join(json.dumps(line, ensure_ascii=False) for line in lines), encoding="utf-8")
    return file


async def run(*arguments: str, **environment: str) -> tuple[int | None, str, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "firebreak_cli",
        *arguments,
        env={**os.environ, "COLUMNS": "300", **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await process.communicate()
    return process.returncode, output.decode(), errors.decode()


async def load(engine: EngineUnderTest, folder: Path, *lines: dict[str, Any]) -> list[str]:
    """Decide the file's tickets in one batch; return what was published."""
    with readable_twice(a_file(folder, *lines)) as source:
        commands = [line.command for line in read_tickets(source)]
    records = [engine.record(each, LONG_AFTER, str(import_id(each))) for each in commands]
    return types_of(await engine.run(records, now=LONG_AFTER))


async def ticket(engine: EngineUnderTest, number: int) -> Ticket:
    query = "SELECT state FROM tickets WHERE ticket_id = $1"
    [row] = await engine.rows(query, imported_ticket_id("old desk", f"INC{number}"))
    return decode_state(row["state"])


async def test_an_import_tells_what_became_of_every_line_and_a_repeat_is_safe(
    engine: EngineUnderTest,
    tmp_path: Path,
    kafka: SharedKafka,
    topics: str,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(send_imports, "AT_ONCE", 1)
    monkeypatch.setattr(send_imports, "UNDER_WAY", 3)
    wrong = a_line(2, "10:30")
    wrong["steps"].append({"at": moment("wed 11:00").isoformat(), "actor": "anna", "status": "pending"})
    file = a_file(tmp_path, a_line(1, "10:05"), wrong, a_line(3, "10:30"), a_line(3, "10:30"))
    servers = Servers(database_url, topics, kafka.bootstrap)
    code, output = await servers.import_file(file, wait=0)
    assert code == 1, output
    assert "4 tickets: 0 imported, 0 there already, 0 refused" in output
    assert "Still under way: 1, not sent: 3;" in output

    waits = asyncio.create_task(servers.import_file(file, wait=60))
    async with asyncio.timeout(60):
        while len(sent := await read_records(kafka.bootstrap, topics + COMMANDS.name)) < 4:
            assert not waits.done(), waits.result()
    assert len({event.id for event in sent}) == 3
    await engine.run([as_sent(engine, event) for event in sent], now=LONG_AFTER)
    code, output = await waits
    assert code == 1, output
    assert "4 tickets: 2 imported, 1 there already, 1 refused" in output
    assert "line 2: steps.2: a ticket that is solved cannot become pending" in output
    assert "under way" not in output

    file = a_file(tmp_path, a_line(1, "10:05"), a_line(3, "10:30"))
    code, output = await servers.import_file(file, wait=60)
    assert code == 0, output
    assert "✔ 2 tickets: 0 imported, 2 there already, 0 refused" in output
    assert len(await read_records(kafka.bootstrap, topics + COMMANDS.name)) == 4


@dataclass(frozen=True)
class Servers:
    """An Installation, and `firebreak import` on it in a thread of its own: a process each time takes seconds."""

    postgres: str
    topic_prefix: str
    kafka: str

    def need_kafka(self) -> str:
        return self.kafka

    async def import_file(self, file: Path, *, wait: float) -> tuple[int, str]:
        """Return exit code and output."""
        app = typer.Typer()
        import_tickets.add_to(app, lambda _: self)
        ended = await asyncio.to_thread(CliRunner().invoke, app, [str(file), "--wait", str(wait)])
        return ended.exit_code, ended.output


def as_sent(engine: EngineUnderTest, event: Event) -> Record:
    """Return the event as the record that the engine reads."""
    assert event.subject is not None
    return engine.raw_record(event.subject, event.type, event.data, LONG_AFTER, event.id)


async def read_records(bootstrap: str, topic: str) -> list[Event]:
    """Return every event of a topic."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    try:
        partitions = [TopicPartition(topic, number) for number in range(COMMANDS.partitions_local)]
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        found: list[Event] = []
        while len(found) < sum(ends.values()):
            for batch in (await consumer.getmany(timeout_ms=200)).values():
                found += [read_event(record.headers, record.value) for record in batch]
        return found
    finally:
        await consumer.stop()


async def test_an_import_sends_nothing_while_it_cannot_read_outcomes_and_says_when_kafka_is_away(
    tmp_path: Path, database_url: str
) -> None:
    async with (
        open_edge_publisher("127.0.0.1:9", "away.", publish_seconds=0.1) as publisher,
        open_pool(database_url, application_name="test import", max_size=1) as pool,
    ):
        with readable_twice(a_file(tmp_path, a_line(1, "10:05"))) as source:
            with pytest.raises(KafkaAway):
                await ImportRun(pool, publisher, read_tickets(source)).run(60, lambda _: None)
            await pool.close()
            run = ImportRun(pool, publisher, read_tickets(source))
            await run.run(0.2, lambda _: None)
    assert (run.tally.known, run.tally.waiting) == (0, {})
    assert run.trouble.startswith("the outcomes cannot be read: ")


async def test_imported_tickets_have_numbers_and_their_own_times_and_alarm_nobody(
    engine: EngineUnderTest, tmp_path: Path
) -> None:
    published = await load(engine, tmp_path, a_line(1, "10:05"), a_line(2, "12:00"))
    assert not [each for each in published if each.startswith("alert")]
    one, two = await ticket(engine, 1), await ticket(engine, 2)
    assert {one.summary.number, two.summary.number} == {1001, 1002}
    assert [clock.status for clock in one.clocks] == ["met", "breached"]
    assert [clock.status for clock in two.clocks] == ["breached", "breached"]
    assert await load(engine, tmp_path, a_line(1, "10:05")) == []


async def test_a_line_that_is_no_ticket_is_named_with_its_field(tmp_path: Path) -> None:
    file = a_file(tmp_path, a_line(1, "10:05"), {**a_line(2, "10:05"), "priority": "very"})
    code, _, errors = await run("import", str(file), FIREBREAK_POSTGRES="postgresql://none@127.0.0.1:9/none")
    assert code == 2
    assert "line 2: priority" in " ".join(errors.split())
    assert "Traceback" not in errors


async def test_what_if_shows_both_sides_and_changes_nothing(
    engine: EngineUnderTest, tmp_path: Path, database_url: str
) -> None:
    await load(engine, tmp_path, a_line(1, "10:05"), a_line(2, "10:30"), a_line(3, "12:00"))
    before = await engine.rows("SELECT ticket_id, version, state FROM tickets ORDER BY ticket_id")
    policy = tmp_path / "faster.yaml"
    policy.write_text(FASTER, encoding="utf-8")
    span = ("--from", "2026-01-01", "--to", "2026-02-01")
    shown = ("--timezone", "Europe/Berlin", "--json")
    code, output, errors = await run("what-if", "--policy", str(policy), *span, *shown, FIREBREAK_POSTGRES=database_url)
    assert code == 0, errors
    report = json.loads(output)
    assert report["real"]["tickets"] == 3
    assert report["timezone"] == "Europe/Berlin"
    assert [set(report[side]["by_hour"]) for side in ("real", "supposed")] == [{"11"}, {"11"}]
    assert report["real"]["by_metric_and_team"]["first_response"]["service"]["met"] == 2
    results = {side: report[side]["by_metric"] for side in ("real", "supposed")}
    assert (results["real"]["first_response"]["met"], results["supposed"]["first_response"]["met"]) == (2, 1)
    assert (results["real"]["resolution"]["met"], results["supposed"]["resolution"]["met"]) == (0, 3)
    assert await engine.rows("SELECT ticket_id, version, state FROM tickets ORDER BY ticket_id") == before


async def test_hours_of_stored_clocks_are_those_of_the_zone_and_not_of_the_servers_idea_of_it(
    engine: EngineUnderTest, tmp_path: Path
) -> None:
    await load(engine, tmp_path, *(a_line(number, "10:05") for number in range(1, 6)))
    await engine.rows(
        "UPDATE clocks SET started_at = started_at + (number - 1001) * interval '91 days 23 minutes' "
        "FROM tickets WHERE clocks.ticket_id = tickets.ticket_id"
    )
    starts = [row["started_at"] for row in await engine.rows("SELECT started_at FROM clocks")]
    until = max(starts)
    for zone in map(ZoneInfo, ("CET", "Asia/Kolkata", "Europe/Berlin", "UTC")):
        async with engine.pool.acquire() as connection:
            span = Span(datetime(2025, 1, 1, tzinfo=UTC), until, until, Hours(zone, until))
            real = await as_they_went(connection, span)
        counted = Counter(hour for hour, _ in real.by("hour").elements())
        assert counted == Counter(f"{start.astimezone(zone):%H}" for start in starts), zone


async def test_what_if_lets_supposed_steps_act_on_the_tickets_that_come_under_them(
    engine: EngineUnderTest, tmp_path: Path, database_url: str
) -> None:
    await live(engine, 1, "seal", moment("mon 10:00"), tags=("vip",))
    await live(engine, 2, "pump", moment("mon 10:00"))
    policy = tmp_path / "raised.yaml"
    policy.write_text(RAISED_FOR_VIPS, encoding="utf-8")
    span = ("--from", "2026-01-01", "--to", "2026-02-01")
    code, output, errors = await run(
        "what-if", "--policy", str(policy), *span, "--json", FIREBREAK_POSTGRES=database_url
    )
    assert code == 0, errors
    real, supposed = (json.loads(output)[side] for side in ("real", "supposed"))
    assert (real["tickets"], supposed["tickets"]) == (2, 2)
    assert set(real["by_priority"]) == {"normal"}
    raised, untouched = (supposed["by_priority"][priority] for priority in ("high", "normal"))
    assert (raised["met"], raised["breached"]) == (0, 1)  # answered after an hour: in time, had no step come
    assert (untouched["met"], untouched["breached"]) == (1, 1)


async def test_what_if_refuses_a_policy_that_does_not_hold(
    engine: EngineUnderTest, tmp_path: Path, database_url: str
) -> None:
    assert await engine.rows("SELECT 1 FROM configuration_documents")
    policy = tmp_path / "wrong.yaml"
    policy.write_text(FASTER.replace("calendar: office", "calendar: nowhere"), encoding="utf-8")
    span = ("--from", "2026-01-01", "--to", "2026-02-01")
    code, _, errors = await run("what-if", "--policy", str(policy), *span, FIREBREAK_POSTGRES=database_url)
    assert code == 2
    assert "there is no calendar named 'nowhere'" in " ".join(errors.split())


async def test_an_automation_dry_run_shows_what_rules_would_have_done_and_changes_nothing(
    engine: EngineUnderTest, tmp_path: Path, database_url: str
) -> None:
    now = datetime.now(UTC)
    for number, text in enumerate(["我要退款", "REFUND please", "hello"], start=1):
        await live(engine, number, text, now - timedelta(days=6))
    before = await engine.rows("SELECT ticket_id, version, state FROM tickets ORDER BY ticket_id")
    file = tmp_path / "rules.yaml"
    file.write_text(RULES, encoding="utf-8")

    code, output, errors = await run(
        "automation", "dry-run", str(file), "--days", "7", "--json", FIREBREAK_POSTGRES=database_url
    )
    assert code == 0, errors
    report = json.loads(output)
    refunds, broken, close = (report["rules"][name] for name in ("退款 refunds", "broken", "close"))
    assert report["tickets"] == 3
    assert (refunds["ran"], refunds["numbers"]) == (2, [1001, 1002])
    assert refunds["done"] == {"priority urgent": 2, "tags +refund": 2, "notify": 2}
    assert refunds["notified"] == {"li.wei@acme.example": 2}
    assert (broken["ran"], broken["held_back"]) == (0, {"failed": 3})
    assert (close["ran"], close["done"]) == (3, {"status closed": 3})
    assert close["refused"] == {"reply: the ticket is closed; a follow-up of it, by an agent or a customer, goes on": 3}
    assert await engine.rows("SELECT ticket_id, version, state FROM tickets ORDER BY ticket_id") == before


async def live(engine: EngineUnderTest, number: int, text: str, at: datetime, *, tags: tuple[str, ...] = ()) -> None:
    """Let a customer write, and an agent answer and solve, each an hour later."""
    ticket_id = UUID(int=number)
    message = a_message(at, number, message_id=uuid5(ticket_id, text), text=text)
    asked = {"ticket_id": ticket_id, "actor": AGENT}
    routing = Routing(team="service", priority=Priority.NORMAL, tags=tags)
    steps = (
        ReceiveMessage(**asked, message=message, contact_id=CUSTOMER_ID, routing=routing),
        Reply(**asked, text="好"),
        SetStatus(**asked, status=Status.SOLVED),
    )
    for hours, command in enumerate(steps):
        when = at + timedelta(hours=hours)
        await engine.run([engine.record(command, when, f"{number}-{hours}")], now=when)
