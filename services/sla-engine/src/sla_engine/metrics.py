"""What the engine measures about its decisions; the stream measures itself."""

from collections import Counter as Tally
from collections.abc import Sequence
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

# Around the promise of one second (rule 43); the upper ones show an outage.
LATENESS_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 600.0, 3600.0)


@dataclass(slots=True)
class BatchTally:
    """What one batch did; counted only after its commit."""

    facts: Tally[str] = field(default_factory=Tally)
    clocks: Tally[tuple[str, str]] = field(default_factory=Tally)
    outcomes: Tally[str] = field(default_factory=Tally)
    rules: Tally[tuple[str, str]] = field(default_factory=Tally)
    lateness: list[float] = field(default_factory=list)


class EngineMetrics:
    def __init__(self, registry: CollectorRegistry) -> None:
        self._facts = Counter("firebreak_facts", "Facts recorded, by type", ["type"], registry=registry)
        self._clocks = Counter(
            "firebreak_clock_transitions", "Transitions of clocks", ["transition", "metric"], registry=registry
        )
        self._outcomes = Counter(
            "firebreak_commands",
            "Commands, by what became of them (`repeated`: decided before)",
            ["outcome"],
            registry=registry,
        )
        self._rules = Counter(
            "firebreak_automation_rules",
            "Automation rules that were set off, by what became of it (`failed`, `looped`, `stopped`: once per ticket)",
            ["rule", "result"],
            registry=registry,
        )
        self._unusable_calendars = Gauge(
            "firebreak_unusable_calendars",
            "Calendars whose newest version cannot be used; clocks count by an earlier one, else by the wall clock",
            registry=registry,
        )
        self._lateness = Histogram(
            "firebreak_alert_lateness_seconds",
            "Time from the moment an alert was due to the transaction that recorded it",
            buckets=LATENESS_BUCKETS,
            registry=registry,
        )

    def show_calendars(self, unusable: int) -> None:
        """Show how many calendars cannot be used."""
        self._unusable_calendars.set(unusable)

    def count(self, tally: BatchTally) -> None:
        """Count what a committed batch did."""
        for fact, number in tally.facts.items():
            self._facts.labels(fact).inc(number)
        for labels, number in tally.clocks.items():
            self._clocks.labels(*labels).inc(number)
        for outcome, number in tally.outcomes.items():
            self._outcomes.labels(outcome).inc(number)
        for labels, number in tally.rules.items():
            self._rules.labels(*labels).inc(number)
        self._observe(tally.lateness)

    def _observe(self, lateness: Sequence[float]) -> None:
        for seconds in lateness:
            self._lateness.observe(seconds)
