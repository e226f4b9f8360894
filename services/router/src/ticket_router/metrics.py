"""What the router counts. Labels are closed sets: channels, and the teams of the configuration."""

from collections import Counter as Tally
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, Counter


@dataclass(slots=True)
class BatchCount:
    """What one batch did, counted only once it was committed."""

    routed: Tally[tuple[str, str, str]] = field(default_factory=Tally)
    recorded: Tally[tuple[str, str]] = field(default_factory=Tally)
    repeats: Tally[str] = field(default_factory=Tally)
    held_back: int = 0


class RouterMetrics:
    """The router's own counters."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._routed = Counter(
            "firebreak_router_messages_routed",
            "Messages that became a command; `place` tells new tickets from additions",
            ["channel", "team", "place"],
            registry=registry,
        )
        self._recorded = Counter(
            "firebreak_router_messages_recorded",
            "Bounces, automatic answers, deletions and receipts that belong to no known ticket",
            ["channel", "automation"],
            registry=registry,
        )
        self._repeats = Counter(
            "firebreak_router_repeats",
            "Deliveries of a message that had arrived before",
            ["channel"],
            registry=registry,
        )
        self._held_back = Counter(
            "firebreak_router_flood_messages",
            "Messages of senders who opened too many conversations, counted by a ticket and not shown in it",
            registry=registry,
        )

    def add(self, count: BatchCount) -> None:
        for routed, messages in count.routed.items():
            self._routed.labels(*routed).inc(messages)
        for recorded, messages in count.recorded.items():
            self._recorded.labels(*recorded).inc(messages)
        for channel, deliveries in count.repeats.items():
            self._repeats.labels(channel).inc(deliveries)
        self._held_back.inc(count.held_back)
