"""Automation rules of one configuration version, ready to run."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property

from business_time.calendar import BusinessCalendar, OutOfCalendar
from sla_engine.domain.automation_view import Views
from sla_engine.domain.steps import Recipient
from ticket_contracts.automation import RULE_ACTOR
from ticket_contracts.commands import Actor
from ticket_contracts.contract import FieldValue
from ticket_contracts.expressions import Condition
from ticket_contracts.tickets import TicketSummary
from ticket_contracts.vocabulary import ActorKind, Channel, Priority, Status

Setting = tuple[str, str]
"""One thing that a rule sets: `("status", "")`, or `("tag", "vip")`, where it is whether the ticket has the tag."""


@dataclass(frozen=True, slots=True)
class Effect:
    """What a rule does, in this order."""

    status: Status | None = None
    priority: Priority | None = None
    team: str | None = None
    assignee: str | None = None
    add_tags: tuple[str, ...] = ()
    remove_tags: tuple[str, ...] = ()
    fields: Mapping[str, FieldValue] = field(default_factory=dict)
    note: str = ""
    reply: str = ""
    notify: tuple[Recipient, ...] = ()


@dataclass(frozen=True, slots=True)
class Stay:
    """How long a ticket must have been in a status; by the calendar's business time, without one by the wall clock."""

    status: Status
    duration: timedelta
    calendar: BusinessCalendar | None = None

    def end(self, since: datetime) -> datetime | None:
        """Return when a stay that began at `since` has lasted long enough, None when the calendar never gets there."""
        if self.calendar is None:
            return since + self.duration
        try:
            return self.calendar.add(since, self.duration)
        except OutOfCalendar:
            return None


@dataclass(frozen=True)
class Rule:
    """One rule: set off by facts (`on`, short names) or by a stay in a status (`after`)."""

    name: str
    version: int
    order: int
    condition: Condition
    effect: Effect
    on: frozenset[str] = frozenset()
    after: Stay | None = None
    channels: frozenset[Channel] = frozenset()
    stop: bool = False

    @cached_property
    def actor(self) -> Actor:
        """Who acts when the rule does: every fact of it names it."""
        return Actor(kind=ActorKind.MACHINE, id=f"{RULE_ACTOR}{self.name}", name=self.name)

    @cached_property
    def settings(self) -> Mapping[Setting, object]:
        """What it makes of the ticket, and so may find done already."""
        effect = self.effect
        whole = {(name, ""): getattr(effect, name) for name in ("status", "priority", "team", "assignee")}
        tags = {("tag", name): name in effect.add_tags for name in (*effect.remove_tags, *effect.add_tags)}
        fields = {("field", name): value for name, value in effect.fields.items()}
        return {setting: value for setting, value in {**whole, **tags, **fields}.items() if value is not None}

    @property
    def writes(self) -> bool:
        """Whether it adds words: it does so each time, whatever stands there already."""
        return bool(self.effect.note or self.effect.reply)

    def missing(self, ticket: TicketSummary) -> set[Setting]:
        """Return what is not as it sets it."""
        return {setting for setting, value in self.settings.items() if _shown(ticket, *setting) != value}

    def would_act(self, ticket: TicketSummary) -> bool:
        """Whether a run would leave a fact."""
        return self.writes or bool(self.effect.notify) or bool(self.missing(ticket))

    def undoes(self, other: "Rule", settings: Iterable[Setting]) -> bool:
        """Whether it sets otherwise one of these settings of the other rule."""
        return any(self.settings.get(each, other.settings[each]) != other.settings[each] for each in settings)


def _shown(ticket: TicketSummary, kind: str, name: str) -> object:
    if kind == "tag":
        return name in ticket.tags
    return ticket.fields.get(name) if kind == "field" else getattr(ticket, kind)


@dataclass(frozen=True)
class Rules:
    """All rules in force, in the order in which they are tried."""

    rules: tuple[Rule, ...] = ()
    configuration_version: int = 0

    @cached_property
    def by_fact(self) -> Mapping[str, tuple[Rule, ...]]:
        """The rules that a fact sets off, by its event type's short name."""
        names = {name for rule in self.rules for name in rule.on}
        return {name: tuple(rule for rule in self.rules if name in rule.on) for name in names}

    @cached_property
    def restless(self) -> frozenset[str]:
        """The names of rules on facts that may act however often they are set off at once: each of them writes, or
        another one sets otherwise what it sets."""
        values: dict[Setting, set[object]] = {}
        followers = [rule for rule in self.rules if rule.on]
        for rule in followers:
            for setting, value in rule.settings.items():
                values.setdefault(setting, set()).add(value)
            if rule.effect.team is not None and rule.effect.assignee is None:  # takes it from whoever holds it
                values.setdefault(("assignee", ""), set()).add(None)
        return frozenset(
            rule.name for rule in followers if rule.writes or any(len(values[each]) > 1 for each in rule.settings)
        )

    @cached_property
    def views(self) -> Views:
        """What their conditions are asked about."""
        return Views(rule.condition.expression for rule in self.rules)

    @cached_property
    def by_status(self) -> Mapping[Status, tuple[tuple[Rule, Stay], ...]]:
        """The rules that wait in a status."""
        stays = [(rule, rule.after) for rule in self.rules if rule.after is not None]
        return {status: tuple(each for each in stays if each[1].status is status) for status in Status}

    def waiting(self, name: str, status: Status) -> tuple[Rule, Stay] | None:
        """Return the rule of this name that waits in the status, None when there is none any more."""
        return next((each for each in self.by_status[status] if each[0].name == name), None)
