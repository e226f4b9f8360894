"""Tell the story of a ticket's clocks from its facts (rule 46), and why other clocks are missing (rule 35)."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from business_time.calendar import BusinessCalendar
from crm_api.absent_clocks import absent_clocks
from crm_api.calendar_book import CalendarBook
from crm_api.cause_words import short_type, tell_event, tell_share, with_cause
from crm_api.read_history import Happened, TicketState, read_history, read_state
from crm_api.sla_responses import CausingEvent, ClockStep, ClockView, Holding, SlaView
from crm_api.sla_words import Language, tell_imported, tell_known_until, tell_standing, tell_step
from crm_api.who_held import Holder, Share, Turn, shares
from ticket_contracts.escalations import TicketEscalated
from ticket_contracts.tickets import (
    BreachWithdrawn,
    ClockBreached,
    ClockCancelled,
    ClockMet,
    ClockPaused,
    ClockRecalculated,
    ClockResumed,
    ClockRetargeted,
    ClockStarted,
    ClockState,
    ClockStopped,
    ClockWarned,
)
from ticket_contracts.vocabulary import ClockStatus, Metric
from ticket_store.documents import Policy
from ticket_store.tables.configuration_documents import CONFIGURATION_DOCUMENTS as DOCUMENTS

TRANSITIONS = {
    ClockStarted.event_type: "started",
    ClockPaused.event_type: "paused",
    ClockResumed.event_type: "resumed",
    ClockRetargeted.event_type: "retargeted",
    ClockRecalculated.event_type: "recalculated",
    ClockWarned.event_type: "warned",
    ClockBreached.event_type: "breached",
    BreachWithdrawn.event_type: "breach-withdrawn",
    TicketEscalated.event_type: "escalated",
    ClockMet.event_type: "met",
    ClockStopped.event_type: "stopped",
    ClockCancelled.event_type: "cancelled",
}

BY_STATUS = ("paused", "resumed")
"""What a change of status does, also where a message caused the change."""

ClockKey = tuple[Metric, int]


@dataclass(slots=True)
class ClockHistory:
    """The transitions of one clock, each with the fact that holds it."""

    turns: list[Turn] = field(default_factory=list)
    facts: list[Happened] = field(default_factory=list)


async def explain_sla(
    connection: AsyncConnection, book: CalendarBook, ticket_id: UUID, version: int, language: Language
) -> SlaView:
    """Return every clock with its steps and its holders, told in `language`: five statements, however long it is."""
    facts = await read_history(connection, ticket_id)
    state = await read_state(connection, ticket_id)
    clocks = clock_histories(facts)
    calendars = await book.newest(connection, {each.turns[-1].clock.calendar for each in clocks.values()})
    noted = next((fact.no_clock_reason for fact in facts if fact.no_clock_reason is not None), "")
    teller = Teller(facts, calendars, state.now, language)
    return SlaView(
        ticket_id=ticket_id,
        version=facts[-1].version if facts else version,
        as_of=state.now,
        clocks=[teller.view(key, clocks) for key in clocks],
        absent=absent_clocks(
            state, {metric for metric, _ in clocks}, await _policy_of(connection, state), noted, language
        ),
        notes=[tell_imported(language)] if any(fact.imported for fact in facts) else [],
        no_clock_reason="" if clocks else noted,
    )


async def _policy_of(connection: AsyncConnection, state: TicketState) -> Policy | None:
    if state.policy is None:
        return None
    body = await connection.scalar(
        select(DOCUMENTS.c.body).where(
            DOCUMENTS.c.kind == Policy.kind,
            DOCUMENTS.c.name == state.policy,
            DOCUMENTS.c.version == state.policy_version,
        )
    )
    return None if body is None else Policy.model_validate(body, extra="ignore")


def clock_histories(facts: Sequence[Happened]) -> dict[ClockKey, ClockHistory]:
    """Return the history of each clock, in the order of their starts."""
    clocks: dict[ClockKey, ClockHistory] = {}
    for fact in facts:
        for clock in fact.clocks:
            history = clocks.setdefault((clock.metric, clock.cycle), ClockHistory())
            history.turns.append(Turn(fact.at, clock))
            history.facts.append(fact)
    return clocks


def holders_of(facts: Sequence[Happened]) -> list[tuple[datetime, Holder]]:
    """Return who held the ticket from when on; after each fact it stands who that is."""
    found: list[tuple[datetime, Holder]] = []
    for fact in facts:
        if not found or found[-1][1] != fact.holder:
            found.append((fact.at if not found else max(fact.at, found[-1][0]), fact.holder))
    return found


class Teller:
    """Tells the clocks of one ticket."""

    def __init__(
        self, facts: Sequence[Happened], calendars: Mapping[str, BusinessCalendar], now: datetime, language: Language
    ) -> None:
        self._calendars = calendars
        self._now = now
        self._language: Language = language
        self._holders = holders_of(facts)
        self._by_cause: dict[str, list[Happened]] = defaultdict(list)
        for fact in facts:
            if fact.type not in TRANSITIONS:
                self._by_cause[fact.causation_id].append(fact)

    def view(self, key: ClockKey, clocks: Mapping[ClockKey, ClockHistory]) -> ClockView:
        """Return one clock with its story."""
        history, before = clocks[key], clocks.get((key[0], key[1] - 1))
        calendar = self._calendars.get(history.turns[-1].clock.calendar)
        clock = as_of(history.turns[-1].clock, calendar, self._now)
        zone = UTC if calendar is None else calendar.zone
        earlier = before.turns[-1].clock if before is not None else None
        held = shares(history.turns, self._holders, calendar, self._now, earlier)
        told = set(ClockView.model_fields) - {"words", "notes", "story", "held"}
        return ClockView(
            **{name: getattr(clock, name) for name in told},
            words=tell_standing(clock, self._language, zone),
            notes=self._notes(clock, calendar),
            story=[self._step(turn, fact, zone) for turn, fact in zip(history.turns, history.facts, strict=True)],
            held=[self._holding(share, open_end=clock.stopped_at is None) for share in held],
        )

    def _step(self, turn: Turn, fact: Happened, zone: tzinfo) -> ClockStep:
        transition = TRANSITIONS.get(fact.type, "started")  # the opening fact holds the clocks it started
        event = self._cause_of(fact, transition)
        sentence = tell_step(transition, turn.clock, self._language, zone)
        return ClockStep(
            version=fact.version,
            at=turn.clock.started_at if transition == "started" else turn.at,
            transition=transition,
            cause=fact.cause or fact.causation_id,
            event=event and self._event(event),
            words=with_cause(sentence, event, self._language),
        )

    def _cause_of(self, fact: Happened, transition: str) -> Happened | None:
        """Return what the same command did to the ticket; time alone and an edited calendar do nothing to it."""
        if fact.type not in TRANSITIONS:
            return fact
        together = self._by_cause.get(fact.causation_id, ())
        wanted = "status-changed" if transition in BY_STATUS else "message-added"
        return next((each for each in together if short_type(each) == wanted), next(iter(together), None))

    def _event(self, event: Happened) -> CausingEvent:
        words = tell_event(event, self._language)
        return CausingEvent(version=event.version, type=event.type, at=event.at, actor=event.actor, words=words)

    def _notes(self, clock: ClockState, calendar: BusinessCalendar | None) -> list[str]:
        due_at = clock.due_at if clock.status is ClockStatus.RUNNING else None
        if calendar is None or due_at is None or calendar.knows(due_at):
            return []
        return [tell_known_until(calendar.name, calendar.known_until, self._language)]

    def _holding(self, share: Share, *, open_end: bool) -> Holding:
        team, assignee = share.holder
        return Holding(
            team=team,
            assignee=assignee,
            since=share.span.start,
            until=None if open_end and share.span.end == self._now else share.span.end,
            wall_seconds=int(share.wall.total_seconds()),
            business_seconds=None if share.business is None else int(share.business.total_seconds()),
            words=tell_share(share, self._language),
        )


def as_of(clock: ClockState, calendar: BusinessCalendar | None, now: datetime) -> ClockState:
    """Return the clock with the business time that it has used by now; an open one stores that of its last turn."""
    if clock.counted_from is None or calendar is None:
        return clock
    used = clock.used_seconds + int(calendar.between(clock.counted_from, now).total_seconds())
    return clock.model_copy(update={"used_seconds": used})
