"""Configuration of one small KRaft node: broker and controller in one process."""

from dataclasses import dataclass
from pathlib import Path

from firebreak_cli.local_stack.ports import LOOPBACK

LOG4J = """\
# Standard output is the log file.
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{ISO8601} %p %m (%c{1})%n
rootLogger.level = warn
rootLogger.appenderRef.console.ref = console
logger.server.name = kafka.server.KafkaRaftServer
logger.server.level = info
"""


@dataclass(frozen=True, slots=True)
class KafkaPorts:
    """Where clients and where the controller quorum (of one) connect."""

    clients: int
    controller: int


def server_properties(ports: KafkaPorts, data: Path) -> dict[str, str]:
    """Return the node's settings: durable enough for kill -9, small enough for a laptop."""
    return {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": f"1@{LOOPBACK}:{ports.controller}",
        "listeners": f"CLIENTS://{LOOPBACK}:{ports.clients},CONTROLLER://{LOOPBACK}:{ports.controller}",
        "advertised.listeners": f"CLIENTS://{LOOPBACK}:{ports.clients}",
        "listener.security.protocol.map": "CLIENTS:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "inter.broker.listener.name": "CLIENTS",
        "controller.listener.names": "CONTROLLER",
        "log.dirs": str(data),
        # A left-over client must not make a topic with a wrong partition count.
        "auto.create.topics.enable": "false",
        # After kill -9 the node refuses itself until its old session ends: 11 s by default, about 4 s so.
        "broker.session.timeout.ms": "2000",
        "broker.heartbeat.interval.ms": "500",
        # One node cannot replicate its own topics.
        "offsets.topic.replication.factor": "1",
        "offsets.topic.num.partitions": "1",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "transaction.state.log.num.partitions": "1",
        "share.coordinator.state.topic.replication.factor": "1",
        "share.coordinator.state.topic.min.isr": "1",
        "share.coordinator.state.topic.num.partitions": "1",
        "group.initial.rebalance.delay.ms": "0",
        # Memory: fewer threads and buffers than the defaults for a server with many disks.
        "num.network.threads": "2",
        "num.io.threads": "4",
        "background.threads": "2",
        "log.cleaner.dedupe.buffer.size": str(16 * 1024 * 1024),
        "log.index.size.max.bytes": str(2 * 1024 * 1024),
    }


def as_properties(settings: dict[str, str]) -> str:
    """Write settings as a Java properties file."""
    return "".join(f"{key}={value}\n" for key, value in settings.items())
