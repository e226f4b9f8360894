"""A newcomer runs `firebreak up`: sees tickets, sees a breach within a minute, stops it, starts it again."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest_asyncio

from firebreak_cli.demo.sample_messages import EMERGENCY, TICKETS
from firebreak_cli.stack_layout import PORT_ORDER
from tests.support.servers import server_folder
from tests.support.stack import free_port_base

START_DEADLINE = 120.0  # seconds; ten to twenty usual, and other tests run beside
BREACH_DEADLINE = 60.0  # seconds; what the demonstration promises
STOP_DEADLINE = 40.0  # seconds; about two usual


class Firebreak:
    """The command line on one data directory."""

    def __init__(self, data_dir: Path, port_base: int) -> None:
        self._data_dir = data_dir
        self._port_base = port_base

    async def start(self, command: str, *options: str) -> asyncio.subprocess.Process:
        arguments = ["-m", "firebreak_cli", command, "--data-dir", str(self._data_dir), *options]
        arguments += ["--port-base", str(self._port_base)] if command == "up" else []
        return await asyncio.create_subprocess_exec(
            sys.executable,
            *arguments,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env={**own_environment(), "COLUMNS": "200"},
        )

    async def run(self, command: str, *options: str) -> tuple[int | None, str]:
        """Run a command to its end; return its exit code and what it said."""
        process = await self.start(command, *options)
        output, _ = await asyncio.wait_for(process.communicate(), START_DEADLINE)
        return process.returncode, output.decode()

    async def status(self) -> dict[str, Any]:
        code, output = await self.run("status", "--json")
        assert code in {0, 3}, output
        status: dict[str, Any] = json.loads(output)
        return status


def own_environment() -> dict[str, str]:
    """Return our environment without what would point the command at other servers or folders."""
    return {name: value for name, value in os.environ.items() if not name.startswith("FIREBREAK_")}


@pytest_asyncio.fixture
async def firebreak() -> AsyncIterator[Firebreak]:
    with server_folder() as folder:
        command = Firebreak(folder, free_port_base(len(PORT_ORDER)))
        yield command
        await command.run("down")


async def read_until(process: asyncio.subprocess.Process, words: str, deadline: float) -> str:
    """Return everything printed up to the line that contains `words`."""
    assert process.stdout is not None
    seen = ""
    async with asyncio.timeout(deadline):
        while words not in seen:
            line = await process.stdout.readline()
            assert line, f"it ended without saying {words!r}:\n{seen}"
            seen += line.decode()
    return seen


def pids(status: dict[str, Any]) -> dict[str, int]:
    return {service["name"]: service["pid"] for service in status["services"]}


async def test_a_newcomer_sees_the_tickets_and_a_breach_within_a_minute(firebreak: Firebreak) -> None:
    process = await firebreak.start("up")
    shown = await read_until(process, "Everything runs", START_DEADLINE)
    assert f"became {TICKETS} tickets" in shown
    assert EMERGENCY.subject in shown
    alerts = await read_until(process, "BREACHED", BREACH_DEADLINE)
    assert [share for share in ("50 %", "75 %", "90 %") if share in alerts] == ["50 %", "75 %", "90 %"]
    running = pids(await firebreak.status())
    process.send_signal(signal.SIGINT)
    assert await asyncio.wait_for(process.wait(), STOP_DEADLINE) == 0
    assert not any(psutil.pid_exists(pid) for pid in running.values())


async def test_a_stack_in_the_background_is_shown_refused_twice_and_stopped(firebreak: Firebreak) -> None:
    code, output = await firebreak.run("up", "--detach", "--no-demo")
    assert code == 0, output
    status = await firebreak.status()
    assert all(service["ready"] for service in status["services"]), status
    ingestors = {"ingest-webhook", "ingest-email", "ingest-pull", "ingest-files"}
    services = {"router", "sla-engine", "crm-api", *ingestors}
    assert {"kafka", "postgres", *services} == set(pids(status))
    code, output = await firebreak.run("up", "--detach", "--no-demo")
    assert code == 1
    assert "belongs to a stack that is running" in " ".join(output.split())
    code, output = await firebreak.run("down")
    assert code == 0, output
    assert not any(psutil.pid_exists(pid) for pid in pids(status).values())
    assert (await firebreak.status())["services"] == []


async def test_after_its_supervisor_was_killed_a_stack_goes_on_with_its_tickets(firebreak: Firebreak) -> None:
    code, output = await firebreak.run("up", "--detach")
    assert code == 0, output
    before = await firebreak.status()
    numbers = await ticket_numbers(before)
    assert len(numbers) == TICKETS
    supervisor = psutil.Process(pids(before)["router"]).parent()
    assert supervisor is not None
    supervisor.kill()
    code, output = await firebreak.run("up", "--detach", "--no-demo")
    assert code == 0, output
    after = await firebreak.status()
    assert await ticket_numbers(after) == numbers
    assert not any(psutil.pid_exists(pid) for pid in pids(before).values())


async def ticket_numbers(status: dict[str, Any]) -> set[int]:
    async with httpx.AsyncClient(trust_env=False) as client:
        response = await client.get(
            f"{status['api']}/v1/tickets", headers={"authorization": f"Bearer {key_of(status)}"}
        )
    return {ticket["number"] for ticket in response.raise_for_status().json()["items"]}


def key_of(status: dict[str, Any]) -> str:
    return Path(status["api_key_file"]).read_text(encoding="ascii").strip()
