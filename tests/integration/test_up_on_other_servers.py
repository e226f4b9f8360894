"""`firebreak up` on a Kafka and a PostgreSQL that run already: it starts services alone, and leaves nothing behind."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import psutil
import pytest_asyncio
from aiokafka import AIOKafkaConsumer

from firebreak_cli.demo.sample_messages import EMERGENCY, TICKETS
from firebreak_cli.service_process import PACKAGES
from firebreak_cli.signals import SAME_PRESS
from firebreak_cli.stack_layout import PORT_ORDER, StackLayout
from firebreak_cli.stack_state import Phase, read_state
from tests.support.kept_part import wait_until
from tests.support.servers import SharedKafka, SharedPostgres
from tests.support.stack import free_port_base
from ticket_store.migrations import upgrade_async

START_SECONDS = 60.0  # six usual
COMMAND_SECONDS = 30.0
STUCK_SECONDS = 12.0  # less than the 15 a service that does not stop is waited for


@dataclass(frozen=True)
class Installation:
    """The command line on servers of somebody else."""

    data_dir: Path
    environment: dict[str, str]

    async def start(self, command: str, *options: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "firebreak_cli", command, "--data-dir", str(self.data_dir), *options),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=self.environment,
        )

    async def up(self, *options: str) -> tuple[asyncio.subprocess.Process, str]:
        """Start; return once everything runs, with what was printed so far."""
        process = await self.start("up", "--port-base", str(free_port_base(len(PORT_ORDER))), *options)
        assert process.stdout is not None
        shown = ""
        async with asyncio.timeout(START_SECONDS):
            while "Everything runs" not in shown:
                line = await process.stdout.readline()
                assert line, f"it ended:\n{shown}"
                shown += line.decode()
        return process, shown

    async def status(self) -> dict[str, Any]:
        process = await self.start("status", "--json")
        output, _ = await asyncio.wait_for(process.communicate(), COMMAND_SECONDS)
        found: dict[str, Any] = json.loads(output)
        return found

    async def is_stopping(self) -> bool:
        state = read_state(StackLayout(self.data_dir, 0).state_file)
        return state is not None and state.phase is Phase.STOPPING


@pytest_asyncio.fixture
async def installation(
    kafka: SharedKafka, postgres: SharedPostgres, topic_prefix: str, tmp_path: Path
) -> AsyncIterator[Installation]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FIREBREAK_")} | {
        "FIREBREAK_KAFKA": kafka.bootstrap,
        "FIREBREAK_POSTGRES": await postgres.empty_database(),
        "FIREBREAK_TOPIC_PREFIX": topic_prefix,
        "COLUMNS": "80",
    }
    used = Installation(tmp_path / "data", environment)
    yield used
    down = await used.start("down")
    await asyncio.wait_for(down.communicate(), COMMAND_SECONDS)
    await kafka.delete_topics(topic_prefix)


async def test_the_whole_stack_runs_on_servers_that_exist(
    installation: Installation, kafka: SharedKafka, topic_prefix: str
) -> None:
    process, shown = await installation.up()
    assert f"became {TICKETS} tickets" in shown
    assert EMERGENCY.subject in shown
    assert [line for line in shown.splitlines() if len(line) > 80] == []
    status = await installation.status()
    assert {service["name"] for service in status["services"]} == set(PACKAGES)
    assert all(service["ready"] for service in status["services"])
    assert (status["paused"], status["refusals"]) == ([], [])
    process.send_signal(signal.SIGINT)
    assert await asyncio.wait_for(process.wait(), COMMAND_SECONDS) == 0
    assert not any(psutil.pid_exists(service["pid"]) for service in status["services"])
    assert await topic_names(kafka, topic_prefix)  # theirs, with all they hold


async def test_a_second_ctrl_c_does_not_wait_for_a_service_that_hangs(installation: Installation) -> None:
    process, _ = await installation.up("--no-demo")
    pids = {service["name"]: service["pid"] for service in (await installation.status())["services"]}
    psutil.Process(pids["router"]).suspend()
    process.send_signal(signal.SIGINT)
    await wait_until(installation.is_stopping, COMMAND_SECONDS, "the first Ctrl-C begins the stop")
    async with asyncio.timeout(STUCK_SECONDS):
        while process.returncode is None:
            process.send_signal(signal.SIGINT)
            # A person who presses again; within `SAME_PRESS` it would count as the same press.
            await asyncio.wait({asyncio.ensure_future(process.wait())}, timeout=SAME_PRESS)
    assert not any(psutil.pid_exists(pid) for pid in pids.values())


async def test_up_on_a_refused_database_says_why_and_starts_no_service(installation: Installation) -> None:
    url = installation.environment["FIREBREAK_POSTGRES"]
    await upgrade_async(url)
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(
            "INSERT INTO stream_refusals (consumer, topic, partition, reason, command) "
            "VALUES ('router', 'support.messages.v1', 0, 'the topic was deleted', 'firebreak recover')"
        )
    finally:
        await connection.close()
    process = await installation.start("up", "--port-base", str(free_port_base(len(PORT_ORDER))))
    output, _ = await asyncio.wait_for(process.communicate(), START_SECONDS)
    shown = " ".join(output.decode().split())
    assert process.returncode == 1
    for words in ("Nothing can be processed: the topic was deleted", "--data-dir OTHER"):
        assert words in shown
    assert "Starting router" not in shown


async def topic_names(kafka: SharedKafka, prefix: str) -> set[str]:
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka.bootstrap)
    await consumer.start()
    try:
        return {name for name in await consumer.topics() if name.startswith(prefix)}
    finally:
        await consumer.stop()
