"""The one table of topics: names, keys, partitions and retention.

Partition counts are chosen once and never change: a key must stay in its partition for as long as positions,
outbox rows and timers refer to it. The partitioner is CRC-32 (IEEE) of the key modulo the count, the default of
librdkafka (`consistent`), so that producers in other languages agree with ours.
"""

from dataclasses import dataclass
from datetime import timedelta
from zlib import crc32

MAX_EVENT_BYTES = 256 * 1024
"""Largest event value. Longer bodies and all attachments go to object storage and are referred to."""

RETENTION = timedelta(days=30)
"""How long topics keep people's words; erasure relies on it (architecture §2)."""


@dataclass(frozen=True, slots=True)
class Topic:
    """One row of the table. `name` is without the installation's prefix."""

    name: str
    key: str
    purpose: str
    partitions_local: int = 6
    partitions_production: int = 48
    retention: timedelta = RETENTION
    append_time: bool = False

    def configuration(self) -> dict[str, str]:
        """Topic settings as Kafka's admin API takes them."""
        return {
            "cleanup.policy": "delete",
            "retention.ms": str(int(self.retention.total_seconds() * 1000)),
            "max.message.bytes": str(2 * MAX_EVENT_BYTES),  # room for headers and batch overhead
            "message.timestamp.type": "LogAppendTime" if self.append_time else "CreateTime",
        }


MESSAGES = Topic("support.messages.v1", key="conversation", purpose="What customers said, one event per delivery")
COMMANDS = Topic("support.commands.v1", key="ticket id", purpose="What somebody asks of a ticket", append_time=True)
TICKETS = Topic("support.tickets.v1", key="ticket id", purpose="What became of tickets, versioned without gaps")
ALERTS = Topic("support.alerts.v1", key="ticket id", purpose="Warnings, breaches and escalations")
DEAD_LETTERS = Topic("support.dead-letters.v1", key="record", purpose="Copies of records that no one could process")

TOPICS = (MESSAGES, COMMANDS, TICKETS, ALERTS, DEAD_LETTERS)


def partition_of(key: bytes, partitions: int) -> int:
    """Return the partition of a key, the same in every producer."""
    return crc32(key) % partitions
