"""A ticket's life by the engine's own rules, as crm-api reads it from the timeline."""

from datetime import datetime
from typing import Any

from crm_api.calendar_book import compile_calendar
from crm_api.explain_sla import Teller, clock_histories
from crm_api.read_history import Happened
from crm_api.sla_responses import ClockView
from crm_api.sla_words import Language
from tests.unit.sla_engine.case import Case, Decision
from ticket_contracts.commands import Command
from ticket_contracts.tickets import (
    ClockFact,
    MessageAdded,
    MessageRevised,
    PriorityChanged,
    StatusChanged,
    TicketAssigned,
    TicketFact,
    TicketOpened,
)
from ticket_contracts.vocabulary import Metric
from ticket_store.documents import Calendar


class ToldCase(Case):
    """Remembers which command each fact came from."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.causes: list[str] = []

    def ask(
        self, command: Command, at: datetime, command_id: str | None = None, now: datetime | None = None
    ) -> Decision:
        decision = super().ask(command, at, command_id, now)
        self.causes += [self.requests[-1].id] * (len(self.facts) - len(self.causes))
        return decision

    def pass_time(self, until: datetime) -> list[TicketFact]:
        facts = super().pass_time(until)
        self.causes += [""] * len(facts)
        return facts

    def history(self) -> list[Happened]:
        return [happened(fact, cause) for fact, cause in zip(self.facts, self.causes, strict=True)]

    def view(self, now: datetime, language: Language = "en", metric: Metric = Metric.FIRST_RESPONSE) -> ClockView:
        """Return the first cycle of a metric as it is told."""
        return Teller(self.history(), self.policies.calendars, now, language).view(
            (metric, 1), clock_histories(self.history())
        )


def happened(fact: TicketFact, command_id: str) -> Happened:
    """Return a fact as `read_history` reads it."""
    entry = fact.message if isinstance(fact, TicketOpened | MessageAdded | MessageRevised) else None
    is_clock = isinstance(fact, ClockFact)
    previous = fact.previous if isinstance(fact, StatusChanged | PriorityChanged) else None
    return Happened(
        version=fact.version,
        type=fact.event_type,
        at=fact.at,
        causation_id=fact.cause if isinstance(fact, ClockFact) else command_id,
        actor=fact.actor,
        cause=fact.cause if isinstance(fact, ClockFact) else None,
        clocks=(fact.clock,) if isinstance(fact, ClockFact) else getattr(fact, "clocks", ()),
        no_clock_reason=None if is_clock else getattr(fact, "no_clock_reason", None),
        imported=fact.imported,
        previous=previous,
        previous_team=fact.previous_team if isinstance(fact, TicketAssigned) else None,
        previous_assignee=fact.previous_assignee if isinstance(fact, TicketAssigned) else None,
        team=fact.ticket.team,
        assignee=fact.ticket.assignee,
        status=fact.ticket.status,
        priority=fact.ticket.priority,
        author_kind=entry.author.kind if entry else None,
        public=entry.public if entry else None,
        call_answered=entry.call.answered if entry and entry.call else None,
    )


def a_calendar(**changes: Any) -> Any:
    """Return a compiled calendar of Shanghai's offices."""
    week = {day: ["09:00-17:00"] for day in ("monday", "tuesday", "wednesday", "thursday", "friday")}
    content = {"name": "office", "zone": "Asia/Shanghai", "week": week, **changes}
    return compile_calendar(Calendar.model_validate(content))
