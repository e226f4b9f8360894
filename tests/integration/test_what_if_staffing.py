"""`firebreak what-if --staffing` on a real database."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import pytest_asyncio
import typer
from typer.testing import CliRunner, Result

from sla_engine.commands import what_if
from tests.integration.test_history_commands import RAISED_FOR_VIPS, run
from tests.support.sla_engine import OFFICE, STANDARD, EngineUnderTest, configure
from tests.unit.sla_engine.case import AGENT, CUSTOMER_ID, a_message, moment
from ticket_contracts.commands import ReceiveMessage, Reply, Routing, SetStatus
from ticket_contracts.vocabulary import Priority, Status
from ticket_store.sessions import open_pool

SPAN = ("--from", "2026-01-05", "--to", "2026-01-06")
ONE_AGENT = """
supposed:
  service:
    handling: 20m
    shifts: [{agents: 1, calendar: office}]
present:
  service:
    handling: 20m
    handling_by_priority: {urgent: 10m}
    shifts:
      - {agents: 2, calendar: office}
      - {agents: 5, hours: {zone: UTC, week: {monday: ["22:00-24:00"]}}}
"""


@pytest_asyncio.fixture
async def engine(database_url: str) -> AsyncIterator[EngineUnderTest]:
    async with open_pool(database_url, application_name="test engine") as pool:
        await configure(pool, OFFICE, STANDARD)
        under_test = EngineUnderTest(pool)
        for number in range(1, 5):  # four questions at ten, answered together after half an hour, solved an hour later
            await ask_and_answer(under_test, number, "mon 10:00", vip=number == 4)
        await ask_and_answer(under_test, 9, "sun 10:00", week=-1)  # the day before the span
        yield under_test


async def ask_and_answer(engine: EngineUnderTest, number: int, when: str, week: int = 0, vip: bool = False) -> None:
    ticket_id, at = UUID(int=number), moment(when, week) + timedelta(seconds=number)
    asked: dict[str, Any] = {"ticket_id": ticket_id, "actor": AGENT}
    routing = Routing(team="service", priority=Priority.NORMAL, tags=("vip",) if vip else ())
    message = a_message(at, number, message_id=uuid5(ticket_id, "question"))
    for minutes, command in (
        (0, ReceiveMessage(**asked, message=message, contact_id=CUSTOMER_ID, routing=routing)),
        (30, Reply(**asked, text="好")),
        (90, SetStatus(**asked, status=Status.SOLVED)),
    ):
        moved = at + timedelta(minutes=minutes)
        await engine.run([engine.record(command, moved, f"{number}-{minutes}")], now=moved)


@dataclass(frozen=True)
class OneDatabase:
    """An installation of which only the database is asked."""

    postgres: str
    topic_prefix: str = ""

    def need_kafka(self) -> str:
        raise AssertionError("what-if sends nothing")


async def ask(database_url: str, *arguments: str) -> Result:
    """Run the command in this process: starting another one costs more than its work."""
    app = typer.Typer()
    what_if.add_to(app, lambda _: OneDatabase(database_url))
    runner = CliRunner(env={"COLUMNS": "300"})
    return await asyncio.to_thread(lambda: runner.invoke(app, arguments))


def a_file(folder: Path, text: str) -> str:
    file = folder / "staffing.yaml"
    file.write_text(text, encoding="utf-8")
    return str(file)


async def test_fewer_agents_beside_the_present_ones_and_what_really_happened(
    engine: EngineUnderTest, tmp_path: Path, database_url: str
) -> None:
    before = await engine.rows("SELECT ticket_id, version, state FROM tickets ORDER BY ticket_id")
    file = a_file(tmp_path, ONE_AGENT)
    code, output, errors = await run("what-if", "--staffing", file, *SPAN, "--json", FIREBREAK_POSTGRES=database_url)
    assert code == 0, errors
    report = json.loads(output)
    sides = ("real", "present", "supposed")
    assert [report[side]["tickets"] for side in sides] == [4, 4, 4]
    # Answered after 20, 40, 60 and 80 minutes by one agent, after 20, 20, 40 and 40 by two. An hour was promised, and
    # the third asked two seconds after the first.
    assert [report[side]["by_metric"]["first_response"]["met"] for side in sides] == [4, 4, 3]
    waits = [report["waits"][side]["service"] for side in sides]
    assert [each["waits"] for each in waits] == [4, 4, 4]
    assert [each["median_seconds"] // 60 for each in waits] == [30, 20, 39]
    assert [each["p90_seconds"] // 60 for each in waits] == [30, 39, 79]
    assert await engine.rows("SELECT ticket_id, version, state FROM tickets ORDER BY ticket_id") == before


async def test_agents_policies_and_tickets_that_are_read_in_full_go_together(
    engine: EngineUnderTest, tmp_path: Path, database_url: str
) -> None:
    policy = tmp_path / "raised.yaml"
    policy.write_text(RAISED_FOR_VIPS, encoding="utf-8")
    file = a_file(tmp_path, "margin_days: 0\n" + ONE_AGENT.partition("present:")[0])
    arguments = ("--policy", str(policy), "--staffing", file, *SPAN)
    result = await ask(database_url, *arguments, "--json")
    assert result.exit_code == 0, result.output
    supposed = json.loads(result.stdout)["supposed"]
    assert supposed["by_priority"]["high"]["breached"] == 1  # the vip's, the last: after 80 minutes, and raised by then
    assert supposed["by_metric"]["first_response"] == {"met": 3, "breached": 1, "open": 0, "cancelled": 0}
    result = await ask(database_url, *arguments)
    assert result.exit_code == 0, result.output
    assert "4 → 3" in result.stdout
    assert "1 h 19 min" in result.stdout


async def test_what_was_asked_before_the_span_is_in_the_queue_unless_the_margin_leaves_it_out(
    engine: EngineUnderTest, tmp_path: Path, database_url: str
) -> None:
    staffing = ONE_AGENT.partition("present:")[0].replace("20m", "70m")  # Sunday's question is worked on until 10:10
    longest = {}
    for margin in (0, 7):
        file = a_file(tmp_path, f"margin_days: {margin}\n{staffing}")
        result = await ask(database_url, "--staffing", file, *SPAN, "--json")
        assert result.exit_code == 0, result.output
        report = json.loads(result.stdout)
        assert (report["supposed"]["tickets"], report["waits"]["supposed"]["service"]["waits"]) == (4, 4)
        longest[margin] = report["waits"]["supposed"]["service"]["p90_seconds"] // 60
    assert longest == {0: 279, 7: 289}


async def test_what_if_without_a_supposition_is_refused(database_url: str) -> None:
    result = await ask(database_url, *SPAN)
    assert result.exit_code == 2
    assert "--policy, --staffing or both" in result.output


async def test_what_cannot_be_staffed_so_is_named_with_its_field(
    engine: EngineUnderTest, tmp_path: Path, database_url: str
) -> None:
    assert await engine.rows("SELECT 1 FROM tickets")
    wrong = ONE_AGENT.replace("supposed:\n  service", "supposed:\n  sales").replace(
        "2, calendar: office", "2, calendar: x"
    )
    measured = ONE_AGENT.replace("handling: 20m", "handling: measured", 1)
    for text, words in (
        (wrong, "supposed.sales: there is no team named 'sales'"),
        (wrong, "present.service.shifts.0.calendar: there is no calendar named 'x'"),
        (measured, "supposed.service.handling: 3 answers of this team can be measured and 30 are needed"),
    ):
        result = await ask(database_url, "--staffing", a_file(tmp_path, text), *SPAN)
        assert result.exit_code == 2
        assert words in " ".join(result.output.replace("│", " ").split())
