"""Following `support.alerts.v1` live, as any subscriber can."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError
from rich.text import Text

from firebreak_cli.terminal_text import printable
from ticket_contracts.alerts import ALERT_EVENTS, Alarm, SlaAlert, SlaBreached, SlaEscalated, SlaWarning
from ticket_contracts.envelope import read_event
from ticket_contracts.topics import ALERTS
from ticket_stream.bounded_stop import stop_within

TRY_AGAIN_AFTER = 1.0  # seconds; Kafka is away, and its supervisor starts it again
CLOSE_TIMEOUT = 5.0  # seconds; a consumer whose broker is dead may never close


async def follow_alerts(bootstrap: str, prefix: str) -> AsyncIterator[SlaAlert]:
    """Yield alerts as they arrive, from now on and without end; through a restart of Kafka none is left out."""
    positions: dict[TopicPartition, int] = {}
    while True:
        try:
            async with _consumer(bootstrap, prefix + ALERTS.name, positions) as consumer:
                async for record in consumer:
                    positions[TopicPartition(record.topic, record.partition)] = record.offset + 1
                    if alert := read_alert(record):
                        yield alert
        except (KafkaError, OSError):
            await asyncio.sleep(TRY_AGAIN_AFTER)


def read_alert(record: ConsumerRecord) -> SlaAlert | None:
    """Read one record; None for a type that a newer release may have added."""
    event = read_event(record.headers, record.value)
    if event.type not in ALERT_EVENTS:
        return None
    alert = ALERT_EVENTS[event.type].model_validate_json(event.data)
    return alert if isinstance(alert, SlaAlert) else None


def alert_line(alert: SlaAlert, now: datetime) -> Text:
    """Return one line for a person."""
    match alert:
        case SlaWarning():
            what = Text(f"⚠  {alert.percent} % of {alert.clock.metric} used", style="yellow")
        case SlaBreached():
            what = Text(f"🔥 {alert.clock.metric} BREACHED", style="bold red")
        case SlaEscalated():
            what = Text(f"🔔 {alert.clock.metric} escalated", style="bold red")
        case _:
            what = Text(f"✔  breach of {alert.clock.metric} withdrawn", style="green")
    ticket = alert.ticket
    return Text.assemble(
        f"{now.astimezone():%H:%M:%S} ",
        what,
        *(f" · {_told(alarm)}" for alarm in alert.alarms if alarm.version != alert.version or alarm.step),
        f"  #{ticket.number} {printable(ticket.subject[:50])}  → {ticket.team}/{ticket.assignee or '–'}",
        Text(f"  ({(now - alert.at).total_seconds():.2f} s after it was due)", style="dim"),
    )


def _told(alarm: Alarm) -> str:
    """Return what an alert tells beside its gravest alarm."""
    if alarm.step is not None:
        return f"step “{printable(alarm.step)}”"
    return f"{alarm.percent} % of {alarm.metric}" if alarm.percent is not None else f"{alarm.kind} of {alarm.metric}"


@asynccontextmanager
async def _consumer(
    bootstrap: str, topic: str, positions: dict[TopicPartition, int]
) -> AsyncIterator[AIOKafkaConsumer]:
    """Read every partition from the remembered position, or from the end; no consumer group."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False, auto_offset_reset="none")
    await consumer.start()
    try:
        partitions = [TopicPartition(topic, number) for number in range(ALERTS.partitions_local)]
        ends = await consumer.end_offsets(partitions)
        for partition in partitions:
            positions.setdefault(partition, ends[partition])
        consumer.assign(partitions)
        for partition in partitions:
            consumer.seek(partition, positions[partition])
        yield consumer
    finally:
        await stop_within(consumer, CLOSE_TIMEOUT)
