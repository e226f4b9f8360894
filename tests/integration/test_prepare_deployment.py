"""`deploy/prepare.py` as a Job runs it: a process of its own, on a real Kafka and an empty real database."""

import asyncio
import json
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import httpx
import pytest
import pytest_asyncio

from firebreak_cli.local_stack.ports import free_ports
from service_kit.api_keys import generate, hash_key
from tests.support.deployment_files import write_sources
from tests.support.servers import SharedKafka, SharedPostgres
from tests.support.workspace_services import ROOT
from tests.unit.deploy.environment import DOCKERFILE
from ticket_contracts.topics import TOPICS
from ticket_store.configuration import read_head
from ticket_store.roles import SERVICES, role_of
from ticket_stream.topic_admin import read_partition_counts

START_SECONDS = 30  # a Python process on a busy machine
ASK_EVERY = 0.05
EXAMPLE = ROOT / "libs" / "firebreak-cli" / "src" / "firebreak_cli" / "example_configuration"


@pytest_asyncio.fixture
async def environment(kafka: SharedKafka, postgres: SharedPostgres, topic_prefix: str) -> AsyncIterator[dict[str, str]]:
    """What the Job gets, for a database and topics that do not exist yet."""
    yield _environment(kafka, await postgres.empty_database(), topic_prefix)
    await kafka.delete_topics(topic_prefix)


@pytest_asyncio.fixture(scope="module")
async def prepared(kafka: SharedKafka, postgres: SharedPostgres) -> AsyncIterator[dict[str, str]]:
    """The same for an installation that is prepared; it is shared."""
    environment = _environment(kafka, await postgres.empty_database(), "test-prepared.")
    code, output = await prepare(environment)
    assert code == 0, output
    yield environment
    await kafka.delete_topics("test-prepared.")


def _environment(kafka: SharedKafka, owner: str, topic_prefix: str) -> dict[str, str]:
    urls = {service: _as_role(owner, role_of(service)) for service in SERVICES}
    return {
        "FIREBREAK_KAFKA": kafka.bootstrap,
        "FIREBREAK_TOPIC_PREFIX": topic_prefix,
        "FIREBREAK_POSTGRES": owner,
        **{f"FIREBREAK_{service.replace('-', '_').upper()}_POSTGRES": url for service, url in urls.items()},
        "FIREBREAK_PARTITIONS": "local",
        "FIREBREAK_REPLICATION": "1",
        "FIREBREAK_CONFIGURATION_DIRECTORY": str(EXAMPLE),
        "FIREBREAK_FIRST_API_KEY": generate(),
    }


async def prepare(environment: dict[str, str]) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(ROOT / "deploy" / "prepare.py"),
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode, output.decode()


async def test_an_installation_is_prepared_once_and_a_second_run_changes_nothing(environment: dict[str, str]) -> None:
    for _ in range(2):
        code, output = await prepare(environment)
        assert code == 0, output
        assert "secret" not in output
    counts = await read_partition_counts(environment["FIREBREAK_KAFKA"], environment["FIREBREAK_TOPIC_PREFIX"], TOPICS)
    assert counts == {topic.name: topic.partitions_local for topic in TOPICS}
    connection = await asyncpg.connect(environment["FIREBREAK_POSTGRES"])
    try:
        assert await read_head(connection) == 1
        stored = await connection.fetch("SELECT key_hash, scopes FROM api_keys")
    finally:
        await connection.close()
    key_hash = hash_key(environment["FIREBREAK_FIRST_API_KEY"])
    assert [tuple(row) for row in stored] == [(key_hash, ["read", "write", "admin"])]


async def test_each_service_can_log_in_with_what_it_was_given(prepared: dict[str, str]) -> None:
    for service in SERVICES:
        connection = await asyncpg.connect(prepared[f"FIREBREAK_{service.replace('-', '_').upper()}_POSTGRES"])
        try:
            assert await connection.fetchval("SELECT current_user") == role_of(service)
        finally:
            await connection.close()


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("FIREBREAK_ROUTER_POSTGRES", "postgresql://somebody:word@127.0.0.1/x", "firebreak_router"),
        ("FIREBREAK_FIRST_API_KEY", "fb_not-a-key", "checksum"),
    ],
)
async def test_a_wrong_setting_is_refused_before_anything_is_made(
    environment: dict[str, str], variable: str, value: str, words: str
) -> None:
    code, output = await prepare(environment | {variable: value})
    assert code == 78
    assert words in output
    assert value not in output
    connection = await asyncpg.connect(environment["FIREBREAK_POSTGRES"])
    try:
        assert await connection.fetchval("SELECT to_regclass('tickets')") is None
    finally:
        await connection.close()


async def test_a_database_that_is_away_is_said_in_one_line(environment: dict[str, str]) -> None:
    code, output = await prepare(environment | {"FIREBREAK_POSTGRES": "postgresql://u:secret@127.0.0.1:1/x"})
    assert code == 1
    assert "a server is away" in output
    assert "secret" not in output
    assert "Traceback" not in output


@pytest.mark.parametrize("service", SERVICES)
async def test_a_service_becomes_ready_as_the_role_that_was_made_for_it(
    prepared: dict[str, str], service: str, tmp_path: Path
) -> None:
    [port] = free_ports(1)
    write_sources(tmp_path / "sources.yaml")
    given = {
        "FIREBREAK_KAFKA": prepared["FIREBREAK_KAFKA"],
        "FIREBREAK_TOPIC_PREFIX": prepared["FIREBREAK_TOPIC_PREFIX"],
        "FIREBREAK_POSTGRES": prepared[f"FIREBREAK_{service.replace('-', '_').upper()}_POSTGRES"],
        "FIREBREAK_PORT": str(port),
        "FIREBREAK_SOURCES_FILE": str(tmp_path / "sources.yaml"),
        "FIREBREAK_PULL_SOURCES_FILE": str(ROOT / "deploy" / "example" / "pull-sources.yaml"),
        "FIREBREAK_MAILBOXES_FILE": str(ROOT / "deploy" / "example" / "mailboxes.yaml"),
        "FIREBREAK_SMTP_PORT": "0",
        "FIREBREAK_OBJECT_STORE": (tmp_path / "objects").as_uri(),
    }
    # The console script, as the image's entry point runs it.
    process = await asyncio.create_subprocess_exec(str(Path(sys.executable).with_name(service)), env=given)
    try:
        await until_ready(process, port)
        [health_check] = re.findall(r"^HEALTHCHECK .*?CMD (.+)$", DOCKERFILE, re.MULTILINE)
        _, *arguments = json.loads(health_check)
        check = await asyncio.create_subprocess_exec(sys.executable, *arguments, env=given)
        assert await check.wait() == 0
        process.terminate()
        assert await asyncio.wait_for(process.wait(), 15) == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def until_ready(process: asyncio.subprocess.Process, port: int) -> None:
    async with httpx.AsyncClient(trust_env=False) as client, asyncio.timeout(START_SECONDS):
        while not await _is_ready(client, port):
            assert process.returncode is None, f"ended with {process.returncode}"
            await asyncio.sleep(ASK_EVERY)


async def _is_ready(client: httpx.AsyncClient, port: int) -> bool:
    try:
        return (await client.get(f"http://127.0.0.1:{port}/ready")).is_success
    except httpx.TransportError:
        return False


def _as_role(owner: str, role: str) -> str:
    parts = urlsplit(owner)
    return urlunsplit(parts._replace(netloc=f"{role}:secret@{parts.hostname}:{parts.port}"))
