"""What a ticket is, folded from its facts."""

from collections.abc import Container, Iterator
from dataclasses import dataclass, fields, make_dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any, NamedTuple
from uuid import UUID

from sla_engine.domain.clock import DueTransition, due_transition
from sla_engine.domain.clock_memory import PastClocks
from sla_engine.domain.rule_memory import RuleMemory, Wait
from ticket_contracts.tickets import ClockState, TicketSummary
from ticket_contracts.vocabulary import ClockStatus, LinkKind, Metric, Status

MOST_KEPT_IDS = 100
"""Of the messages of a ticket: with all of them, every message of a long conversation would rewrite the ids of all
before it. Whoever decides looks for older ones in the table `messages`."""

STATE_FORMAT = 2
"""The highest that this engine reads. Raised when an older engine would misread what this one stores; each ticket is
stored in the lowest that fits it."""

PAST_CLOCKS_FORMAT = 2
"""Of tickets with more clocks than are kept. Who does not know of the others would promise again what was kept."""


class Wake(NamedTuple):
    """The end of a snooze."""

    at: datetime


class Link(NamedTuple):
    """What another ticket is to this one, and when that was asked for."""

    other_id: UUID
    kind: LinkKind
    since: datetime | None = None


class Merging(NamedTuple):
    """The ticket waits for a target's answer."""

    target_id: UUID
    merge_id: str


class Merged(NamedTuple):
    """The ticket is part of another one since `at`; the other three are what an undo gives back."""

    target_id: UUID
    merge_id: str
    at: datetime
    status: Status = Status.OPEN
    status_name: str | None = None
    successor_id: UUID | None = None


class Absorbed(NamedTuple):
    """Another ticket is part of this one; a source may be given back and taken in again, by another merge."""

    source_id: UUID
    merge_id: str


@dataclass(frozen=True, slots=True)
class Ticket:
    """The state `decide` reads and `evolve` returns; `tickets.state` holds exactly this as JSON.

    `message_ids` are the newest messages recorded: what makes a second delivery a no-op. `clocks` holds the last
    finished ones too, in the order of their start; `past_clocks` what counts of those before. `answered_at` is the
    first public reply of an agent to the customer's first words, `last_answered_at` the newest; `unanswered_since` the
    oldest customer's message that neither a reply nor an end has followed. `policy` is the one the ticket was last
    matched with (rule 32).
    """

    ticket_id: UUID
    version: int
    summary: TicketSummary
    clocks: tuple[ClockState, ...] = ()
    past_clocks: tuple[PastClocks, ...] = ()
    message_ids: tuple[UUID, ...] = ()
    first_customer_message_at: datetime | None = None
    answered_at: datetime | None = None
    last_answered_at: datetime | None = None
    unanswered_since: datetime | None = None
    policy: str | None = None
    policy_version: int | None = None
    no_clock_reason: str = ""
    previous_ticket_id: UUID | None = None
    successor_id: UUID | None = None
    links: tuple[Link, ...] = ()
    merging: Merging | None = None
    merged: Merged | None = None
    absorbed: tuple[Absorbed, ...] = ()
    moved_ids: tuple[UUID, ...] = ()
    automation: RuleMemory | None = None
    format: int = 1

    @property
    def forgets_messages(self) -> bool:
        """Whether older messages than `message_ids` may have been recorded."""
        return len(self.message_ids) >= MOST_KEPT_IDS

    def link_to(self, other_id: UUID, kind: LinkKind) -> Link | None:
        """Return the link of this kind to the other ticket, None when there is none."""
        return next((each for each in self.links if each[:2] == (other_id, kind)), None)

    def of_metric(self, metric: Metric) -> Iterator[ClockState]:
        """Yield the clocks of one metric that are kept, the first cycle first; the newest always is."""
        return (clock for clock in self.clocks if clock.metric is metric)

    def has_promised(self, metric: Metric) -> bool:
        """Whether there was ever a clock of the metric that was not cancelled."""
        return any(clock.status is not ClockStatus.CANCELLED for clock in self.of_metric(metric)) or any(
            past.promised for past in self.past_clocks if past.metric is metric
        )

    def ends_of(self, metrics: Container[Metric]) -> list[datetime]:
        """Return when clocks of the metrics ended; of many that are long over the latest."""
        kept = [clock.stopped_at for clock in self.clocks if clock.metric in metrics and clock.stopped_at is not None]
        return [*kept, *(past.stopped_at for past in self.past_clocks if past.metric in metrics)]

    @property
    def breached(self) -> list[Metric]:
        """Which metrics were ever late, each once."""
        late = {past.metric for past in self.past_clocks if past.breached}
        late |= {clock.metric for clock in self.clocks if clock.breached_at is not None}
        return [metric for metric in Metric if metric in late]

    def next_turn(self) -> DueTransition | Wake | None:
        """Return what clocks and a snooze will do first when nobody does anything: a warning, a breach, a wake."""
        transitions: list[DueTransition | Wake] = [due for clock in self.clocks if (due := due_transition(clock))]
        if self.summary.snoozed_until is not None:
            transitions.append(Wake(self.summary.snoozed_until))
        return min(transitions, key=lambda transition: transition.at, default=None)

    def next_transition(self) -> DueTransition | Wake | Wait | None:
        """Return what will happen first: such a turn, or a rule whose time comes; of two at once the turn."""
        turn = self.next_turn()
        wait = min(self.automation.waits, default=None) if self.automation else None
        return wait if wait is not None and (turn is None or wait.at < turn.at) else turn


_FIELDS = tuple(field.name for field in fields(Ticket))
_read = attrgetter(*_FIELDS)
_Open = make_dataclass("_Open", _FIELDS, slots=True)
"""A ticket that can be written: the same slots, so one becomes the other by its class alone."""


def replace(ticket: Ticket, **changes: Any) -> Ticket:
    """Return the ticket with other values, as `dataclasses.replace` does, in a quarter of its time: every fact that is
    folded comes by here.

    :raises AttributeError: there is no such field.
    """
    changed: Any = _Open(*_read(ticket))
    for name, value in changes.items():
        setattr(changed, name, value)
    changed.__class__ = Ticket
    assert isinstance(changed, Ticket)
    return changed
